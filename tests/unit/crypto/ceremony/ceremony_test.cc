#include <string>
#include <vector>

#include "crypto/ceremony/code.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/ceremony/quorums.h"

namespace raakvlak::crypto::ceremony {
namespace {

using base::testing::HasReason;
using base::testing::SeededRandom;
using group::Element;
using group::Scalar;
using testing::Again;
using testing::ExpectEveryQuorumGivesTheTokenOf;
using testing::FirstIndices;
using testing::Held;
using testing::Honest;
using testing::KeyOf;
using testing::MemberAt;
using testing::NewKey;
using testing::Reconstruct;
using testing::Rig;
using testing::Subset;

TEST(CeremonyTest, IndicesNeedNotFollowEachOther) {
  const Held held = Rig(NewKey({2, 9, 31, 32}, 3)).Make();
  ASSERT_EQ(held.shares.size(), 4u);
  ExpectEveryQuorumGivesTheTokenOf(Reconstruct(Subset(held, 0b0111)), held);
}

TEST(CeremonyTest, TheCertificateHasOneMessageOfEachReceiverUnderTheTranscriptHash) {
  Rig rig(NewKey(FirstIndices(4), 3));
  rig.Make();
  const Outcome& outcome = *rig.At(2)->outcome();
  ASSERT_EQ(outcome.certificate.size(), 4u);
  for (uint32_t i = 0; i < 4; ++i) {
    const auto content = Open(rig.parameters, outcome.certificate[i]);
    ASSERT_TRUE(content.ok());
    EXPECT_EQ(content->sender, i + 1);
    EXPECT_EQ(content->step, Step::kCertificate);
    EXPECT_EQ(content->chain, outcome.transcript_hash);
  }
}

TEST(CeremonyTest, NothingComesOutBeforeTheLastCertificate) {
  Rig rig(NewKey(FirstIndices(4), 3));
  rig.relay = [&](const SignedMessage& message, uint32_t to) {
    const auto content = Open(rig.parameters, message);
    const bool held_back = content->step == Step::kCertificate && content->sender == 3 && to == 1;
    return held_back ? std::vector<SignedMessage>{} : std::vector<SignedMessage>{message};
  };
  rig.Run();
  EXPECT_FALSE(rig.At(1)->outcome().has_value());
  EXPECT_EQ(rig.At(1)->Missing(), (std::vector<uint32_t>{3}));
  // It comes at last, after whatever time.
  ASSERT_TRUE(rig.At(1)->Receive(rig.At(3)->Sent().back()).ok());
  EXPECT_TRUE(rig.At(1)->outcome().has_value());
}

// Refresh and reshare.

class OldKeyTest : public ::testing::Test {
 protected:
  OldKeyTest() : old_(Rig(NewKey(FirstIndices(4), 3)).Make()), key_(Reconstruct(Subset(old_, 0b0111))) {}

  ParametersText Reshare(const std::vector<Member>& members, uint32_t quorum) const {
    ParametersText text = Again(old_, Kind::kReshare, NewKey({}, quorum));
    text.members = members;
    return text;
  }

