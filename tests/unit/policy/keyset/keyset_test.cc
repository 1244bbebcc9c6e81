#include "policy/keyset/keyset.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "crypto/seal/seal.h"
#include "tests/support/region.h"
#include "tests/support/split.h"

namespace raakvlak::policy {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::HasSubstr;

class KeysetTest : public ::testing::Test {
 protected:
  KeysetTest() { Reload(); }

  void Reload() {
    region_.Write();
    auto covenant = Covenant::Verify(*base::ReadFile(region_.covenant_path()));
    ASSERT_THAT(covenant, IsOk());
    covenant_ = *covenant;
    chain_ = CovenantChain::Create({covenant_});
    sharing_ = *raakvlak::testing::Split(crypto::group::Scalar::Random(random_), 3, {1, 2, 3, 4}, random_);
    text_ =
        KeysetText{.region = "maastricht",
                   .purpose = "risicojeugd",
                   .identifier_class = 1,
                   .epoch = 1,
                   .generation = 1,
                   .replaces = "",
                   .quorum = 3,
                   .covenant_id = covenant_->id(),
                   .transcript_hash = std::string(32, 't'),
                   .holders = {{1, "politie"}, {2, "gemeente"}, {3, "jeugdzorg"}, {4, "woningcorporatie"}},
                   .commitments = sharing_.commitments};
  }
  std::string Signed(const std::string& text, const std::string& without = "") {
    crypto::note::Note note{text, {}};
    for (const char* partner : {"politie", "gemeente", "jeugdzorg", "woningcorporatie"}) {
      if (partner == without) continue;
      const std::string urn = TestRegion::Urn("node", partner);
      const auto& key = region_.KeyOf(urn);
      crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
    }
    return crypto::note::Format(note);
  }
  std::string File() { return Signed(FormatKeysetText(text_)); }
  std::shared_ptr<const Keyset> Good() { return *Keyset::Verify(File(), *chain_); }
  // Verifies `text_` signed by all holders.
  absl::Status VerifyText() { return Keyset::Verify(File(), *chain_).status(); }

  TestRegion region_;
  base::testing::SeededRandom random_{11};
  std::shared_ptr<const Covenant> covenant_;
  std::shared_ptr<const CovenantChain> chain_;
  raakvlak::testing::Sharing sharing_;
  KeysetText text_;
};

TEST_F(KeysetTest, FormatAndParseAreInverses) {
  const std::string text = FormatKeysetText(text_);
  const auto parsed = ParseKeysetText(text);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(FormatKeysetText(*parsed), text);
  EXPECT_EQ(parsed->purpose, "risicojeugd");
  EXPECT_EQ(parsed->holders, text_.holders);
  EXPECT_EQ(parsed->commitments, text_.commitments);
  EXPECT_THAT(text,
              ::testing::StartsWith("raakvlak/v1/keyset\nregion maastricht\npurpose risicojeugd\nclass 1\n"));
}

TEST_F(KeysetTest, WhatParsesIsWhatFormatWrites) {
  const std::string text = FormatKeysetText(text_);
  std::mt19937 engine(7);
  const std::string alphabet = "\n 0123456789abcdefXYZ/+=-\xC3" + std::string(1, '\0');
  int parsed_count = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = text;
    const size_t at = engine() % changed.size();
    switch (engine() % 4) {
      case 0:
        changed[at] = alphabet[engine() % alphabet.size()];
        break;
      case 1:
        changed.insert(at, 1, alphabet[engine() % alphabet.size()]);
        break;
      case 2:
        changed.erase(at, 1 + engine() % 3);
        break;
      default: {  // a line moves
        const size_t start = changed.rfind('\n', at) + 1;
        const size_t end = changed.find('\n', start);
        const std::string line = changed.substr(start, end - start + 1);
        changed.erase(start, line.size());
        changed.insert(changed.rfind('\n', engine() % changed.size()) + 1, line);
      }
    }
    const auto parsed = ParseKeysetText(changed);
    if (!parsed.ok()) {
      EXPECT_THAT(parsed, HasReason(reason::kKeysetInvalid));
      continue;
    }
    ++parsed_count;
    ASSERT_EQ(FormatKeysetText(*parsed), changed) << "round " << round << ", seed 7";
  }
  EXPECT_GT(parsed_count, 0) << "some changes, of digits and names, still parse";
}

