// Yesterday's database, folder or signer state put back, alone and together: who notices, and what it says.
#include "tests/unit/server/log/log_world.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::HasSubstr;

// 300 entries are in the backup, 500 were published.
class RestoredBackupTest : public LogWorld {
 protected:
  void SetUp() override {
    ASSERT_THAT(Start(), IsOk());
    ASSERT_THAT(AppendAndPublish(300), IsOk());
    database_ = audit_.Backup();
    Copy(logs(), here_.File("old_log"));
    Copy(state(), here_.File("old_signer"));
    ASSERT_THAT(AppendAndPublish(200), IsOk());
    today_ = audit_.Backup();
    // Entries made after a restore differ from those that were lost.
    audit_.SetSeed(1);
  }
  void RestoreDatabase() { audit_.Restore(database_); }
  void RestoreFolder() { Copy(here_.File("old_log"), logs()); }
  void RestoreSigner() { Copy(here_.File("old_signer"), state()); }

  std::map<uint32_t, std::vector<std::string>> database_, today_;
};

TEST_F(RestoredBackupTest, OfTheDatabaseIsNoticedByTheProcessAtItsStart) {
  RestoreDatabase();
  const absl::Status refused = Start();
  EXPECT_THAT(refused, HasReason(reason::kLogRollback));
  EXPECT_THAT(
      std::string(refused.message()),
      HasSubstr("the database has 300 entries of urn:raakvlak:maastricht:broker:centrum/2026, of which 500"));
}

TEST_F(RestoredBackupTest, OfTheDatabaseIsNoticedByTheProcessAlsoAfterItGrew) {
  RestoreDatabase();
  audit_.Append(kYear, 250);
  const absl::Status refused = Start();
  EXPECT_THAT(refused, HasReason(reason::kLogFork));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("entry 300 of"));
}

TEST_F(RestoredBackupTest, OfTheDatabaseIsNoticedByTheProcessWhileItRuns) {
  RestoreDatabase();
  EXPECT_THAT(Publish(), HasReason(reason::kLogRollback));
}

TEST_F(RestoredBackupTest, OfAnEmptyDatabaseIsNoticedByTheProcess) {
  audit_.Restore({});
  EXPECT_THAT(Start(), HasReason(reason::kLogRollback));
}

TEST_F(RestoredBackupTest, OfTheFolderHealsItself) {
  RestoreFolder();
  ASSERT_THAT(Start(), IsOk());
  ASSERT_THAT(AppendAndPublish(1), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(501));
}

TEST_F(RestoredBackupTest, OfNoFolderAtAllHealsItself) {
  std::filesystem::remove_all(logs());
  ASSERT_THAT(Start(), IsOk());
  ASSERT_THAT(Publish(), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(500));
}

TEST_F(RestoredBackupTest, OfTheSignersStateIsNoticedByTheSignerAtItsStart) {
  RestoreSigner();
  const absl::Status refused = signer_.Restart();
  EXPECT_THAT(refused, HasReason(reason::kLogRollback));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("remembers size 300"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("a checkpoint of size 500 is signed"));
}

TEST_F(RestoredBackupTest, OfDatabaseAndFolderIsNoticedByTheSigner) {
  RestoreDatabase();
  RestoreFolder();
  ASSERT_THAT(Start(), IsOk());
  // Also when there is nothing new: so a process says it at its start.
  EXPECT_THAT(Publish(), HasReason(reason::kLogRollback));
  EXPECT_THAT(AppendAndPublish(10), HasReason(reason::kLogRollback));
  // Grown to the very size and beyond.
  EXPECT_THAT(AppendAndPublish(190), HasReason(reason::kLogFork));
  EXPECT_THAT(AppendAndPublish(190), HasReason(reason::kLogFork));
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(300));
}

TEST_F(RestoredBackupTest, OfDatabaseAndSignerIsNoticedByBoth) {
  RestoreDatabase();
  RestoreSigner();
  EXPECT_THAT(signer_.Restart(), HasReason(reason::kLogRollback));
  testing::FakeCheckpointSigner signer(TestKey());
  EXPECT_THAT(Publisher::Create(audit_, *folder_, signer, clock_, signer.public_key()),
              HasReason(reason::kLogRollback));
}

TEST_F(RestoredBackupTest, OfFolderAndSignerIsHarmlessBecauseTheDatabaseHasAll) {
  RestoreFolder();
  RestoreSigner();
  ASSERT_THAT(Start(), IsOk());
  ASSERT_THAT(Publish(), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(500));
}

// The limit: nobody here is left who remembers. A witness answers 409, and checkpoints kept elsewhere tell.
TEST_F(RestoredBackupTest, OfAllThreeIsNoticedByNobodyHere) {
  RestoreDatabase();
  RestoreFolder();
  RestoreSigner();
  ASSERT_THAT(Start(), IsOk());
  EXPECT_THAT(AppendAndPublish(10), IsOk());
}

TEST_F(RestoredBackupTest, ACosignedCheckpointCountsAsMuchAsThePublishedOne) {
  std::filesystem::copy_file(year() + "/checkpoint", year() + "/checkpoint.cosigned");
  std::filesystem::copy_file(here_.File("old_log/2026/checkpoint"), year() + "/checkpoint",
                             std::filesystem::copy_options::overwrite_existing);
  RestoreSigner();
  EXPECT_THAT(signer_.Restart(), HasReason(reason::kLogRollback));
}

TEST_F(RestoredBackupTest, AdoptingTheSignedLogPutsTheSignerRight) {
  RestoreSigner();
  const auto adopted = signer::Adopt(signer_.paths(), TestKey().public_key());
  ASSERT_THAT(adopted, IsOk());
  ASSERT_EQ(adopted->size(), 1);
  EXPECT_EQ(adopted->front(), publisher_->Newest(kYear)->checkpoint);
  ASSERT_THAT(Start(), IsOk());
  ASSERT_THAT(AppendAndPublish(10), IsOk());
  EXPECT_THAT(VerifiedSize(logs(), kYear), IsOkAndHolds(510));
}

}  // namespace
}  // namespace raakvlak::log
