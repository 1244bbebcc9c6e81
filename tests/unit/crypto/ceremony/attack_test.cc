// Every check of the ceremony, by a member that breaks it: what the honest ones find, whom they name, and
// that what they name can be shown to someone who was not there.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/crypto/ceremony/rig.h"

namespace raakvlak::crypto::ceremony {
namespace {

using base::testing::HasReason;
using base::testing::SeededRandom;
using group::Element;
using group::Scalar;
using testing::Again;
using testing::FirstIndices;
using testing::Held;
using testing::KeyOf;
using testing::Liar;
using testing::MemberAt;
using testing::NewKey;
using testing::Rig;

constexpr uint32_t kLiar = 2;
constexpr size_t kFirstCommitment = kNonceSize + kPossessionSize;

// Nobody has a key; all name the culprit; what is provable is shown by the evidence, and by nothing less.
void ExpectStopped(Rig& rig, const Finding& finding) {
  for (Participant* one : rig.HonestOnes()) {
    SCOPED_TRACE("index " + std::to_string(one->index()));
    EXPECT_FALSE(one->outcome().has_value());
    ASSERT_TRUE(one->blame().has_value());
    EXPECT_EQ(one->blame()->finding.culprit, finding.culprit);
    EXPECT_EQ(StepName(one->blame()->finding.step), StepName(finding.step));
    EXPECT_EQ(CheckName(one->blame()->finding.check), CheckName(finding.check));
    const Accusation accusation{one->blame()->finding, one->blame()->evidence};
    EXPECT_EQ(VerifyEvidence(rig.parameters, accusation).ok(), IsProvable(finding.check));
    // Not against another member, not for another check, not with a message or the key taken away.
    Accusation other = accusation;
    other.finding.culprit = 3;
    EXPECT_FALSE(VerifyEvidence(rig.parameters, other).ok());
    other = accusation;
    other.finding.check = finding.check == Check::kReveal ? Check::kShare : Check::kReveal;
    EXPECT_FALSE(VerifyEvidence(rig.parameters, other).ok());
    other = accusation;
    // A bad join needs none but itself.
    if (finding.step != Step::kJoin || finding.check == Check::kEquivocation) {
      other.evidence.messages.erase(other.evidence.messages.begin());
      EXPECT_FALSE(VerifyEvidence(rig.parameters, other).ok());
    }
    other = accusation;
    if (other.evidence.disclosure.has_value()) {
      other.evidence.disclosure.reset();
      EXPECT_FALSE(VerifyEvidence(rig.parameters, other).ok());
    }
  }
}

struct Attack {
  std::string name;
  Step step;
  Check check;
  std::function<void(Liar&)> prepare;
};

std::function<void(Liar&)> Send(Step step, std::function<void(std::string& bytes)> change) {
  return [=](Liar& liar) {
    liar.on_send = [=](Content& content) {
      if (content.step == step) change(content.bytes);
    };
  };
}

std::function<void(Liar&)> Reveal(std::function<void(std::string& reveal)> change) {
  return [=](Liar& liar) { liar.on_reveal = change; };
}

// A box for receiver 3, by another way than the right one.
using MakeBox =
    std::function<std::string(const Liar&, const base::SecretBytes& ephemeral, absl::string_view key)>;
std::function<void(Liar&)> BoxForThree(MakeBox make) {
  return [=](Liar& liar) {
    liar.on_share = [=, &liar](uint32_t receiver, const base::SecretBytes& ephemeral, absl::string_view key) {
      return receiver == 3 ? make(liar, ephemeral, key) : std::string();
    };
  };
}

std::string Box(const base::SecretBytes& ephemeral, absl::string_view key, const Scalar& share,
                const std::string& context) {
  SeededRandom random(8);
  return EncryptShare(ephemeral, key, share, context, random);
}

std::vector<Attack> Attacks() {
  const auto chop = [](std::string& bytes) { bytes.pop_back(); };
  const auto flip = [](size_t at) { return [at](std::string& bytes) { bytes[at] ^= 1; }; };
  const auto put = [](size_t at, std::string what) {
    return [at, what](std::string& bytes) { bytes.replace(at, what.size(), what); };
  };
  const auto context = [](const Liar& liar, uint32_t from, uint32_t to) {
    return ShareContext(liar.view.Chain(Step::kShares), from, to);
  };
  std::vector<Attack> out = {
      {"JoinIsShort", Step::kJoin, Check::kForm, Send(Step::kJoin, chop)},
      {"JoinLacksAReceivingKey", Step::kJoin, Check::kForm,
       Send(Step::kJoin, [](std::string& bytes) { bytes.resize(bytes.size() - 32); })},
      {"ReceivingKeyIsOfSmallOrder", Step::kJoin, Check::kReceivingKey,
       Send(Step::kJoin, put(64, std::string(32, '\0')))},
      {"CommitIsLong", Step::kCommit, Check::kForm, Send(Step::kCommit, [](std::string& b) { b += 'x'; })},
      {"RevealHasAnotherOpeningThanCommitted", Step::kReveal, Check::kReveal, Send(Step::kReveal, flip(0))},
      {"RevealHasOtherCommitmentsThanCommitted", Step::kReveal, Check::kReveal,
       Send(Step::kReveal, put(kFirstCommitment, Element::Generator().Encode()))},
      {"OneCommitmentTooMany", Step::kReveal, Check::kCommitments,
       [](Liar& liar) { liar.polynomial.push_back(Scalar::FromUint64(5)); }},
      {"OneCommitmentTooFew", Step::kReveal, Check::kCommitments,
       [](Liar& liar) { liar.polynomial.pop_back(); }},
      {"FirstCommitmentIsTheIdentity", Step::kReveal, Check::kCommitments,
       Reveal(put(kFirstCommitment, std::string(32, '\0')))},
      {"LastCommitmentIsTheIdentity", Step::kReveal, Check::kCommitments,
       Reveal([](std::string& reveal) { reveal.replace(reveal.size() - 32, 32, 32, '\0'); })},
      {"ACommitmentIsNotCanonical", Step::kReveal, Check::kCommitments,
       Reveal([](std::string& reveal) { reveal[kFirstCommitment + 31] ^= '\x80'; })},
      {"PossessionIsNotProven", Step::kReveal, Check::kPossession, Reveal(flip(kNonceSize + 40))},
      {"PossessionIsProvenForAnotherMember", Step::kReveal, Check::kPossession,
       [](Liar& liar) {
         liar.on_reveal = [&liar](std::string& reveal) {
           SeededRandom random(1);
           reveal.replace(kNonceSize, kPossessionSize,
                          ProvePossession(liar.polynomial[liar.hidden], liar.view.Chain(Step::kCommit), 3,
                                          reveal.substr(kFirstCommitment), random));
         };
       }},
      {"PossessionIsProvenForAnotherSession", Step::kReveal, Check::kPossession,
       [](Liar& liar) {
         liar.on_reveal = [&liar](std::string& reveal) {
           SeededRandom random(1);
           reveal.replace(kNonceSize, kPossessionSize,
                          ProvePossession(liar.polynomial[liar.hidden], liar.view.parameters().id(), kLiar,
                                          reveal.substr(kFirstCommitment), random));
         };
       }},
      // The rogue key: C = what it wants less those of others. It knows no secret behind it.
      {"TheCommitmentIsBuiltFromThatOfAnother", Step::kReveal, Check::kPossession,
       Reveal(put(kFirstCommitment, Element::MulBase(Scalar::FromUint64(12345)).Encode()))},
      {"SharesAreShort", Step::kShares, Check::kForm, Send(Step::kShares, chop)},
      {"SharesLackAReceiver", Step::kShares, Check::kForm,
       Send(Step::kShares, [](std::string& bytes) { bytes.resize(bytes.size() - kEncryptedShareSize); })},
      {"AShareDoesNotFitTheCommitments", Step::kShares, Check::kShare,
       BoxForThree([=](const Liar& liar, const auto& ephemeral, auto key) {
         return Box(ephemeral, key, liar.At(3) + Scalar::FromUint64(1), context(liar, kLiar, 3));
       })},
      {"AShareIsThatOfAnotherReceiver", Step::kShares, Check::kShare,
       BoxForThree([=](const Liar& liar, const auto& ephemeral, auto key) {
         return Box(ephemeral, key, liar.At(4), context(liar, kLiar, 3));
       })},
      {"AShareIsZero", Step::kShares, Check::kEncryption,
       BoxForThree([=](const Liar& liar, const auto& ephemeral, auto key) {
         return Box(ephemeral, key, Scalar(), context(liar, kLiar, 3));
       })},
      {"ABoxHoldsRubbish", Step::kShares, Check::kEncryption,
       BoxForThree([](const Liar&, const auto&, auto) { return std::string(kEncryptedShareSize, 'x'); })},
      {"ABoxIsMeantForAnotherReceiver", Step::kShares, Check::kEncryption,
       BoxForThree([=](const Liar& liar, const auto& ephemeral, auto key) {
         return Box(ephemeral, key, liar.At(3), context(liar, kLiar, 4));
       })},
      {"ABoxIsSaidToComeFromAnother", Step::kShares, Check::kEncryption,
       BoxForThree([=](const Liar& liar, const auto& ephemeral, auto key) {
         return Box(ephemeral, key, liar.At(3), context(liar, 1, 3));
       })},
      {"ABoxIsOfAnotherSession", Step::kShares, Check::kEncryption,
       BoxForThree([=](const Liar& liar, const auto& ephemeral, auto key) {
         return Box(ephemeral, key, liar.At(3), ShareContext(liar.view.Chain(Step::kCommit), kLiar, 3));
       })},
      {"TheEphemeralKeyIsOfSmallOrder", Step::kShares, Check::kEncryption,
       Send(Step::kShares, put(0, std::string(32, '\0')))},
      {"TheCertificateSaysMore", Step::kCertificate, Check::kForm,
       Send(Step::kCertificate, [](std::string& bytes) { bytes += 'x'; })},
  };
  for (int number = 2; number <= kNumSteps; ++number) {
    const auto step = static_cast<Step>(number);
    out.push_back({"OtherViewAt" + std::string(StepName(step)), step, Check::kView, [=](Liar& liar) {
                     liar.on_send = [=](Content& content) {
                       if (content.step == step) content.chain[7] ^= 1;
                     };
                   }});
  }
  return out;
}

ParametersText ReshareToAJoiner(const Held& held) {
  ParametersText text = Again(held, Kind::kReshare, NewKey({}, 3));
  text.members = {MemberAt(1), MemberAt(2), MemberAt(3), MemberAt(4, Role::kReceiver)};
  return text;
}

TEST(AttackTest, EachLieIsFoundByItsCheckAndItsTellerNamedByAllInEachKindOfCeremony) {
  const Held held = Rig(NewKey(FirstIndices(4), 3)).Make();
  for (const ParametersText& text :
       {NewKey(FirstIndices(4), 3), Again(held, Kind::kRefresh, NewKey(FirstIndices(4), 3)),
        ReshareToAJoiner(held)}) {
    for (const Attack& attack : Attacks()) {
      SCOPED_TRACE(attack.name + ", kind " + std::to_string(static_cast<int>(text.kind)));
      Rig rig(text, &held);
      attack.prepare(rig.Corrupt(kLiar, &held));
      rig.Run();
      ExpectStopped(rig, {kLiar, attack.step, attack.check});
    }
  }
}

TEST(AttackTest, ALiarThatTellsNoLieIsNotNoticed) {
  Rig rig(NewKey(FirstIndices(4), 3));
  rig.Corrupt(kLiar);
  EXPECT_EQ(rig.Make().shares.size(), 3u);
}

TEST(AttackTest, TwoThatShareAConstantAreRefusedByTheHigherIndex) {
  Rig rig(NewKey(FirstIndices(4), 3));
  const Scalar constant = rig.Corrupt(2).polynomial[0];
  rig.Corrupt(3).polynomial[0] = constant;
  rig.Run();
  for (Participant* one : rig.HonestOnes()) {
    ASSERT_TRUE(one->blame().has_value());
    EXPECT_EQ(one->blame()->finding, (Finding{3, Step::kReveal, Check::kCopied}));
    EXPECT_TRUE(VerifyEvidence(rig.parameters, {one->blame()->finding, one->blame()->evidence}).ok());
  }
}

TEST(AttackTest, ALieIsNoLargerThanAnAbortThatShowsIt) {
  for (const size_t size : {kMaxStepBodySize, kMaxStepBodySize + 1, kMaxBodySize}) {
    SCOPED_TRACE(size);
    Rig rig(NewKey(FirstIndices(4), 3));
    rig.Corrupt(kLiar).on_send = [size](Content& content) {
      if (content.step == Step::kShares) content.bytes.resize(size - kHeaderSize);
    };
    rig.Run();
    if (size == kMaxStepBodySize) {
      ExpectStopped(rig, {kLiar, Step::kShares, Check::kForm});
      continue;
    }
    // It is as if it had not come: evidence of it would reach nobody.
    EXPECT_GT(rig.refused[base::reason::kTooLarge], 0);
    for (Participant* one : rig.HonestOnes()) {
      EXPECT_FALSE(one->blame().has_value());
      EXPECT_EQ(one->Missing(), std::vector<uint32_t>{kLiar});
    }
  }
  // Of 32 members: join, commit, reveal, shares and certificate of each, and the lie.
  const size_t of_each = 5 * kHeaderSize + (32 + 32 * 32) + 32 + (32 + 64 + 32 * 32) + (32 + 32 * 72);
  EXPECT_LE(32 * (of_each + 5 * (4 + 64)) + kMaxStepBodySize + 4 + 64 + kHeaderSize + 4 + 35, kMaxBodySize);
}

// Equivocation.

TEST(AttackTest, TwoMessagesOfOneStepAreEvidenceWhoeverGetsBoth) {
  for (int number = 1; number <= kNumSteps; ++number) {
    const auto step = static_cast<Step>(number);
    SCOPED_TRACE(StepName(step).data());
    Rig rig(NewKey(FirstIndices(4), 3));
    rig.Corrupt(kLiar);
    // The relay is in it: it hands the second message after the first, to all.
    rig.relay = [&](const SignedMessage& message, uint32_t) {
      auto content = Open(rig.parameters, message);
      if (content->sender != kLiar || content->step != step) return std::vector<SignedMessage>{message};
      content->bytes += 'x';
      return std::vector<SignedMessage>{message, SignContent(rig.parameters, *content, KeyOf(kLiar))};
    };
    rig.Run();
    ExpectStopped(rig, {kLiar, step, Check::kEquivocation});
  }
}

TEST(AttackTest, WhoTellsOneMemberAnotherThingIsFoundWhenTheLogsAreCompared) {
  for (const Step step : {Step::kJoin, Step::kCommit, Step::kShares}) {
    SCOPED_TRACE(StepName(step).data());
    Rig rig(NewKey(FirstIndices(4), 3));
    rig.Corrupt(kLiar);
    rig.relay = [&](const SignedMessage& message, uint32_t to) {
      auto content = Open(rig.parameters, message);
      if (content->sender != kLiar || content->step != step || to != 4)
        return std::vector<SignedMessage>{message};
      // Another nonce, another commitment, another box for 3: nothing in it is wrong for 4.
      content->bytes[step == Step::kShares ? kBoxKeySize + 2 * kEncryptedShareSize : 0] ^= 1;
      return std::vector<SignedMessage>{SignContent(rig.parameters, *content, KeyOf(kLiar))};
    };
    rig.Run();
    ExpectStopped(rig, {kLiar, step, Check::kEquivocation});
  }
}

TEST(AttackTest, AMemberShownAnotherSessionIsNotBlamedForIt) {
  // The relay and the liar keep 4 apart, and drop what 4 says of it.
  Rig rig(NewKey(FirstIndices(4), 3));
  rig.Corrupt(kLiar);
  rig.relay = [&](const SignedMessage& message, uint32_t to) {
    auto content = Open(rig.parameters, message);
    if (content->step == Step::kAbort && content->sender == 4) return std::vector<SignedMessage>{};
    if (content->sender != kLiar || content->step != Step::kJoin || to != 4)
      return std::vector<SignedMessage>{message};
    content->bytes[0] ^= 1;
    return std::vector<SignedMessage>{SignContent(rig.parameters, *content, KeyOf(kLiar))};
  };
  rig.Run();
  for (Participant* one : rig.HonestOnes()) {
    ASSERT_TRUE(one->blame().has_value());
    EXPECT_FALSE(one->outcome().has_value());
    const Finding& finding = one->blame()->finding;
    const bool names_liar = finding == Finding{kLiar, Step::kJoin, Check::kEquivocation};
    EXPECT_TRUE(names_liar || finding.check == Check::kView) << one->index();
    EXPECT_EQ(VerifyEvidence(rig.parameters, {finding, one->blame()->evidence}).ok(), names_liar);
  }
}

// False accusations.

class FalseAccusationTest : public ::testing::Test {
 protected:
  // Member 2 says this after all shares were sent; nobody has certified yet.
  void Accuse(const std::function<Accusation(Liar&)>& make) {
    Accuse2([make](Liar& liar) { return FormatAccusation(make(liar)); });
  }
  void Accuse2(const std::function<std::string(Liar&)>& make) {
    rig_ = std::make_unique<Rig>(NewKey(FirstIndices(4), 3));
    Liar& liar = rig_->Corrupt(kLiar);
    liar.on_send = [&liar, make](Content& content) {
      if (content.step != Step::kCertificate) return;
      content = {Step::kAbort, liar.view.parameters().id(), kLiar, make(liar)};
    };
    rig_->Run();
  }
  std::unique_ptr<Rig> rig_;
};

TEST_F(FalseAccusationTest, FallsOnTheAccuser) {
  const auto other_secret = [](Liar&) { return std::string(32, 's'); };
  const auto right_secret = [](Liar& liar) {
    return std::string(liar.receiving[2].Reveal(base::RevealSecret{}));
  };
  for (const auto& secret : std::vector<std::function<std::string(Liar&)>>{other_secret, right_secret}) {
    for (const Check check : {Check::kShare, Check::kEncryption}) {
      Accuse([&](Liar& liar) {
        return Accusation{{3, Step::kShares, check}, {liar.view.Log(), Disclosure{kLiar, 3, secret(liar)}}};
      });
      ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kFalseAccusation});
    }
  }
  // Of a member that is none of the contributors or receivers, or without any disclosure.
  for (const uint32_t nobody : {0u, 9u}) {
    Accuse([&](Liar& liar) {
      return Accusation{{3, Step::kShares, Check::kShare},
                        {liar.view.Log(), Disclosure{nobody, 3, right_secret(liar)}}};
    });
    ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kFalseAccusation});
    Accuse([&](Liar& liar) {
      return Accusation{{3, Step::kShares, Check::kShare},
                        {liar.view.Log(), Disclosure{kLiar, nobody, right_secret(liar)}}};
    });
    ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kFalseAccusation});
  }
  Accuse([](Liar& liar) {
    return Accusation{{3, Step::kReveal, Check::kReveal}, {liar.view.Log(), std::nullopt}};
  });
  ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kFalseAccusation});
}

