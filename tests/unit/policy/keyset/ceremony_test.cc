#include "policy/keyset/ceremony.h"

#include <sodium.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "crypto/seal/seal.h"
#include "gtest/gtest.h"
#include "policy/keyset/share_backup.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

namespace ceremony = crypto::ceremony;
using base::testing::HasReason;
using base::testing::IsOk;
using ceremony::Kind;
using raakvlak::testing::TestRegion;

class KeysetCeremonyTest : public ::testing::Test {
 protected:
  KeysetCeremonyTest() { Reload(); }

  void Reload() {
    region_.Write();
    covenant_ = Covenant::Verify(*base::ReadFile(region_.covenant_path())).value();
  }
  static CeremonyScope Scope(Kind kind, std::vector<uint32_t> contributors = {}) {
    return {kind, "risicojeugd", 1, 1, std::move(contributors)};
  }

  // All members follow the rules. Returns the keyset as all of them signed it; `shares_` are then the new
  // ones.
  std::shared_ptr<const Keyset> Run(const ceremony::Parameters& parameters,
                                    const Keyset* old_keyset = nullptr) {
    std::map<uint32_t, ceremony::Participant> participants;
    std::vector<ceremony::SignedMessage> sent;
    for (const ceremony::Member& member : parameters.members()) {
      std::optional<crypto::group::Scalar> old_share;
      if (parameters.kind() != Kind::kGenerate && member.contributes()) old_share = shares_.at(member.index);
      auto made = ceremony::Participant::Create(parameters, member.index,
                                                region_.KeyOf(TestRegion::Urn("node", member.partner)),
                                                old_share, random_);
      EXPECT_THAT(made, IsOk());
      sent.insert(sent.end(), made->Sent().begin(), made->Sent().end());
      participants.emplace(member.index, *std::move(made));
    }
    for (size_t i = 0; i < sent.size(); ++i) {
      for (auto& [index, participant] : participants) {
        const auto more = participant.Receive(sent[i]);
        EXPECT_THAT(more, IsOk());
        sent.insert(sent.end(), more->begin(), more->end());
      }
    }
    crypto::note::Note note;
    for (auto& [index, participant] : participants) {
      note.text = FormatKeysetText(KeysetOf(parameters, participant.outcome().value(), old_keyset));
    }
    shares_.clear();
    for (const ceremony::Member& member : parameters.members()) {
      const std::string urn = TestRegion::Urn("node", member.partner);
      crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, region_.KeyOf(urn).public_key()),
                         region_.KeyOf(urn));
      shares_.emplace(member.index, *participants.at(member.index).outcome()->share);
    }
    auto keyset = Keyset::Verify(crypto::note::Format(note), *CovenantChain::Create({covenant_}));
    EXPECT_THAT(keyset, IsOk());
    return keyset.value();
  }

  TestRegion region_;
  base::testing::SeededRandom random_{12};
  std::shared_ptr<const Covenant> covenant_;
  std::map<uint32_t, crypto::group::Scalar> shares_;
};

TEST_F(KeysetCeremonyTest, WhatComesOutIsAKeysetOfAllHoldersWithTheirShares) {
  const auto parameters = CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr);
  ASSERT_THAT(parameters, IsOk());
  EXPECT_THAT(CheckCeremony(*parameters, *covenant_, nullptr), IsOk());
  const auto keyset = Run(*parameters);
  EXPECT_EQ(keyset->holders().size(), 4u);
  EXPECT_EQ(keyset->quorum(), 3u);
  base::testing::TemporaryFolder folder;
  const base::SecretBytes vault_key = base::SecretBytes::Generate(random_, 32);
  for (const Holder& holder : keyset->holders()) {
    EXPECT_THAT(
        WriteShare(folder.path(), *keyset, holder.partner, shares_.at(holder.index), vault_key, random_),
        IsOk());
  }
}

