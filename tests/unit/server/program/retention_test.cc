#include "server/program/retention.h"

#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "server/storage/memory/broker_store.h"
#include "server/storage/testing/entries.h"
#include "tests/support/region.h"

namespace raakvlak::server {
namespace {

using base::testing::IsOk;
using ::testing::HasSubstr;

constexpr char kUrn[] = "urn:raakvlak:maastricht:broker:test";

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() {
    region_.covenant().set_log_retention_days(30);
    region_.Write();
  }
  void Append() {
    storage::AuditEntry entry;
    entry.time_ms = absl::ToUnixMillis(region_.clock().Now());
    entry.actor = "somebody";
    ASSERT_THAT(store_.AppendAudit(entry), IsOk());
  }
  std::vector<storage::StoredEntry> Stored() { return storage::testing::StoredEntries(store_.audit_log()); }

  testing::TestRegion region_;
  storage::MemoryBrokerStore store_{kUrn};
};

TEST_F(RetentionTest, DetailsGoWhenTheTermOfTheCovenantEndsAndNotBefore) {
  Retention retention(store_.audit_log(), region_.authority(), region_.clock(),
                      *region_.authority().Current(), kUrn, "broker");
  Append();
  region_.clock().Advance(absl::Hours(24));
  Append();
  region_.clock().Advance(absl::Hours(24) * 29);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(uint64_t erased, retention.RunOnce());
  EXPECT_EQ(erased, 0u);
  region_.clock().Advance(absl::Milliseconds(1));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(erased, retention.RunOnce());
  EXPECT_EQ(erased, 1u);
  const auto stored = Stored();
  ASSERT_EQ(stored.size(), 3u);
  EXPECT_TRUE(stored[0].erased);
  EXPECT_FALSE(stored[1].erased);
  EXPECT_EQ(stored[2].entry.action, "erase");
  EXPECT_EQ(stored[2].entry.actor, kUrn);
  EXPECT_EQ(stored[2].entry.role, "broker");
  EXPECT_EQ(stored[2].entry.policy, "c1/r1");
  EXPECT_EQ(stored[2].entry.count, 1u);
}

TEST_F(RetentionTest, WhatElseHasTheTermGoesWithTheDetails) {
  std::vector<int64_t> asked;
  storage::AuditEntry proof;
  Retention retention(store_.audit_log(), region_.authority(), region_.clock(),
                      *region_.authority().Current(), kUrn, "broker",
                      [&](int64_t before_ms, const storage::AuditEntry& entry) -> absl::StatusOr<uint64_t> {
                        asked.push_back(before_ms);
                        proof = entry;
                        if (asked.size() > 1) return absl::UnavailableError("the disk is full");
                        return 7;
                      });
  EXPECT_THAT(retention.RunOnce(), IsOk());
  EXPECT_EQ(asked, std::vector<int64_t>{absl::ToUnixMillis(region_.clock().Now() - absl::Hours(24) * 30)});
  EXPECT_EQ(proof.actor, kUrn);
  EXPECT_FALSE(retention.RunOnce().ok());
}

TEST_F(RetentionTest, GoesOnUnderWhatWasLastInForce) {
  Retention retention(store_.audit_log(), region_.authority(), region_.clock(),
                      *region_.authority().Current(), kUrn, "broker");
  Append();
  // Far beyond roster and covenant.
  region_.clock().Advance(absl::Hours(24) * 40'000);
  ASSERT_FALSE(region_.authority().Current().ok());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const uint64_t erased, retention.RunOnce());
  EXPECT_EQ(erased, 1u);
}

TEST_F(RetentionTest, StartedItRunsAtOnce) {
  Retention retention(store_.audit_log(), region_.authority(), region_.clock(),
                      *region_.authority().Current(), kUrn, "broker");
  Append();
  region_.clock().Advance(absl::Hours(24) * 31);
  retention.Start();
  retention.Stop();
  EXPECT_TRUE(Stored()[0].erased);
}

}  // namespace
}  // namespace raakvlak::server