TEST_F(FalseAccusationTest, WithOneMessageTwiceOrTwoOfDifferentStepsOrSendersFallsOnTheAccuser) {
  for (const auto& [first, second] : std::vector<std::pair<size_t, size_t>>{{2, 2}, {2, 6}, {2, 3}}) {
    Accuse([&, a = first, b = second](Liar& liar) {
      const auto log = liar.view.Log();
      return Accusation{{3, Step::kJoin, Check::kEquivocation}, {{log[a], log[b]}, std::nullopt}};
    });
    ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kFalseAccusation});
  }
}

TEST_F(FalseAccusationTest, WithAMessageThatTheAccusedNeverSignedFallsOnTheAccuser) {
  Accuse([](Liar& liar) {
    const auto log = liar.view.Log();
    SignedMessage made_up = log[2];
    made_up.body.back() ^= 1;
    return Accusation{{3, Step::kJoin, Check::kEquivocation}, {{log[2], made_up}, std::nullopt}};
  });
  ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kFalseAccusation});
}

TEST_F(FalseAccusationTest, WithAnotherJoinOfTheAccuserFallsOnTheAccuser) {
  // It discloses a key that it signed, but not in the session in which 3 encrypted.
  Accuse([](Liar& liar) {
    auto log = liar.view.Log();
    Content join = Open(liar.view.parameters(), log[1]).value();
    const base::SecretBytes other{absl::string_view(std::string(32, 'o'))};
    join.bytes.replace(kNonceSize + 2 * kBoxKeySize, kBoxKeySize, BoxPublicKey(other));
    log[1] = liar.Sign(join);
    return Accusation{{3, Step::kShares, Check::kEncryption},
                      {log, Disclosure{kLiar, 3, std::string(32, 'o')}}};
  });
  ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kFalseAccusation});
}

