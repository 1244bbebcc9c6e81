#include "server/log/process_log.h"

#include "tests/support/region.h"
#include "tests/unit/server/log/log_world.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;

class ProcessLogTest : public LogWorld {
 protected:
  ProcessLog::Options Options() const { return {logs(), TestKey().public_key(), here_.File("none.sock")}; }
  absl::StatusOr<std::unique_ptr<ProcessLog>> CreateLog() {
    RAAKVLAK_RETURN_IF_ERROR(signer_.Restart());
    return ProcessLog::CreateForTest(audit_, clock_, Options(), signer_);
  }
};

TEST_F(ProcessLogTest, WhatWasThereBeforeIsPublishedAtTheStart) {
  audit_.Append(kYear, 7);
  ASSERT_THAT(CreateLog(), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(7));
}

TEST_F(ProcessLogTest, NewEntriesArePublishedWithoutBeingAskedFor) {
  auto log = CreateLog();
  ASSERT_THAT(log, IsOk());
  audit_.Append(kYear, 3);
  const absl::Time limit = absl::Now() + absl::Seconds(30);
  while (!(*log)->publisher().Newest(kYear) && absl::Now() < limit) std::this_thread::yield();
  ASSERT_TRUE((*log)->publisher().Newest(kYear).has_value());
  EXPECT_EQ((*log)->publisher().Newest(kYear)->checkpoint.size, 3);
  EXPECT_THAT((*log)->LastPublish(), IsOk());
}

TEST_F(ProcessLogTest, WhatCameLastIsPublishedAtTheEnd) {
  auto log = CreateLog();
  ASSERT_THAT(log, IsOk());
  audit_.Append(kYear, 3);
  (*log)->Stop();
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(3));
  (*log)->Stop();
}

TEST_F(ProcessLogTest, WithoutASignerTheProcessStartsAndTellsWhatIsWrong) {
  audit_.Append(kYear, 3);
  auto log = ProcessLog::Create(audit_, clock_, Options());
  ASSERT_THAT(log, IsOk());
  EXPECT_THAT((*log)->LastPublish(), HasReason(reason::kUnavailable));
}

TEST_F(ProcessLogTest, ARollbackOrForkThatTheSignerSeesStopsTheStart) {
  ASSERT_THAT(Start(), IsOk());
  ASSERT_THAT(AppendAndPublish(5), IsOk());
  publisher_.reset();
  std::filesystem::remove_all(logs());
  audit_.Restore({});
  audit_.SetSeed(1);
  audit_.Append(kYear, 3);
  EXPECT_THAT(CreateLog(), HasReason(reason::kLogRollback));
  audit_.Append(kYear, 3);
  EXPECT_THAT(CreateLog(), HasReason(reason::kLogFork));
}

TEST(ProcessLogOptionsTest, FollowFromConfigurationAndCovenant) {
  using raakvlak::testing::TestRegion;
  TestRegion region;
  const policy::Snapshot snapshot = *region.authority().Current();
  const std::string urn = TestRegion::Urn("node", "politie");
  v1::Common common;
  common.set_state("/var/lib/raakvlak/node");
  common.set_signer_socket("/run/raakvlak/signer.sock");
  const auto options = ProcessLog::OptionsFor(common, *snapshot.covenant, urn);
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->folder, "/var/lib/raakvlak/node/log");
  EXPECT_EQ(options->key, TestRegion::LogKeyOf(urn).public_key());
  EXPECT_EQ(options->signer_socket, common.signer_socket());
  EXPECT_THAT(ProcessLog::OptionsFor(common, *snapshot.covenant, TestRegion::Urn("node", "nobody")),
              HasReason(reason::kNotFound));
  common.set_signer_socket(std::string(200, 'x'));
  EXPECT_THAT(ProcessLog::OptionsFor(common, *snapshot.covenant, urn), HasReason(reason::kConfigInvalid));
}

}  // namespace
}  // namespace raakvlak::log
