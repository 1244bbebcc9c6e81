#include "server/broker/ceremony_relay.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/signed_message.h"
#include "gmock/gmock.h"
#include "server/broker/ceremony_text.h"
#include "server/broker/expiry.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace reason = base::reason;

class CeremonyRelayTest : public ::testing::Test {
 protected:
  std::string Parameters(uint32_t attempt = 1) {
    return absl::StrCat("raakvlak/v1/ceremony\nsuite ristretto255-SHA512\nkind reshare\nregion maastricht\n",
                        "purpose ", testing::kListPurpose, "\nclass 2\nepoch 1\nattempt ", attempt,
                        "\ncovenant ", base::Hex(region_.Snapshot().covenant->id()),
                        "\nquorum 2\nmember 1 politie both AAAA\nmember 2 gemeente both BBBB\n"
                        "member 3 jeugdzorg receiver CCCC\nmember 4 woningcorporatie receiver DDDD\n"
                        "keyset abab\nold 0 DDDD\nold 1 EEEE\n");
  }
  static v1::ProposeRequest Proposal(const std::string& parameters) {
    v1::ProposeRequest request;
    request.set_parameters(parameters);
    request.set_purpose(testing::kListPurpose);
    request.set_identifier_class(v1::PERSON);
    request.set_epoch(1);
    request.set_kind("reshare");
    return request;
  }
  std::string Propose(uint32_t attempt = 1, const std::string& partner = "politie") {
    const auto response = relay_.Propose(region_.Node(partner), Proposal(Parameters(attempt)));
    EXPECT_THAT(response, IsOk());
    return response.ok() ? response->ceremony_id() : "";
  }
  // What relay_.Propose says of the parameters after a change.
  absl::Status ProposeWith(const std::string& before, const std::string& after) {
    const std::string parameters = absl::StrReplaceAll(Parameters(), {{before, after}});
    EXPECT_NE(parameters, Parameters());
    return relay_.Propose(region_.Node("politie"), Proposal(parameters)).status();
  }

  v1::CeremonyMessage Sign(const std::string& partner, const std::string& body,
                           const char* kind = crypto::note::kCeremonyKind) {
    v1::CeremonyMessage message;
    message.set_body(body);
    message.set_signature(
        crypto::note::SignMessage(region_.region().KeyOf(TestRegion::Urn("node", partner)), kind, body));
    return message;
  }
  static std::string Body(uint32_t step, const std::string& id, uint32_t sender,
                          const std::string& content = "content") {
    return absl::StrCat(std::string(1, static_cast<char>(step)), id, std::string(32, 'c'),
                        std::string(1, static_cast<char>(sender)), content);
  }
  absl::Status Post(const std::string& partner, const std::vector<v1::CeremonyMessage>& messages,
                    const std::string& id, const std::string& keyset = "") {
    v1::PostRequest request;
    request.set_ceremony_id(id);
    for (const v1::CeremonyMessage& message : messages) *request.add_messages() = message;
    request.set_keyset(keyset);
    return relay_.Post(region_.Node(partner), request).status();
  }
  v1::FetchResponse Fetch(const std::string& id, uint64_t after = 0) {
    v1::FetchRequest request;
    request.set_ceremony_id(id);
    request.set_after(after);
    const auto response = relay_.Fetch(region_.Node("jeugdzorg"), request);
    EXPECT_THAT(response, IsOk());
    return response.ok() ? *response : v1::FetchResponse();
  }
  std::vector<std::string> Contents(const v1::FetchResponse& response) {
    std::vector<std::string> contents;
    for (const v1::CeremonyMessage& message : response.messages())
      contents.push_back(message.body().substr(66));
    return contents;
  }
  std::vector<std::string> Objects(const std::string& action) {
    std::vector<std::string> objects;
    for (const storage::AuditEntry& entry : store_.Audit(action)) {
      EXPECT_EQ(entry.purpose, testing::kListPurpose);
      objects.push_back(entry.object);
    }
    return objects;
  }
  void ExpectRefused(const absl::Status& status, const char* why, const std::string& rpc) {
    EXPECT_THAT(status, HasReason(why));
    const auto refusals = store_.Audit("refuse");
    ASSERT_FALSE(refusals.empty());
    EXPECT_EQ(refusals.back().result, why);
    EXPECT_THAT(refusals.back().object, ::testing::StartsWith("/raakvlak.v1.Ceremony/" + rpc));
  }

