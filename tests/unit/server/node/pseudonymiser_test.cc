#include "server/node/pseudonymiser.h"

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "crypto/disclosure/context.h"
#include "crypto/disclosure/derive.h"
#include "crypto/note/signed_message.h"
#include "crypto/oprf/oprf.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/node/evaluation.h"
#include "server/storage/testing/entries.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using testing::NodeWorld;

class PseudonymiserTest : public ::testing::Test {
 protected:
  std::vector<Identifier> IdentifiersFor(const std::string& partner, const v1::Record& record) {
    const policy::Snapshot snapshot = world_.Snapshot();
    const v1::Partner& self = *snapshot.covenant->FindPartner(partner);
    const auto valid = ValidateRecord(record, *snapshot.covenant, self, world_.clock().Now());
    EXPECT_THAT(valid, IsOk());
    return IdentifiersOf(valid->fields, *valid->purpose, self);
  }

  // The tags of one record at one partner, by rule.
  absl::StatusOr<std::map<std::string, std::string>> Tags(const std::string& partner,
                                                          const v1::Record& record) {
    const policy::Snapshot snapshot = world_.Snapshot();
    std::vector<std::vector<Identifier>> identifiers;
    identifiers.push_back(IdentifiersFor(partner, record));
    const v1::Purpose& purpose = *snapshot.covenant->FindPurpose(record.purpose());
    RAAKVLAK_ASSIGN_OR_RETURN(const auto pseudonyms,
                              world_.node(partner).pseudonymiser->Evaluate(snapshot, purpose, identifiers));
    std::map<std::string, std::string> tags;
    for (const Pseudonym& pseudonym : pseudonyms.front()) {
      RAAKVLAK_ASSIGN_OR_RETURN(const std::string tag,
                                crypto::disclosure::DeriveTag(pseudonym.output, pseudonym.extended_context));
      tags[pseudonym.rule->id()] = tag;
    }
    return tags;
  }

  std::vector<storage::AuditEntry> BadShares(const std::string& partner) {
    storage::AuditFilter filter;
    filter.action = "bad_share";
    return storage::testing::Entries(world_.node(partner).environment.store->audit_log(), filter);
  }

  client::testing::FakeKeyShareClient& Peer(const std::string& of, const std::string& holder) {
    return *world_.node(of).peers.at(holder);
  }

  // Makes `holder` answer politie by `answer`, which gets what an honest holder would say.
  void Corrupt(const std::string& holder,
               std::function<v1::EvaluateResponse(const v1::EvaluateRequest&, v1::EvaluateResponse)> answer) {
    auto honest = Peer("politie", holder).on_evaluate;
    Peer("politie", holder).on_evaluate =
        [honest, answer = std::move(answer)](
            const v1::EvaluateRequest& request) -> absl::StatusOr<v1::EvaluateResponse> {
      RAAKVLAK_ASSIGN_OR_RETURN(v1::EvaluateResponse response, honest(request));
      return answer(request, std::move(response));
    };
  }

  // Signs a changed answer as the holder itself would.
  v1::EvaluateResponse Resign(const std::string& holder, const v1::EvaluateRequest& request,
                              v1::EvaluateResponse response) {
    response.set_signature(crypto::note::SignMessage(world_.region().KeyOf(TestRegion::Urn("node", holder)),
                                                     crypto::note::kEvaluatedKind,
                                                     EvaluatedDigest(request, response)));
    return response;
  }

  NodeWorld world_;
};

TEST_F(PseudonymiserTest, TheOutputIsThatOfTheWholeKey) {
  const policy::Snapshot snapshot = world_.Snapshot();
  const v1::Record record = NodeWorld::RecordOf("r");
  std::vector<std::vector<Identifier>> identifiers;
  identifiers.push_back(IdentifiersFor("politie", record));
  const v1::Purpose& purpose = *snapshot.covenant->FindPurpose(record.purpose());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const auto pseudonyms, world_.node("politie").pseudonymiser->Evaluate(snapshot, purpose, identifiers));
  ASSERT_EQ(pseudonyms.front().size(), 2u);
  for (const Pseudonym& pseudonym : pseudonyms.front()) {
    crypto::disclosure::Context context;
    context.region = "maastricht";
    context.purpose = "onaantastbaren";
    context.identifier_class = static_cast<uint8_t>(pseudonym.rule->identifier_class());
    context.epoch = 1;
    context.rule = pseudonym.rule->id();
    context.rule_version = 1;
    const std::vector<std::string> fields =
        pseudonym.rule->id() == "bsn" ? std::vector<std::string>{"999993847"}
                                      : std::vector<std::string>{"vermeulenokafor", "i", "2014-03-05"};
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const base::SecretBytes input,
                                  crypto::disclosure::EncodeInput(context, fields));
    const absl::string_view bytes = input.Reveal(base::RevealSecret{});
    const auto keyset = world_.KeysetOf("onaantastbaren", pseudonym.rule->identifier_class());
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto point, crypto::oprf::HashToGroup(bytes));
    const base::SecretBytes expected =
        crypto::oprf::Finalize(bytes, point.Mul(world_.KeyOf(keyset->id())).ToElement());
    EXPECT_EQ(pseudonym.output.Reveal(base::RevealSecret{}), expected.Reveal(base::RevealSecret{}));
    EXPECT_EQ(pseudonym.extended_context,
              crypto::disclosure::EncodeExtendedContext(context, 2, keyset->public_key()));
  }
}

