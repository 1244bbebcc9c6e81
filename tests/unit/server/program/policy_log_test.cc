#include "server/program/policy_log.h"

#include "base/bytes.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/unit/server/program/audit_fake.h"

namespace raakvlak::server {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;

class Kept final : public policy::HighWater {
 public:
  absl::StatusOr<policy::Newest> Load() override { return newest; }
  absl::Status Store(const policy::Newest& next) override {
    newest = next;
    return absl::OkStatus();
  }
  policy::Newest newest;
};

class PolicyLogTest : public ::testing::Test {
 protected:
  const policy::Newest next_ = {std::string(32, 'c'), 2, 7};
  Kept kept_;
  FakeAudit audit_;
  base::testing::FakeClock clock_;
  PolicyLog log_{kept_, audit_, clock_, "raakvlak-node:politie", "node"};
};

TEST_F(PolicyLogTest, WhatComesInForceHasItsEntryAndIsKept) {
  ASSERT_THAT(log_.Store(next_), IsOk());
  ASSERT_EQ(audit_.entries().size(), 1u);
  const storage::AuditEntry entry = audit_.entries()[0];
  EXPECT_EQ(entry.time_ms, absl::ToUnixMillis(clock_.Now()));
  EXPECT_EQ(entry.actor, "raakvlak-node:politie");
  EXPECT_EQ(entry.role, "node");
  EXPECT_EQ(entry.action, "policy_load");
  EXPECT_EQ(entry.object, base::Hex(next_.covenant_id));
  EXPECT_EQ(entry.policy, "c2/r7");
  EXPECT_EQ(entry.result, "OK");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const policy::Newest loaded, log_.Load());
  EXPECT_EQ(loaded, next_);
}

TEST_F(PolicyLogTest, NothingComesInForceWithoutItsEntry) {
  audit_.room = 0;
  EXPECT_THAT(log_.Store(next_), HasReason(base::reason::kStorageFailed));
  EXPECT_EQ(kept_.newest, policy::Newest());
}

}  // namespace
}  // namespace raakvlak::server