  const Held old_;
  const Scalar key_;
};

TEST_F(OldKeyTest, ARefreshKeepsTheKeyAndChangesEveryShare) {
  const Held fresh = Rig(Again(old_, Kind::kRefresh, NewKey(FirstIndices(4), 3)), &old_).Make();
  ASSERT_EQ(fresh.shares.size(), 4u);
  EXPECT_TRUE(fresh.commitments.front() == old_.commitments.front());
  EXPECT_TRUE(Reconstruct(Subset(fresh, 0b1110)) == key_);
  for (const auto& [index, share] : fresh.shares) EXPECT_FALSE(share == old_.shares.at(index));
  ExpectEveryQuorumGivesTheTokenOf(key_, fresh);
}

TEST_F(OldKeyTest, APartnerJoinsAndThePublicKeyStays) {
  const Held more = Rig(Reshare({MemberAt(1), MemberAt(2), MemberAt(3), MemberAt(4, Role::kReceiver),
                                 MemberAt(5, Role::kReceiver)},
                                3),
                        &old_)
                        .Make();
  ASSERT_EQ(more.shares.size(), 5u);
  EXPECT_TRUE(more.commitments.front() == old_.commitments.front());
  ExpectEveryQuorumGivesTheTokenOf(key_, more);
}

TEST_F(OldKeyTest, APartnerLeavesAndThePublicKeyStays) {
  // The leaver, 1, contributes, and so sees all there is to see for it.
  const Held fewer =
      Rig(Reshare({MemberAt(1, Role::kContributor), MemberAt(2), MemberAt(3), MemberAt(4, Role::kReceiver)},
                  3),
          &old_)
          .Make();
  ASSERT_EQ(fewer.shares.size(), 3u);
  EXPECT_TRUE(fewer.commitments.front() == old_.commitments.front());
  ExpectEveryQuorumGivesTheTokenOf(key_, fewer);
}

TEST_F(OldKeyTest, AReshareMayChangeTheQuorum) {
  for (const uint32_t quorum : {2u, 4u}) {
    const Held other =
        Rig(Reshare({MemberAt(1), MemberAt(2), MemberAt(3, Role::kReceiver), MemberAt(4)}, quorum), &old_)
            .Make();
    ASSERT_EQ(other.commitments.size(), quorum);
    EXPECT_TRUE(other.commitments.front() == old_.commitments.front());
    ExpectEveryQuorumGivesTheTokenOf(key_, other);
  }
}

TEST_F(OldKeyTest, AnOldShareThatIsNotThatOfTheKeysetIsRefusedAtTheStart) {
  const Parameters parameters =
      Parameters::Create(Again(old_, Kind::kRefresh, NewKey(FirstIndices(4), 3))).value();
  const note::PrivateKey key = KeyOf(2);
  SeededRandom random(1);
  EXPECT_THAT(Participant::Create(parameters, 2, key, old_.shares.at(3), random),
              HasReason(base::reason::kVerificationFailed));
  EXPECT_THAT(Participant::Create(parameters, 2, key, std::nullopt, random),
              HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Participant::Create(parameters, 7, key, std::nullopt, random),
              HasReason(base::reason::kInvalidArgument));
  EXPECT_THAT(Participant::Create(parameters, 3, key, old_.shares.at(3), random),
              HasReason(base::reason::kInvalidArgument));
  const Parameters fresh = Parameters::Create(NewKey(FirstIndices(4), 3)).value();
  EXPECT_THAT(Participant::Create(fresh, 2, key, old_.shares.at(2), random),
              HasReason(base::reason::kInvalidArgument));
}

// Interruptions.

TEST_F(OldKeyTest, MembersThatAreKilledAfterEveryMessageMakeTheSameKeyWithTheSameMessages) {
  const std::vector<std::pair<ParametersText, const Held*>> kinds = {
      {NewKey(FirstIndices(4), 3), nullptr},
      {Again(old_, Kind::kRefresh, NewKey(FirstIndices(4), 3)), &old_},
      {Reshare({MemberAt(1, Role::kContributor), MemberAt(2), MemberAt(3), MemberAt(5, Role::kReceiver)}, 2),
       &old_}};
  for (const auto& [text, held] : kinds) {
    Rig calm(text, held);
    const Held expected = calm.Make();
    Rig killed(text, held, /*crashes=*/true);
    const Held got = killed.Make();
    EXPECT_EQ(got.shares.size(), expected.shares.size());
    for (const auto& [index, share] : got.shares) EXPECT_TRUE(share == expected.shares.at(index));
    for (Participant* one : killed.HonestOnes()) {
      EXPECT_EQ(one->Sent(), calm.At(one->index())->Sent()) << "index " << one->index();
    }
  }
}

TEST(CeremonyTest, AMemberResumedAtAnyStepHasSaidTheSameAndWaitsForTheSame) {
  Rig rig(NewKey(FirstIndices(3), 2));
  const note::PrivateKey key = KeyOf(1);
  int resumed = 0;
  rig.relay = [&](const SignedMessage& message, uint32_t) {
    const Participant& one = *rig.At(1);
    const auto copy = Participant::Import(one.Export(), key, std::nullopt);
    EXPECT_TRUE(copy.ok());
    EXPECT_EQ(copy->Sent(), one.Sent());
    EXPECT_EQ(copy->step(), one.step());
    EXPECT_EQ(copy->Missing(), one.Missing());
    ++resumed;
    return std::vector<SignedMessage>{message};
  };
  rig.Make();
  EXPECT_GE(resumed, 15);
}

TEST(CeremonyTest, AStateThatIsCutOrForeignIsRefused) {
  Rig rig(NewKey(FirstIndices(3), 2));
  rig.Run();
  const std::string state(rig.At(1)->Export().Reveal(base::RevealSecret{}));
  const note::PrivateKey key = KeyOf(1);
  const auto import = [&](const std::string& bytes) {
    return Participant::Import(base::SecretBytes{absl::string_view(bytes)}, key, std::nullopt).status();
  };
  EXPECT_TRUE(import(state).ok());
  EXPECT_THAT(import(""), HasReason(base::reason::kMalformed));
  EXPECT_THAT(import(state.substr(0, state.size() - 1)), HasReason(base::reason::kMalformed));
  EXPECT_THAT(import(state + "x"), HasReason(base::reason::kMalformed));
  std::string other = state;
  other[4] ^= 1;
  EXPECT_THAT(import(other), HasReason(base::reason::kMalformed));
  const note::PrivateKey stranger = KeyOf(2);
  EXPECT_THAT(Participant::Import(base::SecretBytes{absl::string_view(state)}, stranger, std::nullopt),
              HasReason(base::reason::kInvalidArgument));
}

// The relay.

TEST(CeremonyTest, MessagesLateInAnyOrderAndTwiceStillMakeTheKey) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    Rig rig(NewKey(FirstIndices(5), 3));
    rig.shuffle = seed;
    const Held held = rig.Make();
    EXPECT_EQ(held.shares.size(), 5u) << "seed " << seed;
    EXPECT_TRUE(rig.refused.empty());
  }
}