TEST_F(PseudonymiserTest, TwoPartnersGetTheSameTagsForOnePerson) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto first, Tags("politie", NodeWorld::RecordOf("a")));
  v1::Record other = NodeWorld::RecordOf("b");
  other.set_surname("VERMEULEN OKAFOR");
  other.set_given_names("I.");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto second, Tags("jeugdzorg", other));
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.size(), 2u);
  EXPECT_NE(first.at("bsn"), first.at("surname-initial-birthdate"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto third,
                                Tags("woningcorporatie", NodeWorld::RecordOf("c", "onaantastbaren", false)));
  EXPECT_EQ(third.size(), 1u);
  EXPECT_EQ(third.at("surname-initial-birthdate"), first.at("surname-initial-birthdate"));
}

TEST_F(PseudonymiserTest, AnotherPersonOrAnotherPurposeGetsOtherTags) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto first, Tags("politie", NodeWorld::RecordOf("a")));
  v1::Record other = NodeWorld::RecordOf("b");
  other.set_bsn("999990019");
  other.set_birth_date("2014-03-06");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto person, Tags("politie", other));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto purpose, Tags("politie", NodeWorld::RecordOf("a", "risicojeugd")));
  std::set<std::string> all;
  for (const auto& tags : {first, person, purpose}) {
    for (const auto& [rule, tag] : tags) all.insert(tag);
  }
  EXPECT_EQ(all.size(), 6u);
}

TEST_F(PseudonymiserTest, AnotherEpochGetsOtherTags) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto first, Tags("politie", NodeWorld::RecordOf("a")));
  // The same key under another epoch: the input differs, so even then nothing can be linked.
  const std::vector<std::string> fields = {"999993847"};
  crypto::disclosure::Context context{"maastricht", "onaantastbaren", 1, 2, "bsn", 1};
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const base::SecretBytes input,
                                crypto::disclosure::EncodeInput(context, fields));
  const absl::string_view bytes = input.Reveal(base::RevealSecret{});
  const auto keyset = world_.KeysetOf("onaantastbaren", v1::BSN);
  const auto output = crypto::oprf::Finalize(
      bytes, crypto::oprf::HashToGroup(bytes)->Mul(world_.KeyOf(keyset->id())).ToElement());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const std::string tag, crypto::disclosure::DeriveTag(output, crypto::disclosure::EncodeExtendedContext(
                                                                       context, 2, keyset->public_key())));
  EXPECT_NE(tag, first.at("bsn"));
}

TEST_F(PseudonymiserTest, ManyRecordsGoInBatchesOfAtMost1024Elements) {
  const policy::Snapshot snapshot = world_.Snapshot();
  std::vector<std::vector<Identifier>> identifiers;
  for (int i = 0; i < 1030; ++i) {
    v1::Record record = NodeWorld::RecordOf("r", "onaantastbaren", false);
    record.set_surname(absl::StrCat("Naam", std::string(static_cast<size_t>(i % 40), 'a'),
                                    std::string(static_cast<size_t>(i / 40), 'b')));
    identifiers.push_back(IdentifiersFor("politie", record));
  }
  std::vector<size_t> sizes;
  base::Mutex mutex;
  Corrupt("gemeente", [&](const v1::EvaluateRequest& request, v1::EvaluateResponse response) {
    base::MutexLock lock(mutex);
    sizes.push_back(request.elements().size() / 32);
    return response;
  });
  Corrupt("jeugdzorg", [&](const v1::EvaluateRequest&, v1::EvaluateResponse response) { return response; });
  Peer("politie", "woningcorporatie").on_evaluate = nullptr;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const auto pseudonyms, world_.node("politie").pseudonymiser->Evaluate(
                                 snapshot, *snapshot.covenant->FindPurpose("onaantastbaren"), identifiers));
  EXPECT_EQ(pseudonyms.size(), 1030u);
  EXPECT_THAT(sizes, ::testing::ElementsAre(1024, 6));
  std::set<std::string> outputs;
  for (const auto& list : pseudonyms)
    outputs.insert(std::string(list.front().output.Reveal(base::RevealSecret{})));
  EXPECT_EQ(outputs.size(), 1030u);
}