TEST_F(FalseAccusationTest, OfAnAbortIsNotListenedTo) {
  Accuse([](Liar& liar) {
    const Content abort{Step::kAbort, liar.view.parameters().id(), kLiar, "x"};
    return Accusation{{kLiar, Step::kAbort, Check::kForm}, {{liar.Sign(abort)}, std::nullopt}};
  });
  ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kFalseAccusation});
}

TEST_F(FalseAccusationTest, ThatDoesNotParseOrNamesAStrangerFallsOnTheAccuser) {
  Accuse2([](Liar&) { return std::string("x"); });
  ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kForm});
  Accuse2([](Liar&) { return FormatAccusation({{9, Step::kJoin, Check::kMissing}, {}}); });
  ExpectStopped(*rig_, {kLiar, Step::kAbort, Check::kForm});
}

TEST_F(FalseAccusationTest, AnUnprovenWordStopsTheCeremonyUnderItsTellersName) {
  Accuse([](Liar&) { return Accusation{{3, Step::kCertificate, Check::kMissing}, {}}; });
  for (Participant* one : rig_->HonestOnes()) {
    ASSERT_TRUE(one->blame().has_value());
    EXPECT_EQ(one->blame()->reporter, kLiar);
    EXPECT_EQ(one->blame()->finding.check, Check::kMissing);
  }
  // Words without end are not kept.
  Participant& one = *rig_->At(1);
  const size_t size = one.Export().size();
  const Content again{Step::kAbort, rig_->parameters.id(), kLiar,
                      FormatAccusation({{4, Step::kJoin, Check::kMissing}, {}})};
  EXPECT_TRUE(one.Receive(SignContent(rig_->parameters, again, KeyOf(kLiar))).ok());
  EXPECT_EQ(one.Export().size(), size);
}

