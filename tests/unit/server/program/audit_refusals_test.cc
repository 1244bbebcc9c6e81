#include "server/program/audit_refusals.h"

#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/region.h"
#include "tests/unit/server/program/audit_fake.h"

namespace raakvlak::server {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kTimeout = absl::Seconds(20);

class AuditRefusalsTest : public ::testing::Test {
 protected:
  static rpc::Refusal RefusalWith(const char* reason) {
    return {"actor",
            "role",
            "/A/B",
            "192.0.2.0/24",
            "4bf92f3577b34da6a3ce929d0e0e4736",
            base::Error(absl::StatusCode::kPermissionDenied, reason, "no")};
  }

  testing::TestRegion region_;
  FakeAudit audit_;
  AuditRefusals refusals_{audit_, region_.authority(), region_.clock()};
};

TEST_F(AuditRefusalsTest, RefusalHasItsEntryWhenTheCallReturns) {
  ASSERT_THAT(refusals_.Refused(RefusalWith(base::reason::kNotAllowed)), IsOk());
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("actor role refuse /A/B NOT_ALLOWED 0"));
  EXPECT_EQ(audit_.entries()[0].time_ms, absl::ToUnixMillis(region_.clock().Now()));
  EXPECT_EQ(audit_.entries()[0].origin, "192.0.2.0/24");
  EXPECT_EQ(audit_.entries()[0].trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
}

TEST_F(AuditRefusalsTest, RefusalThatCannotBeWrittenIsSaid) {
  audit_.room = 0;
  EXPECT_THAT(refusals_.Refused(RefusalWith(base::reason::kNotAllowed)),
              HasReason(base::reason::kStorageFailed));
}

TEST_F(AuditRefusalsTest, CountedOnesAreWrittenByThemselvesSoonAfterTheirMinute) {
  for (int i = 0; i < 3; ++i) refusals_.Count(RefusalWith(base::reason::kOverloaded));
  EXPECT_THAT(audit_.TakeLines(), IsEmpty());
  region_.clock().Advance(absl::Minutes(1));
  const absl::Time deadline = absl::Now() + kTimeout;
  while (audit_.entries().empty() && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("actor role refuse /A/B OVERLOADED 3"));
}

TEST_F(AuditRefusalsTest, CountedOnesAreWrittenAtTheEnd) {
  refusals_.Count(RefusalWith(base::reason::kOverloaded));
  refusals_.Stop();
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("actor role refuse /A/B OVERLOADED 1"));
  refusals_.Stop();
  EXPECT_THAT(audit_.TakeLines(), IsEmpty());
}

TEST_F(AuditRefusalsTest, EveryEntryNamesThePolicyInForce) {
  ASSERT_THAT(refusals_.Refused(RefusalWith(base::reason::kNotAllowed)), IsOk());
  region_.Suspend("politie");  // a new roster
  ASSERT_THAT(refusals_.Refused(RefusalWith(base::reason::kPartnerSuspended)), IsOk());
  refusals_.Count(RefusalWith(base::reason::kOverloaded));
  refusals_.Stop();
  const auto entries = audit_.entries();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].policy, "c1/r1");
  EXPECT_EQ(entries[1].policy, "c1/r2");
  EXPECT_EQ(entries[2].policy, "c1/r2");
}

TEST_F(AuditRefusalsTest, EntryNamesNoPolicyWhileNothingIsInForce) {
  region_.clock().Advance(absl::Hours(24 * 400));
  ASSERT_THAT(refusals_.Refused(RefusalWith(base::reason::kRosterExpired)), IsOk());
  EXPECT_EQ(audit_.entries()[0].policy, "");
}

}  // namespace
}  // namespace raakvlak::server
