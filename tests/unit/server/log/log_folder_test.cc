#include "server/log/log_folder.h"

#include <sys/stat.h>

#include "tests/unit/server/log/log_world.h"

namespace raakvlak::log {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using Operation = LogFolder::Operation;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LogFolderTest : public ::testing::Test {
 protected:
  std::unique_ptr<LogFolder> Open(LogFolder::HookForTest hook = nullptr) {
    auto folder = LogFolder::Open(here_.File("log"), std::move(hook));
    RAAKVLAK_CHECK(folder.ok(), "the folder opens");
    return *std::move(folder);
  }
  base::testing::TemporaryFolder here_;
};

TEST_F(LogFolderTest, WhatWasWrittenIsRead) {
  const auto folder = Open();
  ASSERT_THAT(folder->Write("2026/tile/0/x001/000", "bytes"), IsOk());
  ASSERT_THAT(folder->Write("2026/tile/0/x001/000", "other"), IsOk());
  ASSERT_THAT(folder->Sync(), IsOk());
  EXPECT_THAT(folder->Read("2026/tile/0/x001/000", 5), IsOkAndHolds("other"));
  EXPECT_THAT(folder->Read("2026/tile/0/x001/000", 4), HasReason(reason::kTooLarge));
  EXPECT_TRUE(absl::IsNotFound(folder->Read("2026/tile/0/x001/001", 5).status()));
  EXPECT_THAT(FilesBelow(here_.path()), ElementsAre("log/2026/tile/0/x001/000"));
}

TEST_F(LogFolderTest, WhatACrashLeftUnfinishedGoesAtTheNextStart) {
  Open();
  ASSERT_THAT(base::WriteFileAtomically(here_.File("log/tmp/17"), "half", 0600), IsOk());
  const auto folder = Open();
  EXPECT_THAT(FilesBelow(here_.path()), IsEmpty());
  EXPECT_THAT(folder->Write("2026/checkpoint", "whole"), IsOk());
}

TEST_F(LogFolderTest, AFileIsSyncedBeforeItsNameAndItsFolderAfter) {
  std::vector<std::pair<Operation, std::string>> done;
  const auto folder = Open([&](Operation operation, const std::string& name) {
    done.emplace_back(operation, name);
    return absl::OkStatus();
  });
  done.clear();
  ASSERT_THAT(folder->Write("2026/checkpoint", "whole"), IsOk());
  ASSERT_THAT(folder->Sync(), IsOk());
  EXPECT_THAT(done,
              ElementsAre(std::pair(Operation::kMakeFolder, "2026"), std::pair(Operation::kCreate, "tmp/1"),
                          std::pair(Operation::kWrite, "tmp/1"), std::pair(Operation::kSyncFile, "tmp/1"),
                          std::pair(Operation::kRename, "2026/checkpoint"),
                          // The name of the new folder stands in the log folder itself.
                          std::pair(Operation::kSyncFolder, ""), std::pair(Operation::kSyncFolder, "2026")));
  done.clear();
  ASSERT_THAT(folder->Sync(), IsOk());
  EXPECT_THAT(done, IsEmpty()) << "nothing is left to sync";
}

TEST_F(LogFolderTest, AnErrorLeavesTheOldContent) {
  for (const Operation broken :
       {Operation::kCreate, Operation::kWrite, Operation::kSyncFile, Operation::kRename}) {
    bool failing = false;
    const auto folder = Open([&](Operation operation, const std::string&) {
      return failing && operation == broken
                 ? base::Error(absl::StatusCode::kUnavailable, reason::kStorageFailed, "no space")
                 : absl::OkStatus();
    });
    ASSERT_THAT(folder->Write("2026/checkpoint", "old"), IsOk());
    failing = true;
    EXPECT_THAT(folder->Write("2026/checkpoint", "new"), HasReason(reason::kStorageFailed));
    EXPECT_THAT(folder->Read("2026/checkpoint", 99), IsOkAndHolds("old"));
    EXPECT_TRUE(std::filesystem::is_empty(here_.File("log/tmp"))) << "the unfinished file is removed";
  }
}

TEST_F(LogFolderTest, AFolderThatWasNotSyncedIsSyncedTheNextTime) {
  bool failing = true;
  int synced = 0;
  const auto folder = Open([&](Operation operation, const std::string&) {
    if (operation != Operation::kSyncFolder) return absl::OkStatus();
    if (failing) return base::Error(absl::StatusCode::kUnavailable, reason::kStorageFailed, "I/O error");
    ++synced;
    return absl::OkStatus();
  });
  ASSERT_THAT(folder->Write("2026/checkpoint", "whole"), IsOk());
  EXPECT_THAT(folder->Sync(), HasReason(reason::kStorageFailed));
  failing = false;
  EXPECT_THAT(folder->Sync(), IsOk());
  EXPECT_EQ(synced, 2);
}

TEST_F(LogFolderTest, UpdateChangesWhatIsThere) {
  const auto folder = Open();
  const auto add = [&](const std::string& line) {
    return folder->Update("2026/checkpoint",
                          [&](const std::string& now) -> absl::StatusOr<std::string> { return now + line; });
  };
  EXPECT_THAT(add("a"), IsOk());
  EXPECT_THAT(add("b"), IsOk());
  EXPECT_THAT(folder->Read("2026/checkpoint", 99), IsOkAndHolds("ab"));
  EXPECT_EQ(folder
                ->Update("2026/checkpoint",
                         [](const std::string&) -> absl::StatusOr<std::string> {
                           return absl::AbortedError("a newer one stands there");
                         })
                .code(),
            absl::StatusCode::kAborted);
  EXPECT_THAT(folder->Read("2026/checkpoint", 99), IsOkAndHolds("ab"));
}

TEST_F(LogFolderTest, TheGroupMayReadAndNobodyElse) {
  const mode_t before = umask(077);
  const auto folder = Open();
  ASSERT_THAT(folder->Write("2026/tile/0/000", "bytes"), IsOk());
  umask(before);
  struct stat info = {};
  ASSERT_EQ(stat(here_.File("log/2026/tile/0/000").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640);
  ASSERT_EQ(stat(here_.File("log/2026/tile").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0750);
}

TEST_F(LogFolderTest, RemovingAFolderTakesItsFilesAndMayBeRepeated) {
  const auto folder = Open();
  ASSERT_THAT(folder->Write("2026/tile/0/000.p/7", "bytes"), IsOk());
  ASSERT_THAT(folder->Write("2026/tile/0/000.p/8", "bytes"), IsOk());
  EXPECT_THAT(folder->RemoveFolder("2026/tile/0/000.p"), IsOk());
  EXPECT_THAT(folder->RemoveFolder("2026/tile/0/000.p"), IsOk());
  EXPECT_FALSE(std::filesystem::exists(here_.File("log/2026/tile/0/000.p")));
  EXPECT_THAT(folder->Sync(), IsOk());
}

TEST_F(LogFolderTest, OnlyYearsAreLogs) {
  const auto folder = Open();
  for (const char* const name : {"2027/a", "2026/a", "026/a", "20261/a", "2O26/a"}) {
    ASSERT_THAT(folder->Write(name, ""), IsOk());
  }
  const auto years = YearsIn(folder->path());
  ASSERT_THAT(years, IsOk());
  EXPECT_THAT(*years, ElementsAre(2026, 2027));
  const auto none = YearsIn(here_.File("missing"));
  ASSERT_THAT(none, IsOk());
  EXPECT_THAT(*none, IsEmpty());
}

}  // namespace
}  // namespace raakvlak::log
