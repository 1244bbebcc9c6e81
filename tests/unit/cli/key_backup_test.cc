// `raakvlak key backup|restore` on the files of a made node.
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/testing/status_matchers.h"
#include "cli/app.h"
#include "crypto/note/note.h"
#include "gmock/gmock.h"
#include "policy/keyset/key_files.h"
#include "policy/keyset/keyset.h"
#include "policy/note_folder.h"
#include "policy/text.h"
#include "tests/support/region.h"
#include "tests/support/split.h"

namespace raakvlak::cli {
namespace {

using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPassphrase[] = "correct horse battery\n";

class KeyBackupTest : public ::testing::Test {
 protected:
  KeyBackupTest() {
    region_.Write();
    covenant_ = *policy::Covenant::Verify(*base::ReadFile(region_.covenant_path()));
    chain_ = policy::CovenantChain::Create({covenant_});
    for (const char* folder : {"keysets", "shares"}) std::filesystem::create_directory(Path(folder));
    EXPECT_THAT(policy::WriteVaultKey(Path("vault"), vault_), IsOk());
    Write("pass", kPassphrase);
    Write("node.textproto",
          absl::StrCat("common { covenant: \"", region_.covenant_path(), "\" state: \"", Path("state"),
                       "\" }\npartner: \"gemeente\"\nvault_key: \"", Path("vault"), "\"\nkeysets: \"",
                       Path("keysets"), "\"\nshares: \"", Path("shares"), "\"\n"));
    keyset_ = AddKeyset(1, "");
  }

  std::string Path(const std::string& name) const { return folder_.File(name); }
  void Write(const std::string& name, const std::string& content) const {
    ASSERT_THAT(base::WriteFileAtomically(Path(name), content, 0600), IsOk());
  }
  std::string ShareFile() const { return Path("shares/" + base::Hex(keyset_->id()) + ".share"); }

  // Puts a keyset of risicojeugd, BSN, and the share of gemeente, into the folders.
  std::shared_ptr<const policy::Keyset> AddKeyset(uint32_t generation, const std::string& replaces) {
    const auto holders = policy::KeyHolders(covenant_->text());
    std::vector<uint32_t> indices;
    for (const auto& [index, partner] : holders) indices.push_back(index);
    const auto sharing = *raakvlak::testing::Split(key_, covenant_->text().quorum(), indices, random_);
    policy::KeysetText text{.region = covenant_->region(),
                            .purpose = "risicojeugd",
                            .identifier_class = v1::BSN,
                            .epoch = 1,
                            .generation = generation,
                            .replaces = replaces,
                            .quorum = covenant_->text().quorum(),
                            .covenant_id = covenant_->id(),
                            .transcript_hash = random_.Bytes(32),
                            .holders = {holders.begin(), holders.end()},
                            .commitments = sharing.commitments};
    crypto::note::Note note{policy::FormatKeysetText(text), {}};
    for (const auto& [index, partner] : holders) {
      const std::string urn = TestRegion::Urn("node", partner);
      crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, covenant_->PartnerKey(partner)),
                         region_.KeyOf(urn));
    }
    const std::string file = crypto::note::Format(note);
    auto keyset = *policy::Keyset::Verify(file, *chain_);
    Write("keysets/" + base::Hex(keyset->id()) + ".keyset", file);
    for (size_t i = 0; i < indices.size(); ++i) {
      if (holders.at(indices[i]) != "gemeente") continue;
      EXPECT_THAT(policy::WriteShare(Path("shares"), *keyset, "gemeente", sharing.shares[i], vault_, random_),
                  IsOk());
    }
    return keyset;
  }