TEST_F(KeysetTest, OtherSpellingsAreRefused) {
  const std::string text = FormatKeysetText(text_);
  const auto parse = [&](const std::string& from, const std::string& to) {
    const std::string changed = absl::StrReplaceAll(text, {{from, to}});
    EXPECT_NE(changed, text) << from;
    return ParseKeysetText(changed);
  };
  EXPECT_THAT(parse("epoch 1", "epoch 01"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("epoch 1", "epoch +1"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("epoch 1", "epoch  1"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("epoch 1", "epoch 4294967296"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("class 1", "class 0"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("class 1", "class 4"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("class 1", "class 257"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("transcript 74", "transcript 7A"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("holder 1 politie\n", "holder 2 politie\n"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(parse("raakvlak/v1/keyset", "raakvlak/v2/keyset"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(ParseKeysetText(""), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(ParseKeysetText(text + "\n"), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(ParseKeysetText(text + std::string(20'000, 'x')), HasReason(reason::kKeysetInvalid));
}

TEST_F(KeysetTest, IdentityAndInvalidCommitmentsAreRefused) {
  const std::string text = FormatKeysetText(text_);
  const std::string good = base::Base64(text_.commitments[1].bytes());
  std::string high_bit = text_.commitments[1].Encode();
  high_bit[31] = static_cast<char>(high_bit[31] | 0x80);
  for (const std::string& bad :
       {std::string(32, '\0'), std::string(32, '\xFF'), high_bit, std::string(31, '\1')}) {
    EXPECT_THAT(ParseKeysetText(absl::StrReplaceAll(text, {{good, base::Base64(bad)}})),
                HasReason(reason::kKeysetInvalid));
  }
}

TEST_F(KeysetTest, SignedByAllHoldersVerifiesAndPublicSharesFollowFromTheCommitments) {
  const auto keyset = Good();
  EXPECT_EQ(keyset->id(), base::Sha256(FormatKeysetText(text_)));
  EXPECT_TRUE(keyset->public_key() == sharing_.commitments[0]);
  ASSERT_EQ(keyset->holders().size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(keyset->holders()[i].index, i + 1);
    EXPECT_TRUE(keyset->holders()[i].public_share == crypto::group::Element::MulBase(sharing_.shares[i]));
  }
  ASSERT_NE(keyset->FindHolder("jeugdzorg"), nullptr);
  EXPECT_EQ(keyset->FindHolder("jeugdzorg")->index, 3u);
  EXPECT_EQ(keyset->FindHolder("anders"), nullptr);
}

TEST_F(KeysetTest, EachMissingHolderIsNamed) {
  for (const auto& [index, partner] : text_.holders) {
    const auto result = Keyset::Verify(Signed(FormatKeysetText(text_), partner), *chain_);
    EXPECT_THAT(result, HasReason(reason::kSignatureInvalid));
    EXPECT_THAT(std::string(result.status().message()), HasSubstr(TestRegion::Urn("node", partner)));
  }
}

TEST_F(KeysetTest, NoByteOfTheFileCanBeChanged) {
  const std::string file = File();
  std::mt19937 engine(1);
  for (size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (engine() % 8)));
    EXPECT_FALSE(Keyset::Verify(changed, *chain_).ok()) << "byte " << i << ", seed 1";
  }
}

TEST_F(KeysetTest, WhatDoesNotFitTheCovenantIsRefusedAlsoWhenAllSigned) {
  struct Case {
    const char* name;
    const char* reason;
    std::function<void(KeysetText&)> spoil;
  };
  const std::vector<Case> cases = {
      {"region", reason::kCovenantMismatch, [](auto& t) { t.region = "almere"; }},
      {"purpose", reason::kCovenantMismatch, [](auto& t) { t.purpose = "anders"; }},
      {"epoch", reason::kCovenantMismatch, [](auto& t) { t.epoch = 2; }},
      {"covenant", reason::kCovenantMismatch, [](auto& t) { t.covenant_id = std::string(32, 'c'); }},
      {"class that no rule uses", reason::kKeysetInvalid, [](auto& t) { t.identifier_class = 3; }},
      {"quorum below the covenant's", reason::kKeysetInvalid,
       [](auto& t) {
         t.quorum = 2;
         t.commitments.pop_back();
       }},
      {"fewer commitments than the quorum", reason::kKeysetInvalid,
       [](auto& t) { t.commitments.pop_back(); }},
      {"more commitments than the quorum", reason::kKeysetInvalid,
       [](auto& t) { t.commitments.push_back(t.commitments[0]); }},
      {"no commitments", reason::kKeysetInvalid, [](auto& t) { t.commitments.clear(); }},
      {"a holder less", reason::kKeysetInvalid, [](auto& t) { t.holders.pop_back(); }},
      {"no holders", reason::kKeysetInvalid, [](auto& t) { t.holders.clear(); }},
      {"a holder of no partner", reason::kKeysetInvalid, [](auto& t) { t.holders[0].second = "anders"; }},
      {"index zero", reason::kKeysetInvalid, [](auto& t) { t.holders[0].first = 0; }},
      {"an index of another partner", reason::kKeysetInvalid,
       [](auto& t) { std::swap(t.holders[0].second, t.holders[1].second); }},
  };
  ASSERT_THAT(VerifyText(), IsOk());
  for (const Case& test_case : cases) {
    const KeysetText good = text_;
    test_case.spoil(text_);
    EXPECT_THAT(VerifyText(), HasReason(test_case.reason)) << test_case.name;
    text_ = good;
  }
}

TEST_F(KeysetTest, CommitmentsWhosePublicShareIsTheIdentityAreRefused) {
  // A_0 + 2 A_1 + 4 A_2 = 0 for A_0 = -8 G, A_1 = 2 G, A_2 = G: holder 2 would have the share 0.
  using crypto::group::Element;
  using crypto::group::Scalar;
  text_.commitments = {Element::MulBase(Scalar() - Scalar::FromUint64(8)),
                       Element::MulBase(Scalar::FromUint64(2)), Element::Generator()};
  const absl::Status status = VerifyText();
  EXPECT_THAT(status, HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr("gemeente"));
}

TEST_F(KeysetTest, AKeysetIsJudgedByTheCovenantThatItNames) {
  const std::string old_file = File();
  const std::shared_ptr<const Covenant> first = covenant_;
  v1::Covenant& covenant = region_.covenant();
  covenant.set_version(2);
  covenant.set_supersedes(base::Hex(first->id()));
  v1::Partner partner = covenant.partners(1);
  partner.set_id("reclassering");
  partner.set_organisation("KVK:00000077");
  partner.set_index(9);
  region_.GiveKeys(partner);
  *covenant.add_partners() = partner;
  Reload();
  EXPECT_THAT(Keyset::Verify(old_file, *chain_), HasReason(reason::kCovenantMismatch));
  chain_ = CovenantChain::Create({first, covenant_});
  EXPECT_THAT(Keyset::Verify(old_file, *chain_), IsOk()) << "who joined needs no share of older keys";
  EXPECT_THAT(VerifyText(), HasReason(reason::kKeysetInvalid)) << "new keys are for all";
}

TEST_F(KeysetTest, OnlyAKeyThatStayedReplacesAKeyset) {
  const std::string text = FormatKeysetText(text_);
  const auto with = [&](const std::string& generation, const std::string& replaces) {
    return ParseKeysetText(absl::StrReplaceAll(
        text, {{"generation 1\nreplaces -\n",
                absl::StrCat("generation ", generation, "\nreplaces ", replaces, "\n")}}));
  };
  const std::string other = base::Hex(std::string(32, 'r'));
  const auto invalid = HasReason(reason::kKeysetInvalid);
  EXPECT_THAT(with("1", other), invalid);
  EXPECT_THAT(with("0", "-"), invalid);
  EXPECT_THAT(with("0", other), invalid);
  EXPECT_THAT(with("2", "-"), invalid);
  EXPECT_THAT(with("2", other.substr(2)), invalid);
  const auto second = with("2", other);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->generation, 2u);
  EXPECT_EQ(second->replaces, std::string(32, 'r'));
}

TEST_F(KeysetTest, PartnersOfOneOrganisationHaveOneHolder) {
  region_.covenant().mutable_partners(3)->set_organisation(region_.covenant().partners(0).organisation());
  region_.covenant().mutable_partners(3)->set_index(1);
  Reload();
  EXPECT_THAT(VerifyText(), HasReason(reason::kKeysetInvalid));
  text_.holders.pop_back();
  EXPECT_THAT(VerifyText(), IsOk());
}

class ShareTest : public KeysetTest {
 protected:
  absl::Status Write(const std::string& partner, const crypto::group::Scalar& share) {
    return WriteShare(folder_.path(), *keyset_, partner, share, vault_key_, random_);
  }
  absl::StatusOr<crypto::group::Scalar> Read(const std::string& partner) {
    return ReadShare(folder_.path(), *keyset_, partner, vault_key_);
  }
  std::string Path() { return folder_.File(base::Hex(keyset_->id()) + ".share"); }

  base::testing::TemporaryFolder folder_;
  std::shared_ptr<const Keyset> keyset_ = Good();
  base::SecretBytes vault_key_{std::string(32, 'v')};
};

TEST_F(ShareTest, WrittenShareReadsBackAndDoesNotLieInTheClear) {
  ASSERT_THAT(Write("gemeente", sharing_.shares[1]), IsOk());
  const auto share = Read("gemeente");
  ASSERT_THAT(share, IsOk());
  EXPECT_TRUE(*share == sharing_.shares[1]);
  const std::string file = *base::ReadFile(Path());
  EXPECT_EQ(file.size(), 24u + 32u + 16u);
  EXPECT_THAT(file, ::testing::Not(HasSubstr(sharing_.shares[1].Encode())));
  struct stat status = {};
  ASSERT_EQ(stat(Path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(ShareTest, ShareOfAnotherHolderIsRefused) {
  EXPECT_THAT(Write("gemeente", sharing_.shares[0]), HasReason(reason::kVerificationFailed));
  ASSERT_THAT(Write("gemeente", sharing_.shares[1]), IsOk());
  EXPECT_THAT(Read("politie"), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Read("anders"), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Write("anders", sharing_.shares[1]), HasReason(reason::kVerificationFailed));
}

// As one would write it who has the vault key: docs/format/keyset.md.
TEST_F(ShareTest, ShareThatDoesNotFitTheCommitmentsIsRefusedAlsoWhenItDecrypts) {
  const auto write = [&](const crypto::group::Scalar& share) {
    const std::string context =
        absl::StrCat(base::LengthPrefixed("raakvlak/v1/share"), keyset_->id(), base::BigEndian(2, 4));
    return base::WriteFileAtomically(
        Path(),
        crypto::seal::EncryptAtRest(crypto::seal::DeriveAtRestKey(vault_key_, "share"), share.Encode(),
                                    context, random_),
        0600);
  };
  ASSERT_THAT(write(sharing_.shares[1]), IsOk());
  ASSERT_THAT(Read("gemeente"), IsOk());
  ASSERT_THAT(write(sharing_.shares[0]), IsOk());
  EXPECT_THAT(Read("gemeente"), HasReason(reason::kVerificationFailed));
}

TEST_F(ShareTest, OtherVaultKeyIsRefused) {
  ASSERT_THAT(Write("gemeente", sharing_.shares[1]), IsOk());
  EXPECT_THAT(ReadShare(folder_.path(), *keyset_, "gemeente", base::SecretBytes(std::string(32, 'w'))),
              HasReason(reason::kVerificationFailed));
}

TEST_F(ShareTest, FileOfAnotherKeysetIsRefused) {
  ASSERT_THAT(Write("gemeente", sharing_.shares[1]), IsOk());
  const std::string first = Path();
  Reload();
  keyset_ = Good();
  std::filesystem::copy_file(first, Path());
  EXPECT_THAT(Read("gemeente"), HasReason(reason::kVerificationFailed));
}

TEST_F(ShareTest, ChangedFileIsRefused) {
  ASSERT_THAT(Write("gemeente", sharing_.shares[1]), IsOk());
  const std::string good = *base::ReadFile(Path());
  for (size_t i = 0; i < good.size(); i += 5) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    ASSERT_THAT(base::WriteFileAtomically(Path(), changed, 0600), IsOk());
    EXPECT_THAT(Read("gemeente"), HasReason(reason::kVerificationFailed)) << i;
  }
  ASSERT_THAT(base::WriteFileAtomically(Path(), "", 0600), IsOk());
  EXPECT_THAT(Read("gemeente"), HasReason(reason::kVerificationFailed));
}

TEST_F(ShareTest, MissingAndOpenFilesAreToldApart) {
  EXPECT_THAT(Read("gemeente"), HasReason(reason::kFileUnreadable));
  ASSERT_THAT(Write("gemeente", sharing_.shares[1]), IsOk());
  ASSERT_EQ(chmod(Path().c_str(), 0640), 0);
  EXPECT_THAT(Read("gemeente"), HasReason(reason::kFileUnsafe));
}

class KeysetStoreTest : public KeysetTest {
 protected:
  std::string Put(const std::string& file) {
    const std::string path = folder_.File(absl::StrCat(++count_, ".keyset"));
    EXPECT_THAT(base::WriteFileAtomically(path, file, 0644), IsOk());
    return path;
  }
  base::testing::TemporaryFolder folder_;
  int count_ = 0;
};

TEST_F(KeysetStoreTest, KeysetsAreFoundByIdAndByPurposeAndClass) {
  Put(File());
  const std::string bsn_id = Good()->id();
  text_.identifier_class = 2;
  Put(File());
  ASSERT_THAT(base::WriteFileAtomically(folder_.File("readme.txt"), "nothing", 0644), IsOk());
  const auto store = KeysetStore::Load(folder_.path(), *chain_);
  ASSERT_THAT(store, IsOk());
  EXPECT_EQ(store->size(), 2u);
  ASSERT_NE(store->Find(bsn_id), nullptr);
  EXPECT_EQ(store->Find(bsn_id)->text().identifier_class, 1);
  EXPECT_EQ(store->Find(std::string(32, 'x')), nullptr);
  ASSERT_NE(store->Newest("risicojeugd", 2, 1), nullptr);
  EXPECT_EQ(store->Newest("risicojeugd", 2, 1)->text().identifier_class, 2);
  EXPECT_EQ(store->Newest("risicojeugd", 2, 2), nullptr);
  EXPECT_EQ(store->Newest("risicojeugd", 3, 1), nullptr);
  EXPECT_EQ(store->Newest("onaantastbaren", 1, 1), nullptr);
  EXPECT_EQ(store->Without(bsn_id).Find(bsn_id), nullptr);
  EXPECT_EQ(store->Without(bsn_id).size(), 1u);
}

TEST_F(KeysetStoreTest, TheHighestGenerationIsTheNewest) {
  const auto first = Good();
  text_.replaces = first->id();
  text_.generation = 3;
  const auto third = Good();
  text_.generation = 2;
  const auto second = Good();
  KeysetStore store;
  for (const auto& keyset : {first, third, second, first}) {
    const auto more = store.With(keyset);
    ASSERT_THAT(more, IsOk());
    store = *more;
  }
  EXPECT_EQ(store.size(), 3u);
  EXPECT_EQ(store.Newest("risicojeugd", 1, 1), third);
  EXPECT_EQ(store.Without(third->id()).Newest("risicojeugd", 1, 1), second);
}

TEST_F(KeysetStoreTest, TwoKeysetsOfOneGenerationAreRefused) {
  Put(File());
  text_.transcript_hash = std::string(32, 'u');
  const std::string second = Put(File());
  const auto store = KeysetStore::Load(folder_.path(), *chain_);
  EXPECT_THAT(store, HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(std::string(store.status().message()), HasSubstr(second));
}

TEST_F(KeysetStoreTest, AKeyStaysTheSameForItsEpoch) {
  const auto first = Good();
  text_.generation = 2;
  text_.replaces = first->id();
  text_.commitments =
      raakvlak::testing::Split(crypto::group::Scalar::Random(random_), 3, {1, 2, 3, 4}, random_)->commitments;
  const auto other = Good();
  const auto store = KeysetStore().With(first);
  EXPECT_THAT(store->With(other), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(KeysetStore().With(other)->With(first), HasReason(reason::kKeysetInvalid));
  text_.identifier_class = 2;
  EXPECT_THAT(store->With(Good()), IsOk()) << "another key";
}

TEST_F(KeysetStoreTest, AnEarlierCovenantsHoldersDoNotTakeAKeyBack) {
  const auto first = Good();
  text_.replaces = first->id();
  text_.generation = 9;
  const auto of_earlier = Good();
  const std::shared_ptr<const Covenant> earlier = covenant_;
  region_.covenant().set_version(2);
  region_.covenant().set_supersedes(base::Hex(earlier->id()));
  const KeysetText text = text_;
  Reload();
  chain_ = CovenantChain::Create({earlier, covenant_});
  text_ = text;
  text_.covenant_id = covenant_->id();
  text_.generation = 2;
  const auto second = Good();
  EXPECT_EQ(first->covenant_version(), 1u);
  EXPECT_EQ(second->covenant_version(), 2u);
  const auto store = KeysetStore().With(first)->With(second);
  ASSERT_THAT(store, IsOk());
  EXPECT_THAT(store->With(of_earlier), HasReason(reason::kKeysetInvalid));
  EXPECT_THAT(KeysetStore().With(of_earlier)->With(second), HasReason(reason::kKeysetInvalid));
}

TEST_F(KeysetStoreTest, FirstFileThatDoesNotVerifyIsNamed) {
  Put(File());
  const std::string bad = Put(Signed(FormatKeysetText(text_), "politie"));
  const auto store = KeysetStore::Load(folder_.path(), *chain_);
  EXPECT_THAT(store, HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(std::string(store.status().message()), HasSubstr(bad));
}

TEST_F(KeysetStoreTest, MissingFolderIsToldAndAnEmptyOneIsEmpty) {
  EXPECT_THAT(KeysetStore::Load(folder_.File("none"), *chain_), HasReason(reason::kFileUnreadable));
  const auto store = KeysetStore::Load(folder_.path(), *chain_);
  ASSERT_THAT(store, IsOk());
  EXPECT_EQ(store->size(), 0u);
}

}  // namespace
}  // namespace raakvlak::policy