TEST_F(KeysetCeremonyTest, ARefreshAndAReshareKeepThePublicKeyAndOldSharesDoNotFit) {
  const auto first = Run(CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr).value());
  const auto old_shares = shares_;
  const auto refreshed =
      Run(CeremonyFor(*covenant_, Scope(Kind::kRefresh), first.get()).value(), first.get());
  EXPECT_TRUE(refreshed->public_key() == first->public_key());
  EXPECT_NE(refreshed->id(), first->id());
  // A share restored from before is refused where it is written and where it is read.
  base::testing::TemporaryFolder folder;
  const base::SecretBytes vault_key = base::SecretBytes::Generate(random_, 32);
  EXPECT_THAT(WriteShare(folder.path(), *refreshed, "politie", old_shares.at(1), vault_key, random_),
              HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(WriteShare(folder.path(), *first, "politie", old_shares.at(1), vault_key, random_), IsOk());
  EXPECT_FALSE(ReadShare(folder.path(), *refreshed, "politie", vault_key).ok());

  region_.covenant().set_quorum(2);
  Reload();
  const auto reshare = CeremonyFor(*covenant_, Scope(Kind::kReshare, {1, 2, 4}), refreshed.get());
  ASSERT_THAT(reshare, IsOk());
  EXPECT_THAT(CheckCeremony(*reshare, *covenant_, refreshed.get()), IsOk());
  const auto reshared = Run(*reshare, refreshed.get());
  EXPECT_TRUE(reshared->public_key() == first->public_key());
  EXPECT_EQ(first->text().generation, 1u);
  EXPECT_EQ(refreshed->text().generation, 2u);
  EXPECT_EQ(reshared->text().generation, 3u);
  EXPECT_EQ(reshared->text().replaces, refreshed->id());
  EXPECT_EQ(reshared->quorum(), 2u);
}

TEST_F(KeysetCeremonyTest, SignaturesOfHoldersAreJoinedAndWrongOnesPassedOver) {
  const auto keyset = Run(CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr).value());
  const std::string text = FormatKeysetText(keyset->text());
  const auto chain = CovenantChain::Create({covenant_});
  const auto note_of = [&](const std::string& signer, const std::string& key_of) {
    crypto::note::Note note{text, {}};
    const auto& key = region_.KeyOf(TestRegion::Urn("node", key_of));
    crypto::note::Sign(
        note, *crypto::note::VerifierKey::Create(TestRegion::Urn("node", signer), key.public_key()), key);
    return crypto::note::Format(note);
  };
  crypto::note::Note damaged = *crypto::note::Parse(note_of("gemeente", "gemeente"));
  damaged.signatures[0].signature[5] ^= 1;
  std::vector<std::string> notes = {"no note",
                                    note_of("gemeente", "politie"),
                                    crypto::note::Format(damaged),
                                    note_of("politie", "politie"),
                                    note_of("politie", "politie"),
                                    note_of("gemeente", "gemeente"),
                                    note_of("woningcorporatie", "woningcorporatie")};
  EXPECT_TRUE(CompleteKeysets({notes}, *chain).empty()) << "jeugdzorg did not sign";
  notes.push_back(note_of("jeugdzorg", "jeugdzorg"));
  const auto complete = CompleteKeysets({notes}, *chain);
  ASSERT_EQ(complete.size(), 1u);
  EXPECT_EQ(complete[0].keyset->id(), keyset->id());
  EXPECT_THAT(Keyset::Verify(complete[0].note, *chain), IsOk());
  EXPECT_EQ(crypto::note::Parse(complete[0].note)->signatures.size(), 4u);
}

TEST_F(KeysetCeremonyTest, AHoldersSignatureCountsWhenItPostedTheKeysetItself) {
  const auto keyset = Run(CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr).value());
  const auto chain = CovenantChain::Create({covenant_});
  std::vector<std::string> notes;
  crypto::note::Note all{FormatKeysetText(keyset->text()), {}};
  for (const auto& verifier : covenant_->PartnerVerifiers()) {
    crypto::note::Note one{all.text, {}};
    crypto::note::Sign(one, verifier, region_.KeyOf(verifier.name()));
    crypto::note::Sign(all, verifier, region_.KeyOf(verifier.name()));
    notes.push_back(crypto::note::Format(one));
  }
  EXPECT_EQ(CompleteKeysets({notes}, *chain).size(), 1u);
  // One posts the signature of another that says to the rest that it stopped.
  notes.pop_back();
  notes.back() = crypto::note::Format(all);
  EXPECT_TRUE(CompleteKeysets({notes}, *chain).empty());
  // Or posts it in other ceremonies.
  EXPECT_TRUE(CompleteKeysets({notes, {notes.back()}, {notes.back()}}, *chain).empty());
}

TEST_F(KeysetCeremonyTest, KeysetsOfTheNewestCovenantAndGenerationComeFirst) {
  const auto first = Run(CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr).value());
  const auto second = Run(CeremonyFor(*covenant_, Scope(Kind::kRefresh), first.get()).value(), first.get());
  const auto posted = [&](const Keyset& keyset) {
    std::vector<std::string> notes;
    for (const auto& verifier : covenant_->PartnerVerifiers()) {
      crypto::note::Note note{FormatKeysetText(keyset.text()), {}};
      crypto::note::Sign(note, verifier, region_.KeyOf(verifier.name()));
      notes.push_back(crypto::note::Format(note));
    }
    return notes;
  };
  const auto chain = CovenantChain::Create({covenant_});
  const auto complete = CompleteKeysets({posted(*first), posted(*second)}, *chain);
  ASSERT_EQ(complete.size(), 2u);
  EXPECT_EQ(complete[0].keyset->id(), second->id());
  EXPECT_EQ(complete[1].keyset->id(), first->id());
}