TEST_F(PseudonymiserTest, OneHolderAwayIsReplacedByAnother) {
  for (const char* away : {"gemeente", "jeugdzorg", "woningcorporatie"}) {
    world_.Restart("politie");
    const auto honest = Peer("politie", away).on_evaluate;
    Peer("politie", away).on_evaluate = nullptr;
    for (int i = 0; i < 3; ++i) EXPECT_THAT(Tags("politie", NodeWorld::RecordOf("a")), IsOk()) << away;
    Peer("politie", away).on_evaluate = honest;
  }
  EXPECT_TRUE(BadShares("politie").empty());
}

TEST_F(PseudonymiserTest, WithOneHolderTooFewThereIsNoOutput) {
  Peer("politie", "gemeente").on_evaluate = nullptr;
  Peer("politie", "jeugdzorg").on_evaluate = nullptr;
  EXPECT_THAT(Tags("politie", NodeWorld::RecordOf("a")), HasReason("UNAVAILABLE"));
}

TEST_F(PseudonymiserTest, AHolderThatWasAwayIsAskedWhenItIsNeeded) {
  const auto honest = Peer("politie", "gemeente").on_evaluate;
  Peer("politie", "gemeente").on_evaluate = nullptr;
  Peer("politie", "jeugdzorg").on_evaluate = nullptr;
  ASSERT_THAT(Tags("politie", NodeWorld::RecordOf("a")), HasReason("UNAVAILABLE"));
  Peer("politie", "gemeente").on_evaluate = honest;
  EXPECT_THAT(Tags("politie", NodeWorld::RecordOf("a")), IsOk());
}

