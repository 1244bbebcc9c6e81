#include "server/log/contradiction_audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "base/reason.h"
#include "base/testing/fakes.h"

namespace raakvlak::log {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using Kind = Contradiction::Kind;

class Entries final : public storage::AuditAppender {
 public:
  decltype(std::declval<storage::AuditAppender&>().AppendAudit({})) AppendAudit(
      const storage::AuditEntry& entry) override {
    entries.push_back(entry);
    return absl::UnavailableError("also when it cannot be kept");
  }
  std::vector<storage::AuditEntry> entries;
};

class ContradictionAuditTest : public ::testing::Test {
 protected:
  void Report(Kind kind, const std::string& origin = "urn:raakvlak:r:broker:b/2026") {
    audit_.Report({kind, {origin, 9, std::string(32, 'r'), 1, "the old note\n"}, 5, "the new note\n"});
  }
  Entries log_;
  base::testing::FakeClock clock_;
  ContradictionAudit audit_{log_, clock_};
};

TEST_F(ContradictionAuditTest, EntryHoldsBothCheckpointsAndWhoseTheyAre) {
  Report(Kind::kFork);
  ASSERT_THAT(log_.entries, SizeIs(1));
  const storage::AuditEntry& entry = log_.entries[0];
  EXPECT_EQ(entry.action, "witness");
  EXPECT_EQ(entry.actor, "urn:raakvlak:r:broker:b");
  EXPECT_EQ(entry.object, "urn:raakvlak:r:broker:b/2026");
  EXPECT_EQ(entry.result, base::reason::kLogFork);
  EXPECT_EQ(entry.time_ms, absl::ToUnixMillis(clock_.Now()));
  EXPECT_THAT(entry.reason, HasSubstr("the old note"));
  EXPECT_THAT(entry.reason, HasSubstr("the new note"));
}

TEST_F(ContradictionAuditTest, EachKindHasItsReason) {
  Report(Kind::kRollback, "a/2026");
  Report(Kind::kInconsistent, "b/2026");
  ASSERT_THAT(log_.entries, SizeIs(2));
  EXPECT_EQ(log_.entries[0].result, base::reason::kLogRollback);
  EXPECT_EQ(log_.entries[1].result, base::reason::kLogFork);
}

TEST_F(ContradictionAuditTest, OneLogIsToldAboutOnceAMinute) {
  for (int i = 0; i < 100; ++i) Report(Kind::kRollback);
  EXPECT_THAT(log_.entries, SizeIs(1));
  Report(Kind::kFork, "urn:raakvlak:r:node:n/2026");
  EXPECT_THAT(log_.entries, SizeIs(2)) << "another log";
  Report(Kind::kFork);
  EXPECT_THAT(log_.entries, SizeIs(3)) << "a fork is not hidden behind a rollback";
  clock_.Advance(absl::Minutes(1));
  Report(Kind::kRollback);
  EXPECT_THAT(log_.entries, SizeIs(4));
  clock_.Advance(-absl::Hours(5));
  Report(Kind::kRollback);
  EXPECT_THAT(log_.entries, SizeIs(5)) << "a clock set back does not silence it";
}

}  // namespace
}  // namespace raakvlak::log