TEST_F(KeysetCeremonyTest, WhatDoesNotFitTheCovenantIsRefused) {
  const auto first = Run(CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr).value());
  const auto mismatch = HasReason(base::reason::kCovenantMismatch);
  const auto refused = [&](CeremonyScope scope, const Keyset* old_keyset) {
    return CeremonyFor(*covenant_, scope, old_keyset).status();
  };
  CeremonyScope scope = Scope(Kind::kGenerate);
  EXPECT_THAT(refused(scope, first.get()), mismatch);
  EXPECT_THAT(refused(Scope(Kind::kRefresh), nullptr), mismatch);
  scope.purpose = "iets-anders";
  EXPECT_THAT(refused(scope, nullptr), mismatch);
  scope = Scope(Kind::kGenerate);
  scope.identifier_class = 3;
  EXPECT_THAT(refused(scope, nullptr), mismatch);
  scope = Scope(Kind::kRefresh);
  scope.identifier_class = 2;
  EXPECT_THAT(refused(scope, first.get()), mismatch);
  scope = Scope(Kind::kRefresh);
  scope.purpose = "onaantastbaren";
  EXPECT_THAT(refused(scope, first.get()), mismatch) << "the old key is of another purpose";
  EXPECT_THAT(refused(Scope(Kind::kReshare, {1, 2, 5}), first.get()), mismatch);
  EXPECT_THAT(refused(Scope(Kind::kReshare, {1, 2}), first.get()), HasReason(base::reason::kInvalidArgument));
  region_.RaiseEpoch("risicojeugd", absl::ZeroDuration());
  Reload();
  EXPECT_THAT(refused(Scope(Kind::kRefresh), first.get()), mismatch) << "the old key is of the epoch before";
}

TEST_F(KeysetCeremonyTest, ATextThatSomebodyElseMadeOtherwiseIsRefused) {
  const auto good = CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr).value();
  const std::vector<std::function<void(ceremony::ParametersText&)>> changes = {
      [](auto& text) { text.quorum = 2; },
      [](auto& text) { text.epoch = 9; },
      [](auto& text) { text.region = "almere"; },
      [](auto& text) { text.covenant_id = std::string(32, 'x'); },
      [](auto& text) { text.members.pop_back(); },
      [](auto& text) { text.members[1].partner = "ander"; },
      [&](auto& text) {
        text.members[1].signing_key = crypto::note::PrivateKey::Generate(random_).public_key();
      },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    ceremony::ParametersText text = good.text();
    changes[i](text);
    const auto other = ceremony::Parameters::Create(text);
    ASSERT_THAT(other, IsOk()) << i;
    EXPECT_THAT(CheckCeremony(*other, *covenant_, nullptr), HasReason(base::reason::kCovenantMismatch)) << i;
  }
}

TEST_F(KeysetCeremonyTest, ARefreshUnderACovenantWithOtherHoldersIsRefused) {
  const auto first = Run(CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr).value());
  region_.covenant().mutable_partners()->RemoveLast();
  for (auto& purpose : *region_.covenant().mutable_purposes()) {
    for (auto* list : {purpose.mutable_submitters(), purpose.mutable_case_reporters()}) {
      for (int i = list->size(); i-- > 0;) {
        if (list->Get(i) == "woningcorporatie") list->DeleteSubrange(i, 1);
      }
    }
  }
  Reload();
  EXPECT_THAT(CeremonyFor(*covenant_, Scope(Kind::kRefresh), first.get()),
              HasReason(base::reason::kCovenantMismatch));
  // Who left brings no share.
  EXPECT_THAT(CeremonyFor(*covenant_, Scope(Kind::kReshare, {1, 2, 4}), first.get()),
              HasReason(base::reason::kCovenantMismatch));
  EXPECT_THAT(CeremonyFor(*covenant_, Scope(Kind::kReshare, {1, 2, 3}), first.get()), IsOk());
}

// Backups of what came out.

class ShareBackupTest : public KeysetCeremonyTest {
 protected:
  static constexpr PassphraseCost kCheap = {1, 8};

  ShareBackupTest() : keyset_(Run(CeremonyFor(*covenant_, Scope(Kind::kGenerate), nullptr).value())) {}

  static base::SecretBytes Pass(const std::string& text = "correct horse battery") {
    return base::SecretBytes{absl::string_view(text)};
  }
  std::string BackUp() {
    return BackUpShare(*keyset_, "gemeente", shares_.at(2), Pass(), kCheap, random_).value();
  }
  absl::StatusOr<crypto::group::Scalar> Restore(const std::string& text) {
    return RestoreShare(text, *keyset_, "gemeente", Pass());
  }