TEST(CeremonyTest, AMessageThatDoesNotComeStopsItsStepAndItsSenderIsNamedAsMissing) {
  for (int number = 1; number <= kNumSteps; ++number) {
    const auto dropped = static_cast<Step>(number);
    SCOPED_TRACE(StepName(dropped).data());
    Rig rig(NewKey(FirstIndices(4), 3));
    rig.relay = [&](const SignedMessage& message, uint32_t to) {
      const auto content = Open(rig.parameters, message);
      const bool drop = content->step == dropped && content->sender == 2 && to != 2;
      return drop ? std::vector<SignedMessage>{} : std::vector<SignedMessage>{message};
    };
    rig.Run();
    for (const uint32_t index : {1u, 3u, 4u}) {
      EXPECT_FALSE(rig.At(index)->outcome().has_value());
      EXPECT_FALSE(rig.At(index)->blame().has_value());
      EXPECT_EQ(rig.At(index)->step(), dropped);
      EXPECT_EQ(rig.At(index)->Missing(), (std::vector<uint32_t>{2}));
    }
    const auto aborts = rig.At(1)->GiveUp();
    ASSERT_EQ(aborts.size(), 1u);
    const Finding expected{2, dropped, Check::kMissing};
    EXPECT_EQ(rig.At(1)->blame()->finding, expected);
    // It is remembered, and others stop on its word, which proves nothing.
    const note::PrivateKey key = KeyOf(1);
    EXPECT_EQ(Participant::Import(rig.At(1)->Export(), key, std::nullopt)->blame()->finding, expected);
    ASSERT_TRUE(rig.At(3)->Receive(aborts[0]).ok());
    EXPECT_EQ(rig.At(3)->blame()->finding, expected);
    EXPECT_EQ(rig.At(3)->blame()->reporter, 1u);
    EXPECT_THAT(VerifyEvidence(rig.parameters, {expected, rig.At(3)->blame()->evidence}),
                HasReason(base::reason::kVerificationFailed));
    EXPECT_TRUE(rig.At(1)->GiveUp().empty());
  }
}