  ExitCode Run(std::vector<std::string> arguments) {
    std::istringstream in;
    std::ostringstream out, err;
    const Environment environment{in, out, err, region_.clock(), random_, false, nullptr};
    const ExitCode code = RunRaakvlak(std::move(arguments), environment);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  ExitCode BackUp(const std::string& out = "backup") {
    return Run({"key", "backup", "--config", Path("node.textproto"), "--purpose", "risicojeugd", "--class",
                "BSN", "--passphrase-file", Path("pass"), "--out", Path(out)});
  }
  ExitCode Restore() {
    return Run({"--json", "key", "restore", "--config", Path("node.textproto"), "--passphrase-file",
                Path("pass"), "--in", Path("backup")});
  }

  TestRegion region_;
  base::testing::TemporaryFolder folder_;
  base::testing::SeededRandom random_{77};
  base::SecretBytes vault_ = base::SecretBytes::Generate(random_, 32);
  const crypto::group::Scalar key_ = crypto::group::Scalar::Random(random_);
  std::shared_ptr<const policy::Covenant> covenant_;
  std::shared_ptr<const policy::CovenantChain> chain_;
  std::shared_ptr<const policy::Keyset> keyset_;
  std::string out_, err_;
};

TEST_F(KeyBackupTest, AShareThatWasLostComesBackUnderItsPassphrase) {
  ASSERT_EQ(BackUp(), ExitCode::kOk) << err_;
  EXPECT_THAT(out_, HasSubstr("backed up: share of risicojeugd BSN, epoch 1, generation 1: "));
  struct stat info = {};
  ASSERT_EQ(stat(Path("backup").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto share = policy::ReadShare(Path("shares"), *keyset_, "gemeente", vault_);
  ASSERT_THAT(share, IsOk());
  std::filesystem::remove(ShareFile());
  ASSERT_EQ(Restore(), ExitCode::kOk) << err_;
  EXPECT_EQ(nlohmann::json::parse(out_)["keyset"], base::Hex(keyset_->id()));
  const auto back = policy::ReadShare(Path("shares"), *keyset_, "gemeente", vault_);
  ASSERT_THAT(back, IsOk());
  EXPECT_TRUE(*back == *share);
}

TEST_F(KeyBackupTest, ANodeWhoseVaultKeyIsAPassphraseBacksUpToo) {
  Write("vault.pass", "battery staple correct\n");
  vault_ = *policy::ReadVaultKey("passphrase:" + Path("vault.pass"), TestRegion::Urn("node", "gemeente"));
  Write("node.textproto",
        absl::StrReplaceAll(*base::ReadFile(Path("node.textproto")),
                            {{Path("vault") + "\"", "passphrase:" + Path("vault.pass") + "\""}}));
  std::filesystem::remove(ShareFile());
  keyset_ = AddKeyset(2, keyset_->id());
  ASSERT_EQ(BackUp(), ExitCode::kOk) << err_;
  std::filesystem::remove(ShareFile());
  ASSERT_EQ(Restore(), ExitCode::kOk) << err_;
  EXPECT_THAT(policy::ReadShare(Path("shares"), *keyset_, "gemeente", vault_), IsOk());
}

TEST_F(KeyBackupTest, AnotherPassphraseRestoresNothing) {
  ASSERT_EQ(BackUp(), ExitCode::kOk) << err_;
  std::filesystem::remove(ShareFile());
  Write("pass", "incorrect horse battery");
  EXPECT_EQ(Restore(), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("VERIFICATION_FAILED"));
  EXPECT_FALSE(std::filesystem::exists(ShareFile()));
}

TEST_F(KeyBackupTest, AShareFromBeforeARefreshIsRefusedAndTheNewOneStays) {
  ASSERT_EQ(BackUp(), ExitCode::kOk) << err_;
  const auto refreshed = AddKeyset(2, keyset_->id());
  EXPECT_EQ(Restore(), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("KEYSET_OUTDATED"));
  EXPECT_THAT(err_, HasSubstr("generation 1, in force is 2"));
  EXPECT_THAT(err_, HasSubstr("--kind reshare"));
  // A backup is of the newest.
  ASSERT_EQ(BackUp("newer"), ExitCode::kOk) << err_;
  EXPECT_THAT(*base::ReadFile(Path("newer")), HasSubstr("keyset " + base::Hex(refreshed->id())));
}

TEST_F(KeyBackupTest, AShareOfAKeysetThatIsNotThereSaysWhatToDo) {
  ASSERT_EQ(BackUp(), ExitCode::kOk) << err_;
  std::filesystem::remove(Path("keysets/" + base::Hex(keyset_->id()) + ".keyset"));
  EXPECT_EQ(Restore(), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("KEYSET_UNKNOWN"));
  EXPECT_THAT(err_, HasSubstr("put the keysets back first"));
  AddKeyset(1, "");
  EXPECT_EQ(Restore(), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("take the newest backup"));
}

TEST_F(KeyBackupTest, CovenantThatArrivedInThePolicyFolderIsKnownAndOneThatDoesNotFollowIsNot) {
  const auto first = covenant_;
  const v1::Covenant before = region_.covenant();
  // A keyset under the covenant that follows, which is in the policy folder only.
  const auto arrive = [&](absl::Duration after) {
    region_.covenant() = before;
    region_.NextCovenant();
    region_.covenant().set_valid_from(policy::FormatUtc(first->valid_from() + after));
    covenant_ = region_.SignedCovenant();
    chain_ = policy::CovenantChain::Create({first, covenant_});
    EXPECT_THAT(policy::AddNote(Path("state/policy"), crypto::note::Format(region_.CovenantNote())), IsOk());
    return AddKeyset(2, keyset_->id());
  };
  std::filesystem::create_directory(Path("state"));
  EXPECT_THAT(policy::AddNote(Path("state/policy"), *base::ReadFile(region_.roster_path())), IsOk());
  const auto refused = arrive(-absl::Hours(24));
  EXPECT_EQ(BackUp(), ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("COVENANT_MISMATCH"));
  std::filesystem::remove(Path("keysets/" + base::Hex(refused->id()) + ".keyset"));

  const auto reshared = arrive(absl::Hours(24));
  ASSERT_EQ(BackUp(), ExitCode::kOk) << err_;
  EXPECT_THAT(*base::ReadFile(Path("backup")), HasSubstr("keyset " + base::Hex(reshared->id())));
}

TEST_F(KeyBackupTest, WhatIsThereIsNotWrittenOverAndWhatIsNotIsTold) {
  ASSERT_EQ(BackUp(), ExitCode::kOk) << err_;
  const std::string before = *base::ReadFile(Path("backup"));
  EXPECT_EQ(BackUp(), ExitCode::kError);
  EXPECT_EQ(*base::ReadFile(Path("backup")), before);
  EXPECT_EQ(Run({"key", "backup", "--config", Path("node.textproto"), "--purpose", "risicojeugd", "--class",
                 "ADDRESS", "--passphrase-file", Path("pass"), "--out", Path("other")}),
            ExitCode::kVerificationFailed);
  EXPECT_THAT(err_, HasSubstr("KEYSET_UNKNOWN"));
  EXPECT_EQ(Run({"key", "backup", "--config", Path("node.textproto"), "--purpose", "risicojeugd", "--class",
                 "BSN", "--epoch", "2", "--passphrase-file", Path("pass"), "--out", Path("other")}),
            ExitCode::kVerificationFailed);
  EXPECT_FALSE(std::filesystem::exists(Path("other")));
}

TEST_F(KeyBackupTest, APassphraseComesFromAFileClosedToOthersOnly) {
  ASSERT_EQ(chmod(Path("pass").c_str(), 0644), 0);
  EXPECT_EQ(BackUp(), ExitCode::kError);
  EXPECT_THAT(err_, HasSubstr("FILE_UNSAFE"));
  Write("pass", "eleven byte\n");
  EXPECT_EQ(BackUp(), ExitCode::kError);
  EXPECT_THAT(err_, HasSubstr("INVALID_ARGUMENT"));
  EXPECT_THAT(err_, Not(HasSubstr("eleven")));
  EXPECT_EQ(Run({"key", "backup", "--config", Path("node.textproto"), "--purpose", "risicojeugd", "--class",
                 "BSN", "--passphrase", "correct horse battery", "--out", Path("backup")}),
            ExitCode::kUsage);
  EXPECT_FALSE(std::filesystem::exists(Path("backup")));
}

}  // namespace
}  // namespace raakvlak::cli