  std::shared_ptr<const Keyset> keyset_;
};

TEST_F(ShareBackupTest, WhatIsBackedUpIsRestoredUnderItsPassphraseAndDoesNotLieInTheClear) {
  const std::string backup = BackUp();
  const auto share = Restore(backup);
  ASSERT_THAT(share, IsOk());
  EXPECT_TRUE(*share == shares_.at(2));
  EXPECT_EQ(backup.find(base::Base64(shares_.at(2).Encode()).substr(0, 40)), std::string::npos);
  EXPECT_NE(BackUp(), backup);
  EXPECT_THAT(RestoreShare(backup, *keyset_, "gemeente", Pass("another horse battery")),
              HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(RestoreShare(backup, *keyset_, "politie", Pass()),
              HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(RestoreShare(backup, *keyset_, "niemand", Pass()),
              HasReason(base::reason::kVerificationFailed));
}

TEST_F(ShareBackupTest, AShareFromBeforeARefreshIsToldAndNotRestored) {
  const std::string backup = BackUp();
  keyset_ = Run(CeremonyFor(*covenant_, Scope(Kind::kRefresh), keyset_.get()).value(), keyset_.get());
  EXPECT_THAT(Restore(backup), HasReason(base::reason::kKeysetUnknown));
  EXPECT_THAT(Restore(BackUp()), IsOk());
}

TEST_F(ShareBackupTest, AnythingChangedIsRefused) {
  const std::string backup = BackUp();
  for (size_t i = 0; i < backup.size(); ++i) {
    std::string changed = backup;
    changed[i] = changed[i] == '3' ? '4' : '3';
    EXPECT_FALSE(Restore(changed).ok()) << i;
  }
  EXPECT_THAT(Restore(""), HasReason(base::reason::kMalformed));
  EXPECT_THAT(Restore(backup + "x"), HasReason(base::reason::kMalformed));
  EXPECT_THAT(Restore(backup + "\n"), HasReason(base::reason::kMalformed));
  EXPECT_THAT(Restore(backup + std::string(3000, 'x')), HasReason(base::reason::kMalformed));
  // What would take all memory, or next to no work.
  for (const char* cost : {"argon2id 1 2000000 ", "argon2id 11 8 ", "argon2id 0 8 ", "argon2id 1 7 "}) {
    EXPECT_THAT(Restore(absl::StrReplaceAll(backup, {{"argon2id 1 8 ", cost}})),
                HasReason(base::reason::kMalformed))
        << cost;
  }
}

TEST_F(ShareBackupTest, AShareThatDoesNotFitIsNeitherBackedUpNorRestored) {
  EXPECT_THAT(BackUpShare(*keyset_, "gemeente", shares_.at(1), Pass(), kCheap, random_),
              HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(BackUpShare(*keyset_, "niemand", shares_.at(1), Pass(), kCheap, random_),
              HasReason(base::reason::kVerificationFailed));
  // As one would write it who knows the passphrase: docs/format/share_backup.md.
  const std::string backup = BackUp();
  const std::string header = backup.substr(0, backup.rfind("share "));
  const size_t salt_at = header.rfind(' ') + 1;
  const std::string salt = base::ParseBase64(header.substr(salt_at, header.size() - salt_at - 1)).value();
  std::string key(32, '\0');
  const std::string passphrase = "correct horse battery";
  ASSERT_EQ(crypto_pwhash(base::AsMutableBytes(key), 32, passphrase.data(), passphrase.size(),
                          base::AsBytes(salt), 1, 8192, crypto_pwhash_ALG_ARGON2ID13),
            0);
  const auto write = [&](const crypto::group::Scalar& share) {
    const base::SecretBytes secret_key{absl::string_view(key)};
    return header + "share " +
           base::Base64(crypto::seal::EncryptAtRest(secret_key, share.Encode(), header, random_)) + "\n";
  };
  EXPECT_THAT(Restore(write(shares_.at(2))), IsOk());
  EXPECT_THAT(Restore(write(shares_.at(1))), HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(Restore(write(crypto::group::Scalar())), HasReason(base::reason::kVerificationFailed));
}

TEST_F(ShareBackupTest, AWeakPassphraseOrCostIsRefused) {
  const auto refused = [&](const std::string& passphrase, PassphraseCost cost) {
    return BackUpShare(*keyset_, "gemeente", shares_.at(2), Pass(passphrase), cost, random_).status();
  };
  EXPECT_THAT(refused("eleven byte", kCheap), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(refused("twelve bytes", kCheap), IsOk());
  EXPECT_THAT(refused("twelve bytes", {0, 8}), HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(refused("twelve bytes", {1, 7}), HasReason(base::reason::kInvalidArgument));
}

}  // namespace
}  // namespace raakvlak::policy