TEST_F(PseudonymiserTest, TheReasonOfARefusalIsHandedOn) {
  for (const char* holder : {"gemeente", "jeugdzorg"}) {
    Peer("politie", holder).on_evaluate =
        [](const v1::EvaluateRequest&) -> absl::StatusOr<v1::EvaluateResponse> {
      return base::Error(absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED", "spent");
    };
  }
  EXPECT_THAT(Tags("politie", NodeWorld::RecordOf("a")), HasReason("QUOTA_EXCEEDED"));
  EXPECT_TRUE(BadShares("politie").empty());
}

// Elements asked of holders over many tries of politie, while fewer than t of them answer.
class LackOfHoldersTest : public PseudonymiserTest {
 protected:
  LackOfHoldersTest() {
    for (const char* holder : {"gemeente", "jeugdzorg", "woningcorporatie"}) {
      honest_[holder] = Peer("politie", holder).on_evaluate;
      ComesBack(holder);
    }
  }
  void ComesBack(const std::string& holder) {
    Peer("politie", holder).on_evaluate = [this, holder](const v1::EvaluateRequest& request) {
      Count(holder, request);
      return honest_[holder](request);
    };
  }
  void GoesAway(const std::string& holder) { Peer("politie", holder).on_evaluate = nullptr; }
  void Refuses(const std::string& holder, const std::string& only_keyset = "") {
    Peer("politie", holder).on_evaluate =
        [this, holder,
         only_keyset](const v1::EvaluateRequest& request) -> absl::StatusOr<v1::EvaluateResponse> {
      Count(holder, request);
      v1::EvaluateBody body;
      EXPECT_TRUE(body.ParseFromString(request.body()));
      if (!only_keyset.empty() && body.keyset_id() != only_keyset) return honest_[holder](request);
      return base::Error(absl::StatusCode::kResourceExhausted, "QUOTA_EXCEEDED", "spent");
    };
  }
  absl::Status Try() {
    world_.clock().Advance(absl::Seconds(30));
    return Tags("politie", NodeWorld::RecordOf("a")).status();
  }
  int AskedOf(const std::string& holder) {
    base::MutexLock lock(mutex_);
    return asked_[holder];
  }
  int AskedOfOwnShare() {
    storage::AuditFilter filter;
    filter.action = "evaluate";
    return static_cast<int>(
        storage::testing::Entries(world_.node("politie").environment.store->audit_log(), filter).size());
  }

 private:
  void Count(const std::string& holder, const v1::EvaluateRequest& request) {
    base::MutexLock lock(mutex_);
    asked_[holder] += static_cast<int>(request.elements().size() / 32);
  }
  std::map<std::string, std::function<absl::StatusOr<v1::EvaluateResponse>(const v1::EvaluateRequest&)>>
      honest_;
  base::Mutex mutex_;
  std::map<std::string, int> asked_;
};

TEST_F(LackOfHoldersTest, ThoseWhoAnsweredAreNotAskedAgainBeforeTheOthersAreBack) {
  ASSERT_THAT(Try(), IsOk());
  GoesAway("gemeente");
  GoesAway("woningcorporatie");
  const int before = AskedOf("jeugdzorg");
  const int own_before = AskedOfOwnShare();
  for (int i = 0; i < 50; ++i) ASSERT_THAT(Try(), HasReason("UNAVAILABLE"));
  EXPECT_LE(AskedOf("jeugdzorg") - before, 1) << "the element of the first try, of the first class";
  EXPECT_LE(AskedOfOwnShare() - own_before, 1);

  ComesBack("gemeente");
  EXPECT_THAT(Try(), IsOk());
  EXPECT_LE(AskedOf("jeugdzorg") - before, 3);
  GoesAway("jeugdzorg");
  ComesBack("woningcorporatie");
  EXPECT_THAT(Try(), IsOk()) << "another one is enough";
}

TEST_F(LackOfHoldersTest, OneThatComesBackAloneIsAskedOnce) {
  for (const char* holder : {"gemeente", "jeugdzorg", "woningcorporatie"}) GoesAway(holder);
  for (int i = 0; i < 3; ++i) ASSERT_THAT(Try(), HasReason("UNAVAILABLE"));
  ComesBack("jeugdzorg");
  for (int i = 0; i < 50; ++i) ASSERT_THAT(Try(), HasReason("UNAVAILABLE"));
  EXPECT_EQ(AskedOf("jeugdzorg"), 1);
  EXPECT_LE(AskedOfOwnShare(), 2) << "at the start, and when enough others might have been there";
}

TEST_F(LackOfHoldersTest, AQuotaThatIsSpentForOneClassCostsNoneOfTheOther) {
  const std::string person = world_.KeysetOf("onaantastbaren", v1::PERSON)->id();
  Refuses("gemeente", person);
  Refuses("woningcorporatie", person);
  ASSERT_THAT(Try(), HasReason("QUOTA_EXCEEDED"));
  const int before = AskedOf("jeugdzorg");
  const int own_before = AskedOfOwnShare();
  for (int i = 0; i < 50; ++i) ASSERT_THAT(Try(), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(AskedOf("jeugdzorg"), before);
  EXPECT_EQ(AskedOfOwnShare(), own_before);
  ComesBack("woningcorporatie");
  EXPECT_THAT(Try(), IsOk());
}

TEST_F(LackOfHoldersTest, ALiarIsTriedAloneWhenItsTimeIsOver) {
  GoesAway("woningcorporatie");
  Corrupt("gemeente", [](const v1::EvaluateRequest&, v1::EvaluateResponse response) {
    response.clear_proof();
    return response;
  });
  ASSERT_THAT(Try(), HasReason("UNAVAILABLE"));
  const int before = AskedOf("jeugdzorg");
  for (int i = 0; i < 50; ++i) ASSERT_THAT(Try(), HasReason("UNAVAILABLE"));
  EXPECT_EQ(AskedOf("jeugdzorg"), before);
  EXPECT_EQ(BadShares("politie").size(), 3u) << "at the start, and twice in 25 minutes";
}

TEST_F(PseudonymiserTest, EachRequestIsSignedForItsHolderWithAFreshId) {
  std::set<std::string> ids;
  base::Mutex mutex;
  for (const char* holder : {"gemeente", "jeugdzorg", "woningcorporatie"}) {
    Corrupt(holder, [&, holder = std::string(holder)](const v1::EvaluateRequest& request,
                                                      v1::EvaluateResponse response) {
      v1::EvaluateBody body;
      EXPECT_TRUE(body.ParseFromString(request.body()));
      EXPECT_EQ(body.holder(), holder);
      EXPECT_EQ(body.partner(), "politie");
      base::MutexLock lock(mutex);
      EXPECT_TRUE(ids.insert(body.request_id()).second);
      return response;
    });
  }
  ASSERT_THAT(Tags("politie", NodeWorld::RecordOf("a")), IsOk());
  EXPECT_EQ(ids.size(), 4u);
}

class ByzantineHolderTest : public PseudonymiserTest, public ::testing::WithParamInterface<int> {
 protected:
  // Answers of gemeente that are wrong in one way each.
  std::vector<std::pair<
      std::string, std::function<v1::EvaluateResponse(const v1::EvaluateRequest&, v1::EvaluateResponse)>>>
  Lies() {
    const auto resign = [this](const v1::EvaluateRequest& request, v1::EvaluateResponse response) {
      return Resign("gemeente", request, std::move(response));
    };
    // An honest answer of another holder, or of this one to another request.
    const auto ask = [this](const std::string& holder, v1::IdentifierClass identifier_class,
                            const std::string& elements) {
      const auto request =
          MakeEvaluateRequest({world_.KeysetOf("onaantastbaren", identifier_class)->id(), "politie", holder,
                               world_.random().Bytes(16), world_.clock().Now()},
                              elements, world_.region().KeyOf(TestRegion::Urn("node", "politie")));
      return *world_.node(holder).key_share->Evaluate(world_.Snapshot(), "politie", request);
    };
    return {
        {"no signature",
         [](const auto&, auto response) {
           response.clear_signature();
           return response;
         }},
        {"signed by another holder",
         [this](const auto& request, auto response) {
           return Resign("jeugdzorg", request, std::move(response));
         }},
        {"a changed element under the old signature",
         [this](const auto&, auto response) {
           response.mutable_evaluated()->replace(0, 32,
                                                 crypto::group::Element::Generator()
                                                     .Mul(crypto::group::Scalar::Random(world_.random()))
                                                     .Encode());
           return response;
         }},
        {"a wrong element, signed",
         [this, resign](const auto& request, auto response) {
           response.mutable_evaluated()->replace(0, 32,
                                                 crypto::group::Element::Generator()
                                                     .Mul(crypto::group::Scalar::Random(world_.random()))
                                                     .Encode());
           return resign(request, std::move(response));
         }},
        {"the elements of another holder, signed",
         [ask, resign](const auto& request, auto response) {
           const auto other = ask("jeugdzorg", v1::PERSON, request.elements());
           response.set_evaluated(other.evaluated());
           response.set_proof(other.proof());
           return resign(request, std::move(response));
         }},
        {"its share of another key, signed",
         [ask, resign](const auto& request, auto response) {
           const auto other = ask("gemeente", v1::BSN, request.elements());
           response.set_evaluated(other.evaluated());
           response.set_proof(other.proof());
           return resign(request, std::move(response));
         }},
        {"the answer to an earlier request with the same elements",
         [ask](const auto& request, auto) { return ask("gemeente", v1::PERSON, request.elements()); }},
        {"the proof of another batch, signed",
         [this, ask, resign](const auto& request, auto response) {
           response.set_proof(
               ask("gemeente", v1::PERSON, crypto::oprf::Blind("x", world_.random())->blinded.Encode())
                   .proof());
           return resign(request, std::move(response));
         }},
        {"two elements swapped, signed",
         [resign](const auto& request, auto response) {
           const std::string first = response.evaluated().substr(0, 32);
           response.mutable_evaluated()->replace(0, 32, response.evaluated().substr(32, 32));
           response.mutable_evaluated()->replace(32, 32, first);
           return resign(request, std::move(response));
         }},
        {"one element less, signed",
         [resign](const auto& request, auto response) {
           response.mutable_evaluated()->resize(response.evaluated().size() - 32);
           return resign(request, std::move(response));
         }},
        {"one element more, signed",
         [resign](const auto& request, auto response) {
           response.mutable_evaluated()->append(response.evaluated().substr(0, 32));
           return resign(request, std::move(response));
         }},
        {"no elements, signed",
         [resign](const auto& request, auto response) {
           response.clear_evaluated();
           return resign(request, std::move(response));
         }},
        {"the identity, signed",
         [resign](const auto& request, auto response) {
           response.mutable_evaluated()->replace(0, 32, std::string(32, '\0'));
           return resign(request, std::move(response));
         }},
        {"an encoding with its high bit set, signed",
         [resign](const auto& request, auto response) {
           (*response.mutable_evaluated())[31] = static_cast<char>(response.evaluated()[31] | 0x80);
           return resign(request, std::move(response));
         }},
        {"a flipped bit in the proof, signed",
         [resign](const auto& request, auto response) {
           (*response.mutable_proof())[40] = static_cast<char>(response.proof()[40] ^ 1);
           return resign(request, std::move(response));
         }},
        {"no proof, signed",
         [resign](const auto& request, auto response) {
           response.clear_proof();
           return resign(request, std::move(response));
         }},
    };
  }
};

constexpr int kLies = 16;
INSTANTIATE_TEST_SUITE_P(Lies, ByzantineHolderTest, ::testing::Range(0, kLies));

TEST_P(ByzantineHolderTest, IsNamedAndAnotherIsUsed) {
  const auto lies = Lies();
  ASSERT_EQ(lies.size(), static_cast<size_t>(kLies));
  const auto& [name, answer] = lies[static_cast<size_t>(GetParam())];
  SCOPED_TRACE(name);
  // Two elements of one class, so that there is something to swap.
  const policy::Snapshot snapshot = world_.Snapshot();
  std::vector<std::vector<Identifier>> identifiers;
  for (const char* surname : {"Een", "Twee"}) {
    v1::Record record = NodeWorld::RecordOf("r", "onaantastbaren", false);
    record.set_surname(surname);
    identifiers.push_back(IdentifiersFor("politie", record));
  }
  const v1::Purpose& purpose = *snapshot.covenant->FindPurpose("onaantastbaren");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const auto expected, world_.node("jeugdzorg").pseudonymiser->Evaluate(snapshot, purpose, identifiers));
  Corrupt("gemeente", answer);
  for (int round = 0; round < 3; ++round) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto pseudonyms, world_.node("politie").pseudonymiser->Evaluate(
                                                             snapshot, purpose, identifiers));
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(pseudonyms[i].front().output.Reveal(base::RevealSecret{}),
                expected[i].front().output.Reveal(base::RevealSecret{}));
    }
  }
  const auto named = BadShares("politie");
  ASSERT_EQ(named.size(), 1u) << "named once, then left alone";
  EXPECT_EQ(named[0].object, "gemeente");
  EXPECT_EQ(named[0].purpose, "onaantastbaren");
  EXPECT_EQ(named[0].result, "VERIFICATION_FAILED");
  EXPECT_EQ(named[0].actor, "urn:raakvlak:maastricht:node:politie");
  world_.clock().Advance(kDistrust);
  for (int round = 0; round < 3; ++round) {
    ASSERT_THAT(world_.node("politie").pseudonymiser->Evaluate(snapshot, purpose, identifiers), IsOk());
  }
  EXPECT_EQ(BadShares("politie").size(), 2u) << "asked again after a while";
}

