// The publisher is stopped before each of its file operations in turn, and goes on after a restart.
#include "tests/unit/server/log/log_world.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using base::testing::IsOk;

// Sizes at which it publishes: first tiles, a full one, one more, several at once, and an open tile of
// level 1.
constexpr uint64_t kSizes[] = {1, 200, 256, 300, 800};

class CrashTest : public LogWorld {
 protected:
  // Everything from the start, with all operations from number `stop` on not done. Returns how many were
  // asked for.
  int RunUntil(int stop) {
    std::filesystem::remove_all(logs());
    std::filesystem::remove_all(state());
    audit_.Restore({});
    int operations = 0;
    absl::Status done = Start([&operations, stop](LogFolder::Operation, const std::string&) {
      return operations++ < stop
                 ? absl::OkStatus()
                 : base::Error(absl::StatusCode::kUnavailable, reason::kStorageFailed, "killed");
    });
    uint64_t size = 0;
    for (const uint64_t next : kSizes) {
      audit_.Append(kYear, next - size);
      size = next;
      if (done.ok()) done = Publish();
    }
    return operations;
  }
};

TEST_F(CrashTest, AfterACrashAtAnyPointTheLogIsWholeAndGoesOn) {
  const int all = RunUntil(1'000'000);
  ASSERT_GT(all, 80);
  ASSERT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(800));
  const std::set<std::string> expected = FilesBelow(logs());
  for (int stop = 0; stop < all; ++stop) {
    SCOPED_TRACE(stop);
    RunUntil(stop);
    // As the crash left it: whatever checkpoint stands there, all that it stands on is there.
    const auto left = VerifiedSize(logs(), kYear);
    ASSERT_THAT(left, IsOk());
    ASSERT_THAT(Start(), IsOk());
    ASSERT_THAT(Publish(), IsOk());
    ASSERT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(800));
    ASSERT_THAT(AppendAndPublish(300), IsOk());
    ASSERT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(1100));
    for (const std::string& file : FilesBelow(logs())) {
      EXPECT_EQ(file.find("tmp/"), std::string::npos) << file;
      // 1100 = 4 * 256 + 76: partial tiles of full ones are gone.
      EXPECT_TRUE(file.find(".p/") == std::string::npos || file.find("004.p/76") != std::string::npos ||
                  file.find("1/000.p/") != std::string::npos)
          << file;
    }
  }
}

TEST_F(CrashTest, TheSignerMayBeAheadOfWhatIsPublished) {
  // Killed between the signature and the checkpoint, and the entries of the database went on.
  ASSERT_THAT(Start([](LogFolder::Operation operation, const std::string& name) {
                return operation == LogFolder::Operation::kRename && name == "2026/checkpoint"
                           ? base::Error(absl::StatusCode::kUnavailable, reason::kStorageFailed, "killed")
                           : absl::OkStatus();
              }),
              IsOk());
  EXPECT_FALSE(AppendAndPublish(10).ok());
  audit_.Append(kYear, 5);
  ASSERT_THAT(Start(), IsOk());
  ASSERT_THAT(Publish(), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(15));
}

TEST_F(CrashTest, UnsignedTilesOfEntriesThatTheDatabaseLostAreReplaced) {
  // The database is durable before tiles are written; if its disk lied, tiles alone bind nobody.
  ASSERT_THAT(Start(), IsOk());
  ASSERT_THAT(AppendAndPublish(250), IsOk());
  const auto backup = audit_.Backup();
  testing::FakeCheckpointSigner away(TestKey());
  away.FailWith(base::Error(absl::StatusCode::kUnavailable, reason::kUnavailable, "away"));
  auto other = Publisher::Create(audit_, *folder_, away, clock_, TestKey().public_key());
  ASSERT_THAT(other, IsOk());
  audit_.Append(kYear, 300);
  EXPECT_FALSE((*other)->Publish(kNoHurry).ok());
  ASSERT_TRUE(std::filesystem::exists(year() + "/tile/0/001"));
  audit_.Restore(backup);
  audit_.SetSeed(1);
  ASSERT_THAT(Start(), IsOk());
  ASSERT_THAT(AppendAndPublish(3), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(253));
  ASSERT_THAT(AppendAndPublish(600), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(853));
}

}  // namespace
}  // namespace raakvlak::log
