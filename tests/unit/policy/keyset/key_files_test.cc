#include "policy/keyset/key_files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"

namespace raakvlak::policy {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;

class KeyFilesTest : public ::testing::Test {
 protected:
  std::string Put(const std::string& name, const std::string& content, unsigned mode = 0600) {
    EXPECT_THAT(base::WriteFileAtomically(folder_.File(name), content, mode), IsOk());
    return folder_.File(name);
  }
  static unsigned ModeOf(const std::string& path) {
    struct stat status = {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 0777u;
  }

  base::testing::TemporaryFolder folder_;
  base::testing::SeededRandom random_{3};
};

TEST_F(KeyFilesTest, WrittenKeysReadBackAndAreClosedToOthers) {
  const auto signing = crypto::note::PrivateKey::Generate(random_);
  const std::string pem = folder_.File("signing.pem");
  ASSERT_THAT(WriteSigningKey(pem, signing), IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto read_signing, ReadSigningKey(pem));
  EXPECT_TRUE(read_signing.public_key() == signing.public_key());
  EXPECT_EQ(ModeOf(pem), 0600u);

  const auto vault = base::SecretBytes::Generate(random_, 32);
  const std::string vault_path = folder_.File("vault.key");
  ASSERT_THAT(WriteVaultKey(vault_path, vault), IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto read_vault, ReadVaultKey(vault_path));
  EXPECT_EQ(read_vault.Reveal(base::RevealSecret{}), vault.Reveal(base::RevealSecret{}));
  EXPECT_EQ(ModeOf(vault_path), 0600u);

  const auto pair = crypto::seal::GenerateSealKeyPair(random_);
  const std::string id = crypto::seal::SealKeyId(pair.public_key);
  ASSERT_THAT(WriteSealKey(folder_.path(), pair), IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto read_pair, ReadSealKeyPair(folder_.path(), id));
  EXPECT_EQ(read_pair.public_key, pair.public_key);
  EXPECT_EQ(ModeOf(folder_.File(id + ".seal")), 0600u);
}

TEST_F(KeyFilesTest, VaultKeyIs32BytesInBase64WithOrWithoutANewline) {
  const std::string key = base::Base64(std::string(32, 'k'));
  EXPECT_THAT(ReadVaultKey(Put("a", key + "\n")), IsOk());
  EXPECT_THAT(ReadVaultKey(Put("b", key)), IsOk());
  for (const std::string& bad :
       {std::string(), std::string("\n"), key + "\n\n", " " + key, key.substr(0, 40),
        base::Base64(std::string(31, 'k')), base::Base64(std::string(33, 'k')), std::string(32, 'k')}) {
    EXPECT_THAT(ReadVaultKey(Put("c", bad)), HasReason(reason::kMalformed));
  }
}

TEST_F(KeyFilesTest, FileOpenToOthersIsRefused) {
  const std::string key = base::Base64(std::string(32, 'k'));
  EXPECT_THAT(ReadVaultKey(Put("a", key, 0640)), HasReason(reason::kFileUnsafe));
  EXPECT_THAT(ReadSigningKey(Put("b", "x", 0604)), HasReason(reason::kFileUnsafe));
  Put("0011223344556677.seal", key, 0644);
  EXPECT_THAT(ReadSealKeyPair(folder_.path(), "0011223344556677"), HasReason(reason::kFileUnsafe));
}

TEST_F(KeyFilesTest, MissingFileIsTold) {
  EXPECT_THAT(ReadVaultKey(folder_.File("none")), HasReason(reason::kFileUnreadable));
  EXPECT_THAT(ReadSigningKey(folder_.File("none")), HasReason(reason::kFileUnreadable));
  EXPECT_THAT(ReadSealKeyPair(folder_.path(), "none"), HasReason(reason::kFileUnreadable));
}

TEST_F(KeyFilesTest, SealKeyUnderAnotherIdIsRefused) {
  Put("0011223344556677.seal", base::Base64(std::string(32, 'k')) + "\n");
  EXPECT_THAT(ReadSealKeyPair(folder_.path(), "0011223344556677"), HasReason(reason::kVerificationFailed));
}

TEST_F(KeyFilesTest, ACredentialIsReadFromTheFolderThatSystemdNames) {
  const std::string key = base::Base64(std::string(32, 'k')) + "\n";
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_THAT(ReadVaultKey("credential:vault"), HasReason(reason::kFileUnreadable));
  setenv("CREDENTIALS_DIRECTORY", folder_.path().c_str(), 1);
  Put("vault", key, 0400);
  // As an access control list for the service's user shows.
  Put("listed", key, 0440);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto read, ReadVaultKey("credential:vault"));
  EXPECT_EQ(read.Reveal(base::RevealSecret{}), absl::string_view(std::string(32, 'k')));
  EXPECT_THAT(ReadVaultKey("credential:listed"), IsOk());
  Put("open", key, 0444);
  Put("writable", key, 0460);
  ASSERT_EQ(symlink(folder_.File("vault").c_str(), folder_.File("link").c_str()), 0);
  ASSERT_EQ(mkdir(folder_.File("folder").c_str(), 0700), 0);
  for (const char* name : {"open", "writable", "folder"}) {
    EXPECT_THAT(ReadVaultKey(std::string("credential:") + name), HasReason(reason::kFileUnsafe)) << name;
  }
  Put(".hidden", key, 0400);
  for (const char* name : {"link", "none", "", "folder/../vault", "..", ".hidden"}) {
    EXPECT_THAT(ReadVaultKey(std::string("credential:") + name), HasReason(reason::kFileUnreadable)) << name;
  }
  Put("long", std::string(5000, 'A'), 0400);
  EXPECT_THAT(ReadVaultKey("credential:long"), HasReason(reason::kTooLarge));
  Put("bad", "hush-hush", 0400);
  EXPECT_THAT(ReadVaultKey("credential:bad"), HasReason(reason::kMalformed));
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(KeyFilesTest, ADescriptorIsReadOnceToItsEndAndClosed) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string key = base::Base64(std::string(32, 'k')) + "\n";
  // In two parts, as a pipe may hand it over.
  ASSERT_EQ(write(ends[1], key.data(), 10), 10);
  ASSERT_EQ(write(ends[1], key.data() + 10, key.size() - 10), static_cast<ssize_t>(key.size() - 10));
  close(ends[1]);
  const std::string place = "fd:" + std::to_string(ends[0]);
  EXPECT_THAT(ReadVaultKey(place), IsOk());
  EXPECT_EQ(fcntl(ends[0], F_GETFD), -1);
  EXPECT_THAT(ReadVaultKey(place), HasReason(reason::kFileUnreadable));
  for (const char* bad : {"fd:", "fd:0", "fd:2", "fd:-1", "fd:x"}) {
    EXPECT_THAT(ReadVaultKey(bad), HasReason(reason::kFileUnreadable)) << bad;
  }
}

TEST_F(KeyFilesTest, MessagesNameTheFileAndNotItsContent) {
  const absl::Status status = ReadVaultKey(Put("vault.key", "hush-hush")).status();
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("vault.key"));
  EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr("hush")));
  EXPECT_THAT(ReadSigningKey(Put("b.pem", "hush-hush")), HasReason(reason::kMalformed));
}