TEST(AttackTest, ABlamedCeremonyResumedIsStillBlamedAndSaysTheSame) {
  Rig rig(NewKey(FirstIndices(4), 3));
  for (const Attack& attack : Attacks()) {
    if (attack.name == "AShareDoesNotFitTheCommitments") attack.prepare(rig.Corrupt(kLiar));
  }
  rig.Run();
  for (Participant* one : rig.HonestOnes()) {
    const note::PrivateKey key = KeyOf(one->index());
    const auto copy = Participant::Import(one->Export(), key, std::nullopt);
    ASSERT_TRUE(copy.ok());
    EXPECT_EQ(copy->blame()->finding, one->blame()->finding);
    EXPECT_EQ(copy->blame()->evidence, one->blame()->evidence);
    EXPECT_EQ(copy->Sent(), one->Sent());
    // What is proven is not talked away.
    const Content word{Step::kAbort, rig.parameters.id(), kLiar, "x"};
    const size_t size = one->Export().size();
    EXPECT_TRUE(one->Receive(SignContent(rig.parameters, word, KeyOf(kLiar))).ok());
    EXPECT_EQ(copy->blame()->finding, one->blame()->finding);
    EXPECT_EQ(one->Export().size(), size);
  }
  // Only the one that got the bad share discloses a key, and only that for the liar.
  EXPECT_EQ(rig.At(3)->Sent().back().body[0], static_cast<char>(Step::kAbort));
  EXPECT_EQ(rig.At(3)->blame()->evidence.disclosure->contributor, kLiar);
}