TEST(CeremonyTest, WhatTheRelayMakesUpIsRefusedAndBlamesNobody) {
  Rig rig(NewKey(FirstIndices(3), 2));
  Rig other(NewKey(FirstIndices(3), 3));
  Participant& one = *rig.At(1);
  const SignedMessage theirs = rig.At(2)->Sent()[0];
  SignedMessage changed = theirs;
  changed.body.back() ^= 1;
  EXPECT_THAT(one.Receive(changed), HasReason(base::reason::kSignatureInvalid));
  SignedMessage swapped = theirs;
  swapped.signature = rig.At(3)->Sent()[0].signature;
  EXPECT_THAT(one.Receive(swapped), HasReason(base::reason::kSignatureInvalid));
  SignedMessage renamed = theirs;
  renamed.body[65] = 3;
  EXPECT_THAT(one.Receive(renamed), HasReason(base::reason::kSignatureInvalid));
  SignedMessage stranger = theirs;
  stranger.body[65] = 9;
  EXPECT_THAT(one.Receive(stranger), HasReason(base::reason::kMalformed));
  for (const char step : {'\0', '\7'}) {
    SignedMessage no_step = theirs;
    no_step.body[0] = step;
    EXPECT_THAT(one.Receive(no_step), HasReason(base::reason::kMalformed));
  }
  EXPECT_THAT(one.Receive({theirs.body.substr(0, 65), theirs.signature}),
              HasReason(base::reason::kMalformed));
  EXPECT_THAT(one.Receive({std::string(kMaxStepBodySize + 1, 'x'), theirs.signature}),
              HasReason(base::reason::kTooLarge));
  EXPECT_THAT(one.Receive({std::string(kMaxBodySize + 1, '\6'), theirs.signature}),
              HasReason(base::reason::kTooLarge));
  EXPECT_THAT(one.Receive(other.At(2)->Sent()[0]), HasReason(base::reason::kInvalidArgument));
  EXPECT_FALSE(one.blame().has_value());
  EXPECT_EQ(one.Missing(), (std::vector<uint32_t>{2, 3}));
}

TEST(CeremonyTest, AMessageAheadOfItsStepIsToBeGivenAgainLater) {
  Rig rig(NewKey(FirstIndices(3), 2));
  rig.relay = [&](const SignedMessage& message, uint32_t to) {
    return to == 1 ? std::vector<SignedMessage>{} : std::vector<SignedMessage>{message};
  };
  rig.Run();
  const SignedMessage commit = rig.At(2)->Sent()[1];
  ASSERT_TRUE(rig.At(1)->Receive(rig.At(2)->Sent()[0]).ok());
  EXPECT_THAT(rig.At(1)->Receive(commit), HasReason(base::reason::kUnavailable));
  ASSERT_TRUE(rig.At(1)->Receive(rig.At(3)->Sent()[0]).ok());
  EXPECT_TRUE(rig.At(1)->Receive(commit).ok());
}

TEST(CeremonyTest, MessagesOfAnEarlierAttemptAreOfAnotherCeremony) {
  ParametersText text = NewKey(FirstIndices(3), 2);
  Rig first(text);
  text.attempt = 2;
  Rig second(text);
  EXPECT_THAT(second.At(1)->Receive(first.At(2)->Sent()[0]), HasReason(base::reason::kInvalidArgument));
}

TEST(CeremonyTest, AfterTheEndNothingChanges) {
  Rig rig(NewKey(FirstIndices(3), 2));
  rig.Make();
  EXPECT_TRUE(rig.At(1)->GiveUp().empty());
  const Content abort{Step::kAbort, rig.parameters.id(), 2,
                      FormatAccusation({{3, Step::kJoin, Check::kMissing}, {}})};
  EXPECT_TRUE(rig.At(1)->Receive(SignContent(rig.parameters, abort, KeyOf(2))).value().empty());
  EXPECT_TRUE(rig.At(1)->outcome().has_value());
  EXPECT_FALSE(rig.At(1)->blame().has_value());
}

TEST(CeremonyTest, TwentyMembersMakeAKey) {
  const Held held = Rig(NewKey(FirstIndices(20), 11)).Make();
  ASSERT_EQ(held.shares.size(), 20u);
  EXPECT_TRUE(Element::MulBase(Reconstruct(Subset(held, (1u << 11) - 1))) == held.commitments.front());
}

}  // namespace
}  // namespace raakvlak::crypto::ceremony
