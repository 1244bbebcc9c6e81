// What the relay between the members can do, alone and with a member: it delays, and it stops; nothing it
// does makes an honest member take another key than the others, or names an honest member with proof.
#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/unit/crypto/ceremony/rig.h"

namespace raakvlak::crypto::ceremony {
namespace {

using testing::FirstIndices;
using testing::Held;
using testing::KeyOf;
using testing::NewKey;
using testing::Rig;

using Messages = std::vector<SignedMessage>;
using Relay = std::function<Messages(const SignedMessage& message, uint32_t to)>;

constexpr uint32_t kLiesToo = 2;

Content Read(const Rig& rig, const SignedMessage& message) { return Open(rig.parameters, message).value(); }

enum class Result {
  // All have the key all the same.
  kDone,
  // Nobody has it and nobody is blamed; when the relay passes everything on after all, all have it.
  kWaits,
};

struct RelayAttack {
  std::string name;
  Result result;
  // Reason of the errors that members answer with, or "".
  std::string refused;
  std::function<Relay(Rig& rig)> make;
};

// `change` is done to shares and joins, in the place of the message or beside it.
RelayAttack Forging(std::string name, bool instead, std::string reason,
                    std::function<void(const Content& content, SignedMessage& message)> change) {
  return {std::move(name), instead ? Result::kWaits : Result::kDone, std::move(reason), [=](Rig& rig) {
            return [&rig, instead, change](const SignedMessage& message, uint32_t) {
              const Content content = Read(rig, message);
              if (content.step != Step::kShares && content.step != Step::kJoin) return Messages{message};
              SignedMessage forged = message;
              change(content, forged);
              return instead ? Messages{forged} : Messages{forged, message};
            };
          }};
}

void SwapBoxes(const Content& content, SignedMessage& message) {
  if (content.step != Step::kShares) return;
  const size_t first = kHeaderSize + kBoxKeySize;
  const std::string box = message.body.substr(first, kEncryptedShareSize);
  message.body.erase(first, kEncryptedShareSize);
  message.body.insert(first + kEncryptedShareSize, box);
}

std::vector<RelayAttack> RelayAttacks() {
  std::vector<RelayAttack> out;
  for (int number = 1; number <= kNumSteps; ++number) {
    const auto step = static_cast<Step>(number);
    for (const uint32_t receiver : {0u, 3u}) {
      out.push_back({"DropsOrDelays" + std::string(StepName(step)) + (receiver == 0 ? "ForAll" : "ForOne"),
                     Result::kWaits, "", [=](Rig& rig) {
                       return [&rig, step, receiver](const SignedMessage& message, uint32_t to) {
                         const Content content = Read(rig, message);
                         const bool drop = content.step == step && content.sender == kLiesToo &&
                                           (receiver == 0 || receiver == to);
                         return drop ? Messages{} : Messages{message};
                       };
                     }});
    }
  }
  out.push_back({"TellsTheMembersNothingOfEachOther", Result::kWaits, "",
                 [](Rig&) { return [](const SignedMessage&, uint32_t) { return Messages{}; }; }});
  out.push_back({"KeepsTwoAndTwoApart", Result::kWaits, "", [](Rig& rig) {
                   return [&rig](const SignedMessage& message, uint32_t to) {
                     const bool same_side = (Read(rig, message).sender <= 2) == (to <= 2);
                     return same_side ? Messages{message} : Messages{};
                   };
                 }});
  out.push_back({"Reorders", Result::kDone, "", [](Rig& rig) {
                   rig.shuffle = 11;
                   return rig.relay;
                 }});
  out.push_back({"ReplaysAllThatWasSaid", Result::kDone, "", [](Rig&) {
                   auto said = std::make_shared<Messages>();
                   return [said](const SignedMessage& message, uint32_t) {
                     said->push_back(message);
                     return *said;
                   };
                 }});
  out.push_back({"HandsMembersTheirOwnMessages", Result::kDone, "", [](Rig& rig) {
                   return [&rig](const SignedMessage& message, uint32_t to) {
                     Messages handed = rig.At(to)->Sent();
                     handed.push_back(message);
                     return handed;
                   };
                 }});
  out.push_back({"ReplaysAnEarlierAttempt", Result::kDone, base::reason::kInvalidArgument, [](Rig&) {
                   ParametersText text = NewKey(FirstIndices(4), 3);
                   text.attempt = 7;
                   auto earlier = std::make_shared<Rig>(text);
                   earlier->Run();
                   return [earlier](const SignedMessage& message, uint32_t to) {
                     Messages handed = earlier->At(to == 1 ? 3 : 1)->Sent();
                     handed.push_back(message);
                     return handed;
                   };
                 }});
  for (const bool instead : {true, false}) {
    const std::string how = instead ? "InPlace" : "Beside";
    const std::string invalid = base::reason::kSignatureInvalid;
    out.push_back(Forging("SwapsTheBoxesOfTwoReceivers" + how, instead, invalid,
                          [](const Content& content, SignedMessage& message) {
                            if (content.step == Step::kShares) return SwapBoxes(content, message);
                            message.body.back() ^= 1;
                          }));
    out.push_back(Forging("SaysThatAnotherSentIt" + how, instead, invalid,
                          [](const Content& content, SignedMessage& message) {
                            message.body[kHeaderSize - 1] = content.sender == 1 ? 2 : 1;
                          }));
    out.push_back(Forging("SaysThatItIsOfAnotherStep" + how, instead, invalid,
                          [](const Content& content, SignedMessage& message) {
                            message.body[0] =
                                static_cast<char>(content.step == Step::kJoin ? Step::kCommit : Step::kJoin);
                          }));
    out.push_back(Forging("MovesItToAnotherView" + how, instead, invalid,
                          [](const Content&, SignedMessage& message) { message.body[33] ^= 1; }));
    out.push_back(Forging("CutsIt" + how, instead, base::reason::kMalformed,
                          [](const Content&, SignedMessage& message) { message.body.resize(10); }));
  }
  return out;
}

TEST(RelayTest, AloneItDelaysOrStopsAndNobodyIsBlamed) {
  for (const RelayAttack& attack : RelayAttacks()) {
    SCOPED_TRACE(attack.name);
    Rig rig(NewKey(FirstIndices(4), 3));
    const Relay honest = rig.relay;
    rig.relay = attack.make(rig);
    rig.Run();
    const bool refused = rig.refused.size() == 1 && rig.refused.begin()->first == attack.refused;
    EXPECT_TRUE(attack.refused.empty() ? rig.refused.empty() : refused);
    size_t without = 0;
    for (Participant* one : rig.HonestOnes()) {
      EXPECT_FALSE(one->blame().has_value()) << "index " << one->index();
      if (!one->outcome().has_value()) ++without;
      EXPECT_EQ(one->outcome().has_value(), one->Missing().empty());
    }
    EXPECT_EQ(without == 0, attack.result == Result::kDone) << without;
    rig.relay = honest;
    EXPECT_EQ(rig.Make().shares.size(), 4u);
  }
}

TEST(RelayTest, WhoIsKeptWaitingNamesThoseItHeardNothingOfAndProvesNothing) {
  Rig rig(NewKey(FirstIndices(4), 3));
  rig.relay = [&](const SignedMessage& message, uint32_t to) {
    const bool same_side = (Read(rig, message).sender <= 2) == (to <= 2);
    return same_side ? Messages{message} : Messages{};
  };
  rig.Run();
  EXPECT_EQ(rig.At(1)->Missing(), (std::vector<uint32_t>{3, 4}));
  EXPECT_EQ(rig.At(4)->Missing(), (std::vector<uint32_t>{1, 2}));
  const Messages word = rig.At(1)->GiveUp();
  ASSERT_TRUE(rig.At(2)->Receive(word.at(0)).ok());
  const Finding expected{3, Step::kJoin, Check::kMissing};
  EXPECT_EQ(rig.At(2)->blame()->finding, expected);
  EXPECT_FALSE(VerifyEvidence(rig.parameters, {expected, rig.At(2)->blame()->evidence}).ok());
}

// With a member.

// The relay hands `to` another version of one message, which its sender signed too.
void ShowAnother(Rig& rig, Step step, uint32_t to_whom, std::function<void(Content& content)> change) {
  rig.relay = [&rig, step, to_whom, change](const SignedMessage& message, uint32_t to) {
    Content content = Read(rig, message);
    if (content.sender != kLiesToo || content.step != step || to != to_whom) return Messages{message};
    change(content);
    return Messages{SignContent(rig.parameters, content, KeyOf(kLiesToo))};
  };
}

TEST(RelayTest, WithAMemberThatSpeaksWithTwoTonguesNobodyHasAKeyAndTheMemberIsNamed) {
  struct Case {
    Step step;
    // Where 4 gets another byte; nothing in it is wrong for 4 itself but for a reveal, which it can check.
    size_t at;
  };
  for (const auto& [step, at] :
       std::vector<Case>{{Step::kJoin, 0}, {Step::kCommit, 5}, {Step::kReveal, 3}, {Step::kShares, 40}}) {
    SCOPED_TRACE(StepName(step).data());
    Rig rig(NewKey(FirstIndices(4), 3));
    rig.Corrupt(kLiesToo);
    ShowAnother(rig, step, 4, [at = at](Content& content) { content.bytes[at] ^= 1; });
    rig.Run();
    for (Participant* one : rig.HonestOnes()) {
      EXPECT_FALSE(one->outcome().has_value());
      ASSERT_TRUE(one->blame().has_value()) << one->index();
      EXPECT_EQ(one->blame()->finding.culprit, kLiesToo);
      EXPECT_TRUE(VerifyEvidence(rig.parameters, {one->blame()->finding, one->blame()->evidence}).ok());
    }
  }
}

TEST(RelayTest, AfterTwoCertificatesOfAMemberSomeHaveTheKeyThatAllCertifiedAndSomeHaveNone) {
  // Certificates are the last word, so somebody may always lack the last one. That is why a key is used only
  // under a keyset that all its holders signed: 4, which has none, does not sign.
  Rig rig(NewKey(FirstIndices(4), 3));
  rig.Corrupt(kLiesToo);
  ShowAnother(rig, Step::kCertificate, 4, [](Content& content) { content.chain[9] ^= 1; });
  rig.Run();
  ASSERT_TRUE(rig.At(1)->outcome().has_value());
  EXPECT_FALSE(rig.At(4)->outcome().has_value());
  for (Participant* one : rig.HonestOnes()) {
    // The certificate that it signed, whether or not it has the key.
    const Content own = Read(rig, one->Sent().at(4));
    EXPECT_EQ(own.step, Step::kCertificate);
    EXPECT_EQ(own.chain, rig.At(1)->outcome()->transcript_hash);
    if (one->outcome().has_value()) continue;
    ASSERT_TRUE(one->blame().has_value());
    const Finding expected{kLiesToo, Step::kCertificate, Check::kEquivocation};
    EXPECT_EQ(one->blame()->finding, expected);
    EXPECT_TRUE(VerifyEvidence(rig.parameters, {expected, one->blame()->evidence}).ok());
  }
}

TEST(RelayTest, WithAllButOneMemberItStillCannotGiveTheLastAKeyOfAnotherTranscript) {
  // 1, 2 and 3 are against 4: two versions of each liar's join, so that 4 is in a session of its own.
  Rig rig(NewKey(FirstIndices(4), 3));
  for (const uint32_t liar : {1u, 2u, 3u}) rig.Corrupt(liar);
  rig.relay = [&](const SignedMessage& message, uint32_t to) {
    Content content = Read(rig, message);
    if (content.step != Step::kJoin || to != 4) return Messages{message};
    content.bytes[1] ^= 1;
    return Messages{SignContent(rig.parameters, content, KeyOf(content.sender))};
  };
  rig.Run();
  EXPECT_FALSE(rig.At(4)->outcome().has_value());
  ASSERT_TRUE(rig.At(4)->blame().has_value());
  EXPECT_EQ(rig.At(4)->blame()->finding.check, Check::kView);
  EXPECT_NE(rig.At(4)->blame()->finding.culprit, 4u);
}

}  // namespace
}  // namespace raakvlak::crypto::ceremony