// Refresh and reshare.

class OldKeyAttackTest : public ::testing::Test {
 protected:
  OldKeyAttackTest() : held_(Rig(NewKey(FirstIndices(4), 3)).Make()) {}
  ParametersText Reshare() const {
    ParametersText text = Again(held_, Kind::kReshare, NewKey({}, 3));
    text.members = {MemberAt(1, Role::kContributor), MemberAt(2), MemberAt(3), MemberAt(4, Role::kReceiver),
                    MemberAt(5, Role::kReceiver)};
    return text;
  }
  const Held held_;
};

TEST_F(OldKeyAttackTest, ARefreshWithAConstantCannotSayItAndItsSharesDoNotFit) {
  Rig rig(Again(held_, Kind::kRefresh, NewKey(FirstIndices(4), 3)), &held_);
  rig.Corrupt(kLiar).polynomial[0] = Scalar::FromUint64(3);
  rig.Run();
  for (Participant* one : rig.HonestOnes()) {
    EXPECT_FALSE(one->outcome().has_value());
    EXPECT_EQ(one->blame()->finding, (Finding{kLiar, Step::kShares, Check::kShare}));
  }
}

TEST_F(OldKeyAttackTest, ARefreshThatSendsAConstantIsRefused) {
  Rig rig(Again(held_, Kind::kRefresh, NewKey(FirstIndices(4), 3)), &held_);
  Liar& liar = rig.Corrupt(kLiar);
  liar.polynomial[0] = Scalar::FromUint64(3);
  liar.hidden = 0;
  rig.Run();
  ExpectStopped(rig, {kLiar, Step::kReveal, Check::kCommitments});
}

