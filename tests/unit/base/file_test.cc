#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::base {
namespace {

using testing::HasReason;
using testing::IsOk;

class FileTest : public ::testing::Test {
 protected:
  testing::TemporaryFolder folder_;
};

TEST_F(FileTest, WrittenFileIsReadBackWithItsMode) {
  const std::string path = folder_.File("a");
  ASSERT_THAT(WriteFileAtomically(path, "content", 0640), IsOk());
  ASSERT_THAT(WriteFileAtomically(path, "other", 0640), IsOk());
  EXPECT_EQ(*ReadFile(path), "other");
  struct stat info = {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
}

TEST_F(FileTest, MissingAndTooLargeFilesAreNamed) {
  EXPECT_THAT(ReadFile(folder_.File("none")), HasReason(reason::kFileUnreadable));
  ASSERT_THAT(WriteFileAtomically(folder_.File("big"), std::string(100, 'x'), 0600), IsOk());
  EXPECT_THAT(ReadFile(folder_.File("big"), 99), HasReason(reason::kTooLarge));
}

TEST_F(FileTest, SecretOpenToOthersIsRefused) {
  const std::string path = folder_.File("key");
  ASSERT_THAT(WriteFileAtomically(path, "secret", 0600), IsOk());
  EXPECT_EQ(ReadSecretFile(path)->Reveal(RevealSecret{}), "secret");
  for (const mode_t mode : {0640, 0604, 0660, 0610}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_THAT(ReadSecretFile(path), HasReason(reason::kFileUnsafe)) << mode;
  }
}

TEST_F(FileTest, SecretBehindASymbolicLinkIsRefused) {
  ASSERT_THAT(WriteFileAtomically(folder_.File("key"), "secret", 0600), IsOk());
  ASSERT_EQ(symlink("key", folder_.File("link").c_str()), 0);
  EXPECT_THAT(ReadSecretFile(folder_.File("link")), HasReason(reason::kFileUnsafe));
  EXPECT_THAT(ReadSecretFile(folder_.path()), HasReason(reason::kFileUnsafe));
}

TEST_F(FileTest, FailedWriteLeavesTheOldFileAndNoTemporary) {
  ASSERT_EQ(mkdir(folder_.File("target").c_str(), 0700), 0);
  EXPECT_THAT(WriteFileAtomically(folder_.File("target"), "x", 0600), HasReason(reason::kStorageFailed));
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path())) ++files;
  EXPECT_EQ(files, 1);
}

TEST_F(FileTest, FolderIsLockedOnce) {
  ASSERT_THAT(LockFolder(folder_.File("state")), IsOk());
  // A second descriptor in the same process stands for a second process.
  EXPECT_THAT(LockFolder(folder_.File("state")), HasReason(reason::kAlreadyRunning));
}

TEST_F(FileTest, WhatIsRemovedIsGoneAndWhatIsNotThereIsNoError) {
  const std::string path = folder_.File("share");
  ASSERT_THAT(WriteFileAtomically(path, "content", 0600), IsOk());
  EXPECT_THAT(RemoveFile(path), IsOk());
  EXPECT_THAT(ReadFile(path), HasReason(reason::kFileUnreadable));
  EXPECT_THAT(RemoveFile(path), IsOk());
  EXPECT_THAT(RemoveFile(folder_.path()), HasReason(reason::kStorageFailed));
}

}  // namespace
}  // namespace raakvlak::base
