#include "policy/keyset/ceremony.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "gtest/gtest.h"
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
  std::shared_ptr<const Keyset> Run(const ceremony::Parameters& parameters) {
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
      note.text = FormatKeysetText(KeysetOf(parameters, participant.outcome().value()));
    }
    shares_.clear();
    for (const ceremony::Member& member : parameters.members()) {
      const std::string urn = TestRegion::Urn("node", member.partner);
      crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, region_.KeyOf(urn).public_key()),
                         region_.KeyOf(urn));
      shares_.emplace(member.index, *participants.at(member.index).outcome()->share);
    }
    auto keyset = Keyset::Verify(crypto::note::Format(note), *covenant_);
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
  const auto refreshed = Run(CeremonyFor(*covenant_, Scope(Kind::kRefresh), first.get()).value());
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
  const auto reshared = Run(*reshare);
  EXPECT_TRUE(reshared->public_key() == first->public_key());
  EXPECT_EQ(reshared->quorum(), 2u);
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
  EXPECT_THAT(refused(Scope(Kind::kReshare, {1, 2, 5}), first.get()), mismatch);
  EXPECT_THAT(refused(Scope(Kind::kReshare, {1, 2}), first.get()), HasReason(base::reason::kInvalidArgument));
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

}  // namespace
}  // namespace raakvlak::policy