TEST_F(OldKeyAttackTest, AReshareOfAnotherConstantThanTheOldShareIsRefused) {
  Rig rig(Reshare(), &held_);
  rig.Corrupt(kLiar, &held_).polynomial[0] = Scalar::FromUint64(3);
  rig.Run();
  ExpectStopped(rig, {kLiar, Step::kReveal, Check::kOldKey});
}

TEST_F(OldKeyAttackTest, AReshareThatGivesAJoinerABadShareIsRefused) {
  Rig rig(Reshare(), &held_);
  Liar& liar = rig.Corrupt(kLiar, &held_);
  liar.on_share = [&](uint32_t receiver, const base::SecretBytes& ephemeral, absl::string_view key) {
    return receiver == 5 ? Box(ephemeral, key, Scalar::FromUint64(1),
                               ShareContext(liar.view.Chain(Step::kShares), kLiar, 5))
                         : std::string();
  };
  rig.Run();
  for (Participant* one : rig.HonestOnes()) {
    EXPECT_EQ(one->blame()->finding, (Finding{kLiar, Step::kShares, Check::kShare}));
  }
}

TEST_F(OldKeyAttackTest, WhoHasNoPartInAStepIsNamedWhenItTakesOne) {
  Rig rig(Reshare(), &held_);
  // 4 only receives.
  rig.Corrupt(4, &held_).on_send = [](Content& content) {
    if (content.step == Step::kJoin) content.step = Step::kCommit;
  };
  rig.Run();
  for (Participant* one : rig.HonestOnes()) {
    EXPECT_EQ(one->blame()->finding, (Finding{4, Step::kCommit, Check::kForm}));
  }
}