  testing::BrokerRegion region_;
  testing::FailingStore store_;
  CeremonyRelay relay_{store_, region_.clock()};
};

TEST_F(CeremonyRelayTest, ProposedCeremonyIsListedAndProposedAgainIsTheSame) {
  const std::string id = Propose();
  EXPECT_EQ(id, base::Sha256(Parameters()));
  EXPECT_EQ(Propose(1, "gemeente"), id);
  EXPECT_THAT(Objects("ceremony_propose"), ElementsAre(base::Hex(id), base::Hex(id)));
  const auto list = relay_.ListCeremonies();
  ASSERT_THAT(list, IsOk());
  ASSERT_EQ(list->ceremonies_size(), 1);
  const v1::CeremonyInfo& info = list->ceremonies(0);
  EXPECT_EQ(info.ceremony_id(), id);
  EXPECT_EQ(info.purpose(), testing::kListPurpose);
  EXPECT_EQ(info.identifier_class(), v1::PERSON);
  EXPECT_EQ(info.epoch(), 1u);
  EXPECT_EQ(info.kind(), "reshare");
  EXPECT_EQ(info.proposed_by(), "politie");
  EXPECT_EQ(info.proposed_ms(), absl::ToUnixMillis(region_.clock().Now()));
  EXPECT_EQ(Fetch(id).parameters(), Parameters());
}

TEST_F(CeremonyRelayTest, ProposalThatTheLogWouldMisstateIsRefused) {
  for (const auto& change : std::vector<std::function<void(v1::ProposeRequest&)>>{
           [](v1::ProposeRequest& r) { r.set_purpose(testing::kCasePurpose); },
           [](v1::ProposeRequest& r) { r.set_identifier_class(v1::BSN); },
           [](v1::ProposeRequest& r) { r.set_epoch(2); },
           [](v1::ProposeRequest& r) { r.set_kind("refresh"); }}) {
    v1::ProposeRequest request = Proposal(Parameters());
    change(request);
    ExpectRefused(relay_.Propose(region_.Node("politie"), request).status(), reason::kInvalidArgument,
                  "Propose");
  }
}