TEST_F(KeyFilesTest, AVaultKeyMayComeFromAPassphraseAndIsAnotherForEachNode) {
  const std::string path = Put("passphrase", "correct horse battery\n");
  const std::string politie = "urn:raakvlak:maastricht:node:politie";
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto key, ReadVaultKey("passphrase:" + path, politie));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto again,
                                ReadVaultKey("passphrase:" + Put("other", "correct horse battery"), politie));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto other_node,
                                ReadVaultKey("passphrase:" + path, "urn:raakvlak:maastricht:node:gemeente"));
  EXPECT_EQ(key.size(), 32u);
  EXPECT_EQ(key.Reveal(base::RevealSecret{}), again.Reveal(base::RevealSecret{}));
  EXPECT_NE(key.Reveal(base::RevealSecret{}), other_node.Reveal(base::RevealSecret{}));
  // Made by another program from docs/format/keyset.md: databases depend on it.
  EXPECT_EQ(base::Hex(key.Reveal(base::RevealSecret{})),
            "5fdc45b384edce0289f27b439d25a565ffbcbeff2e5c1fbdc9b75164d5338449");

  EXPECT_THAT(ReadVaultKey("passphrase:" + path), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ReadVaultKey("passphrase:" + Put("short", "eleven byte\n"), politie),
              HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ReadVaultKey("passphrase:" + Put("open", "correct horse battery\n", 0640), politie),
              HasReason(reason::kFileUnsafe));
  std::filesystem::create_symlink(path, folder_.File("link"));
  EXPECT_THAT(ReadVaultKey("passphrase:" + folder_.File("link"), politie), HasReason(reason::kFileUnsafe));
}

}  // namespace
}  // namespace raakvlak::policy