TEST_F(PseudonymiserTest, WithTwoLiarsThereIsNoOutputAndBothAreNamed) {
  for (const char* holder : {"gemeente", "jeugdzorg"}) {
    Corrupt(holder, [](const v1::EvaluateRequest&, v1::EvaluateResponse response) {
      response.clear_proof();
      return response;
    });
  }
  EXPECT_THAT(Tags("politie", NodeWorld::RecordOf("a", "onaantastbaren", false)), HasReason("UNAVAILABLE"));
  std::set<std::string> named;
  for (const auto& entry : BadShares("politie")) named.insert(entry.object);
  EXPECT_THAT(named, ::testing::ElementsAre("gemeente", "jeugdzorg"));
}

TEST_F(PseudonymiserTest, AClockThatIsSetBackDoesNotLengthenDistrust) {
  const auto keyset = world_.KeysetOf("onaantastbaren", v1::PERSON);
  Holders& holders = *world_.node("politie").holders;
  ASSERT_EQ(holders.CandidatesFor(*keyset).size(), 4u);
  holders.Lied(*keyset, "gemeente");
  EXPECT_EQ(holders.CandidatesFor(*keyset).size(), 3u);
  world_.clock().Advance(-absl::Hours(24));
  EXPECT_EQ(holders.CandidatesFor(*keyset).size(), 4u);
}

TEST_F(PseudonymiserTest, ASuspendedHolderIsNotAsked) {
  world_.region().Suspend("gemeente");
  int asked = 0;
  Peer("politie", "gemeente").on_evaluate =
      [&](const v1::EvaluateRequest&) -> absl::StatusOr<v1::EvaluateResponse> {
    ++asked;
    return absl::UnknownError("");
  };
  EXPECT_THAT(Tags("politie", NodeWorld::RecordOf("a")), IsOk());
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace raakvlak::node