TEST_F(CeremonyRelayTest, ParametersThatAreNoneAreRefused) {
  EXPECT_THAT(ProposeWith("raakvlak/v1/ceremony", "raakvlak/v2/ceremony"),
              HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("epoch 1", "epoch 0"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("class 2", "class 4"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("kind reshare", "kind renew"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("epoch 1", "epoch 1\nepoch 1"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("region maastricht", "region almere"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("member 2 gemeente", "member 1 gemeente"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("member 2 gemeente", "member 2 politie"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("member 2 gemeente", "member 33 gemeente"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("member 2 gemeente", "member 2 brandweer"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("gemeente both", "gemeente dealer"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("gemeente both BBBB", "gemeente both"), HasReason(reason::kInvalidArgument));
  // All key holders take part and nobody else, or who is in a ceremony alone would end it alone.
  EXPECT_THAT(ProposeWith("gemeente both", "gemeente contributor"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("member 2 gemeente both BBBB\n", ""), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("member 1 politie both AAAA\n", ""), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("member 2 gemeente", "member 7 gemeente"), HasReason(reason::kInvalidArgument));
  EXPECT_THAT(ProposeWith("old 1 EEEE", std::string(CeremonyRelay::kMaxParameters, 'E')),
              HasReason(reason::kTooLarge));
  const std::string id = base::Hex(region_.Snapshot().covenant->id());
  EXPECT_THAT(ProposeWith(id, id.substr(2)), HasReason(reason::kInvalidArgument));
  ExpectRefused(ProposeWith(id, std::string(64, 'a')), reason::kCovenantMismatch, "Propose");
  EXPECT_THAT(store_.Audit("ceremony_propose"), IsEmpty());
}

TEST_F(CeremonyRelayTest, PurposeThatNoCovenantHasIsRefused) {
  const std::string parameters = absl::StrReplaceAll(Parameters(), {{testing::kListPurpose, "other"}});
  v1::ProposeRequest request = Proposal(parameters);
  request.set_purpose("other");
  ExpectRefused(relay_.Propose(region_.Node("politie"), request).status(), reason::kPurposeUnknown,
                "Propose");
  EXPECT_EQ(store_.Audit("refuse").back().purpose, "");
}

TEST_F(CeremonyRelayTest, OnePartnerHasSoManyOpenCeremoniesAndOthersHaveTheirOwn) {
  uint32_t attempt = 0;
  while (attempt < CeremonyRelay::kMaxOpen) Propose(++attempt);
  const auto refused = relay_.Propose(region_.Node("politie"), Proposal(Parameters(attempt + 1)));
  ExpectRefused(refused.status(), reason::kQuotaExceeded, "Propose");
  EXPECT_EQ(relay_.ListCeremonies()->ceremonies_size(), static_cast<int>(CeremonyRelay::kMaxOpen));
  Propose(attempt + 1, "gemeente");
  region_.clock().Advance(CeremonyRelay::kOpenFor + absl::Seconds(1));
  Propose(attempt + 2);
}

TEST_F(CeremonyRelayTest, MessagesReachAllInOrderAndFirstOfAStepIsLogged) {
  const std::string id = Propose();
  ASSERT_THAT(Post("politie", {Sign("politie", Body(1, id, 1, "one"))}, id), IsOk());
  ASSERT_THAT(Post("gemeente",
                   {Sign("gemeente", Body(1, id, 2, "two")), Sign("gemeente", Body(2, id, 2, "three"))}, id),
              IsOk());
  const v1::FetchResponse all = Fetch(id);
  EXPECT_THAT(Contents(all), ElementsAre("one", "two", "three"));
  EXPECT_FALSE(all.more());
  EXPECT_EQ(all.messages(0).signature(), Sign("politie", Body(1, id, 1, "one")).signature());
  EXPECT_EQ(relay_.ListCeremonies()->ceremonies(0).last(), all.last());
  EXPECT_THAT(Contents(Fetch(id, all.last())), IsEmpty());
  EXPECT_EQ(Fetch(id, all.last()).last(), all.last());
  EXPECT_THAT(Objects("ceremony_post"),
              ElementsAre(base::Hex(id) + " join", base::Hex(id) + " join", base::Hex(id) + " commit"));
}

TEST_F(CeremonyRelayTest, SameMessageIsKeptOnceAndAnotherOfTheStepIsPassedOn) {
  const std::string id = Propose();
  const v1::CeremonyMessage one = Sign("politie", Body(1, id, 1, "one"));
  ASSERT_THAT(Post("politie", {one, one}, id), IsOk());
  ASSERT_THAT(Post("politie", {one}, id), IsOk());
  ASSERT_THAT(Post("politie", {Sign("politie", Body(1, id, 1, "another"))}, id), IsOk());
  EXPECT_THAT(Contents(Fetch(id)), ElementsAre("one", "another"));
  EXPECT_THAT(Objects("ceremony_post"), ElementsAre(base::Hex(id) + " join"));
}

TEST_F(CeremonyRelayTest, NobodyTakesThePlaceOfAnother) {
  const std::string id = Propose();
  const std::string body = Body(1, id, 1);
  // Signed by politie, posted by another; signed by gemeente in the name of politie; of a wrong index, kind,
  // ceremony and step.
  ExpectRefused(Post("gemeente", {Sign("politie", body)}, id), reason::kInvalidArgument, "Post");
  ExpectRefused(Post("gemeente", {Sign("politie", Body(1, id, 2))}, id), reason::kSignatureInvalid, "Post");
  ExpectRefused(Post("politie", {Sign("gemeente", body)}, id), reason::kSignatureInvalid, "Post");
  ExpectRefused(Post("politie", {Sign("politie", Body(1, id, 2))}, id), reason::kInvalidArgument, "Post");
  ExpectRefused(Post("politie", {Sign("politie", body, "evaluate")}, id), reason::kSignatureInvalid, "Post");
  ExpectRefused(Post("politie", {Sign("politie", Body(1, Propose(2), 1))}, id), reason::kInvalidArgument,
                "Post");
  ExpectRefused(Post("politie", {Sign("politie", Body(0, id, 1))}, id), reason::kInvalidArgument, "Post");
  ExpectRefused(Post("politie", {Sign("politie", Body(7, id, 1))}, id), reason::kInvalidArgument, "Post");
  ExpectRefused(Post("politie", {Sign("politie", body.substr(0, 65))}, id), reason::kInvalidArgument, "Post");
  EXPECT_THAT(Contents(Fetch(id)), IsEmpty());
  EXPECT_THAT(store_.Audit("ceremony_post"), IsEmpty());
}

TEST_F(CeremonyRelayTest, RefusedPostLeavesNothingOfItself) {
  const std::string id = Propose();
  EXPECT_THAT(Post("politie", {Sign("politie", Body(1, id, 1)), Sign("politie", Body(2, id, 2))}, id),
              HasReason(reason::kInvalidArgument));
  EXPECT_THAT(Contents(Fetch(id)), IsEmpty());
  EXPECT_THAT(store_.Audit("ceremony_post"), IsEmpty());
}

TEST_F(CeremonyRelayTest, OneSenderHasSoManyMessagesInACeremony) {
  const std::string id = Propose();
  for (int i = 0; i < CeremonyRelay::kMaxMessages; ++i) {
    ASSERT_THAT(Post("politie", {Sign("politie", Body(1, id, 1, absl::StrCat(i)))}, id), IsOk());
  }
  ExpectRefused(Post("politie", {Sign("politie", Body(2, id, 1))}, id), reason::kQuotaExceeded, "Post");
  EXPECT_THAT(Post("politie", {Sign("politie", Body(1, id, 1, "0"))}, id), IsOk());
  EXPECT_THAT(Post("gemeente", {Sign("gemeente", Body(1, id, 2))}, id), IsOk());
  EXPECT_EQ(Fetch(id).messages_size(), CeremonyRelay::kMaxMessages + 1);
}

TEST_F(CeremonyRelayTest, OversizedPostsAreRefused) {
  const std::string id = Propose();
  const std::string fits = Body(6, id, 1, std::string(CeremonyRelay::kMaxBody - 66, 'x'));
  EXPECT_THAT(Post("politie", {Sign("politie", fits)}, id), IsOk());
  ExpectRefused(Post("politie", {Sign("politie", fits + "x")}, id), reason::kTooLarge, "Post");
  const std::vector<v1::CeremonyMessage> many(CeremonyRelay::kMaxMessages + 1,
                                              Sign("politie", Body(1, id, 1)));
  ExpectRefused(Post("politie", many, id), reason::kTooLarge, "Post");
  ExpectRefused(Post("politie", {}, id, std::string(CeremonyRelay::kMaxKeyset + 1, 'k')), reason::kTooLarge,
                "Post");
}

TEST_F(CeremonyRelayTest, LargeAnswersComeInParts) {
  const std::string id = Propose();
  for (int i = 0; i < 15; ++i) {
    for (const auto& [partner, index] : {std::pair("politie", 1), std::pair("gemeente", 2)}) {
      const std::string content = absl::StrCat(i, std::string(CeremonyRelay::kMaxBody - 100, 'x'));
      ASSERT_THAT(Post(partner, {Sign(partner, Body(6, id, static_cast<uint32_t>(index), content))}, id),
                  IsOk());
    }
  }
  const v1::FetchResponse first = Fetch(id);
  EXPECT_TRUE(first.more());
  EXPECT_EQ(first.messages_size(), 15);
  const v1::FetchResponse second = Fetch(id, first.last());
  EXPECT_FALSE(second.more());
  EXPECT_EQ(second.messages_size(), 15);
}

TEST_F(CeremonyRelayTest, KeysetsAreHandedOutWhenEachReceiverPostedOne) {
  const std::string id = Propose();
  Propose(2);
  ASSERT_THAT(Post("politie", {}, id, "of politie"), IsOk());
  ASSERT_THAT(Post("politie", {}, id, "another"), IsOk());
  ASSERT_THAT(Post("gemeente", {}, id, "of gemeente"), IsOk());
  ASSERT_THAT(Post("woningcorporatie", {}, id, "of woningcorporatie"), IsOk());
  EXPECT_EQ(relay_.Keysets()->ceremonies_size(), 0);
  EXPECT_THAT(Fetch(id).keysets(), ElementsAre("of gemeente", "of politie", "of woningcorporatie"));
  ASSERT_THAT(Post("jeugdzorg", {}, id, "of jeugdzorg"), IsOk());
  const auto keysets = relay_.Keysets();
  ASSERT_EQ(keysets->ceremonies_size(), 1);
  EXPECT_EQ(keysets->ceremonies(0).ceremony_id(), id);
  EXPECT_THAT(keysets->ceremonies(0).keysets(),
              ElementsAre("of gemeente", "of jeugdzorg", "of politie", "of woningcorporatie"));
  EXPECT_THAT(Objects("ceremony_post"), ::testing::Each(base::Hex(id) + " keyset"));
  EXPECT_EQ(Objects("ceremony_post").size(), 4u);
  EXPECT_EQ(relay_.ListCeremonies()->ceremonies(0).keysets(), 4u);
}

TEST_F(CeremonyRelayTest, WhoSaysThatItStoppedPostsNoKeysetAndTheOtherWayRound) {
  const std::string id = Propose();
  const auto abort = [&](const std::string& partner, uint32_t index) {
    return Sign(partner, Body(6, id, index, "abort"));
  };
  ASSERT_THAT(Post("politie", {abort("politie", 1)}, id), IsOk());
  ExpectRefused(Post("politie", {}, id, "of politie"), reason::kAlreadyEnded, "Post");
  ASSERT_THAT(Post("gemeente", {}, id, "of gemeente"), IsOk());
  ExpectRefused(Post("gemeente", {abort("gemeente", 2)}, id), reason::kAlreadyEnded, "Post");
  ExpectRefused(Post("jeugdzorg", {abort("jeugdzorg", 3)}, id, "of jeugdzorg"), reason::kAlreadyEnded,
                "Post");
  EXPECT_THAT(Fetch(id).keysets(), ElementsAre("of gemeente"));
  EXPECT_EQ(Fetch(id).messages_size(), 1);
  EXPECT_THAT(Post("gemeente", {}, id, "of gemeente"), IsOk()) << "again is the same as once";
  EXPECT_THAT(Post("politie", {abort("politie", 1)}, id), IsOk());
}

TEST_F(CeremonyRelayTest, KeysAreNotMadeForACovenantThatWasSuperseded) {
  const std::string old_parameters = Parameters();
  region_.clock().Advance(absl::Minutes(1));
  region_.region().NextCovenant();
  region_.region().roster().set_number(region_.region().roster().number() + 1);
  region_.region().Write();
  ExpectRefused(relay_.Propose(region_.Node("politie"), Proposal(old_parameters)).status(),
                reason::kCovenantMismatch, "Propose");
  EXPECT_NE(Parameters(), old_parameters);
  Propose();
}

TEST_F(CeremonyRelayTest, UnknownCeremonyIsNotFound) {
  const std::string id = base::Sha256("none");
  ExpectRefused(Post("politie", {Sign("politie", Body(1, id, 1))}, id), reason::kNotFound, "Post");
  v1::FetchRequest request;
  request.set_ceremony_id(id);
  ExpectRefused(relay_.Fetch(region_.Node("politie"), request).status(), reason::kNotFound, "Fetch");
}

TEST_F(CeremonyRelayTest, StoreThatFailsIsToldAndNothingIsAnswered) {
  const std::string id = Propose();
  store_.FailWrites(testing::FailingStore::Fail::kBefore);
  EXPECT_THAT(Post("politie", {Sign("politie", Body(1, id, 1))}, id), HasReason(reason::kStorageFailed));
  EXPECT_THAT(relay_.Propose(region_.Node("politie"), Proposal(Parameters(2))),
              HasReason(reason::kStorageFailed));
  store_.FailWrites(testing::FailingStore::Fail::kNever);
  EXPECT_THAT(Contents(Fetch(id)), IsEmpty());
}

TEST_F(CeremonyRelayTest, ExpiryClearsMessagesAfterNinetyDaysAndLeavesKeysets) {
  const std::string made = Propose(1);
  const std::string stopped = Propose(2);
  for (const std::string& id : {made, stopped}) {
    ASSERT_THAT(Post("politie", {Sign("politie", Body(1, id, 1))}, id), IsOk());
  }
  for (const char* partner : {"politie", "gemeente", "jeugdzorg", "woningcorporatie"})
    ASSERT_THAT(Post(partner, {}, made, "keyset"), IsOk());
  Expiry expiry(store_, region_.clock(), "urn:raakvlak:maastricht:broker:centre");
  region_.clock().Advance(absl::Hours(24 * 89));
  ASSERT_THAT(expiry.Run({}), IsOk());
  EXPECT_EQ(relay_.ListCeremonies()->ceremonies_size(), 2);
  EXPECT_EQ(relay_.ListCeremonies()->ceremonies(1).last(), 2u);
  region_.clock().Advance(absl::Hours(24 * 2));
  ASSERT_THAT(expiry.Run({}), IsOk());
  EXPECT_EQ(relay_.ListCeremonies()->ceremonies_size(), 0);
  EXPECT_EQ(relay_.Keysets()->ceremonies_size(), 1);
  const auto read = [](storage::BrokerReader& reader) -> absl::Status {
    EXPECT_EQ(reader.ceremonies().List(0)->size(), 1u);
    return absl::OkStatus();
  };
  ASSERT_THAT(store_.Read("test", read), IsOk());
}

}  // namespace
}  // namespace raakvlak::broker