TEST_F(OldKeyAttackTest, ContributorsThatTogetherCancelACommitmentAreRefusedByTheReceivers) {
  // With quorum 2 of 2 the liars know each other's polynomials: lambda_1 a + lambda_2 b = 0.
  const Held pair = Rig(NewKey({1, 2, 3}, 2)).Make();
  ParametersText text = Again(pair, Kind::kReshare, NewKey({}, 2));
  text.members = {MemberAt(1, Role::kContributor), MemberAt(2, Role::kContributor),
                  MemberAt(3, Role::kReceiver), MemberAt(4, Role::kReceiver)};
  Rig rig(text, &pair);
  const std::vector<Scalar> lambda = threshold::Lagrange(std::vector<uint32_t>{1, 2}).value();
  const Scalar a = rig.Corrupt(1, &pair).polynomial[1];
  rig.Corrupt(2, &pair).polynomial[1] = (Scalar() - lambda[0] * a) * lambda[1].Invert();
  rig.Run();
  for (Participant* one : rig.HonestOnes()) {
    EXPECT_EQ(one->blame()->finding, (Finding{0, Step::kReveal, Check::kGroupKey}));
    EXPECT_TRUE(VerifyEvidence(rig.parameters, {one->blame()->finding, one->blame()->evidence}).ok());
  }
}

TEST_F(OldKeyAttackTest, ContributorsThatMakeAPublicShareVanishAreRefused) {
  // f(3) = 0 for the sum: the new member 3 would hold nothing.
  const Held pair = Rig(NewKey({1, 2, 3}, 2)).Make();
  ParametersText text = Again(pair, Kind::kReshare, NewKey({}, 2));
  text.members = {MemberAt(1, Role::kContributor), MemberAt(2, Role::kContributor),
                  MemberAt(3, Role::kReceiver), MemberAt(4, Role::kReceiver)};
  Rig rig(text, &pair);
  const std::vector<Scalar> lambda = threshold::Lagrange(std::vector<uint32_t>{1, 2}).value();
  const Scalar a = rig.Corrupt(1, &pair).polynomial[1];
  const Scalar key = lambda[0] * pair.shares.at(1) + lambda[1] * pair.shares.at(2);
  const Scalar slope = (Scalar() - key) * Scalar::FromUint64(3).Invert();
  rig.Corrupt(2, &pair).polynomial[1] = (slope - lambda[0] * a) * lambda[1].Invert();
  rig.Run();
  for (Participant* one : rig.HonestOnes()) {
    EXPECT_EQ(one->blame()->finding, (Finding{0, Step::kReveal, Check::kGroupKey}));
  }
}

}  // namespace
}  // namespace raakvlak::crypto::ceremony
