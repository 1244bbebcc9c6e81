#include "policy/keyset/key_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

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

TEST_F(KeyFilesTest, MessagesNameTheFileAndNotItsContent) {
  const absl::Status status = ReadVaultKey(Put("vault.key", "hush-hush")).status();
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("vault.key"));
  EXPECT_THAT(std::string(status.message()), ::testing::Not(::testing::HasSubstr("hush")));
  EXPECT_THAT(ReadSigningKey(Put("b.pem", "hush-hush")), HasReason(reason::kMalformed));
}

}  // namespace
}  // namespace raakvlak::policy
