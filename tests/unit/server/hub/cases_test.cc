#include "server/hub/cases.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "client/testing/fake_matches_client.h"
#include "policy/order.h"
#include "tests/unit/server/hub/broker_log.h"
#include "tests/unit/server/hub/fixture.h"

namespace raakvlak::hub {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;
namespace reason = base::reason;

class FakeAudit final : public storage::OpeningLog {
 public:
  absl::StatusOr<storage::Logged> AppendOpening(const storage::AuditEntry& entry,
                                                const v1::KeptOpening& opening) override {
    if (!fails && !kept.emplace(opening.order_hash(), opening).second) {
      return base::Error(absl::StatusCode::kAlreadyExists, reason::kReplayed, "an order is taken once");
    }
    return AppendAudit(entry);
  }
  absl::StatusOr<storage::Logged> AppendAudit(const storage::AuditEntry& entry) override {
    if (fails) {
      return base::Error(absl::StatusCode::kInternal, reason::kStorageFailed, "the disk is full");
    }
    entries.push_back(entry);
    return storage::Logged{{2026, entries.size() - 1}, entry.time_ms, "", ""};
  }
  std::vector<storage::AuditEntry> entries;
  std::map<std::string, v1::KeptOpening> kept;  // by the order's hash
  bool fails = false;
};

class CasesTest : public HubTest {
 protected:
  CasesTest() {
    broker_.on_open = [this](const v1::OpenMatchRequest& request) {
      asked_ = request.order();
      v1::OpenMatchResponse response;
      response.mutable_match()->set_match_id(std::string(16, 'm'));
      response.mutable_match()->set_purpose(kList);
      for (const v1::Envelope& envelope : envelopes_) *response.add_envelopes() = envelope;
      BrokerLog log = LogOf(request.order());
      if (bend_) bend_(log);
      const LoggedAndProof answer = log.Make();
      *response.mutable_logged() = answer.logged;
      response.set_proof(answer.proof);
      return response;
    };
    broker_.on_list = [this](const v1::ListMatchesRequest& request) {
      asked_ = request.order();
      v1::ListMatchesResponse response;
      for (const char* id : {"m", "n"}) {
        v1::MatchSummary& match = *response.add_matches();
        match.set_match_id(std::string(16, *id));
        match.set_purpose(kList);
      }
      response.set_next_page_token("more");
      return response;
    };
  }

  static rpc::Caller CallerOf(const std::string& role, const std::string& id) {
    return *rpc::ParseUrn(testing::TestRegion::Urn(role, id));
  }
  v1::OrderBody ListBody() {
    v1::OrderBody body = OrderFor({}, kList);
    body.set_action(v1::LIST_MATCHES);
    body.clear_match_id();
    body.clear_contents_digest();
    return body;
  }

  BrokerLog LogOf(const v1::Order& order) {
    policy::VerifiedOrder verified{{}, base::Sha256(order.body())};
    RAAKVLAK_CHECK(verified.body.ParseFromString(order.body()), "the hub forwards orders that parse");
    return BrokerLog(*snapshot().covenant, verified, region_.clock().Now());
  }

  rpc::Gate::Pass Pass() { return {caller_, snapshot(), "192.0.2.0/24", "4bf92f3577b34da6a3ce929d0e0e4736"}; }
  absl::Status Open(const v1::Order& order) {
    v1::OpenCaseRequest request;
    *request.mutable_order() = order;
    opened_.add_faults();  // what a failed call must not leave
    return WithCases([&](Cases& cases) { return cases.Open(Pass(), request, opened_); });
  }
  absl::Status OpenGood() { return Open(SignOrder(OrderFor(envelopes_, kList))); }
  absl::Status List(const v1::Order& order) {
    v1::ListMatchesRequest request;
    *request.mutable_order() = order;
    return WithCases([&](Cases& cases) { return cases.List(Pass(), request, listed_); });
  }

  // What both calls leave for a refusal: one entry, no answer.
  void ExpectRefused(const absl::Status& status, const char* why) {
    EXPECT_THAT(status, HasReason(why));
    EXPECT_EQ(opened_.ByteSizeLong(), 0u);
    EXPECT_EQ(listed_.ByteSizeLong(), 0u);
    ASSERT_EQ(audit_.entries.size(), 1u);
    EXPECT_EQ(audit_.entries[0].result, why);
    EXPECT_EQ(audit_.entries[0].actor, caller_.urn);
    EXPECT_EQ(audit_.entries[0].count, 0u);
    audit_.entries.clear();
  }

  std::vector<v1::Envelope> envelopes_ =
      MakeAll({{.partner = "politie", .subject = "jan"}, {.partner = "gemeente", .subject = "jan"}});
  client::testing::FakeMatchesClient broker_;
  std::function<void(BrokerLog&)> bend_;  // what the broker logs
  FakeAudit audit_;
  rpc::Caller caller_ = CallerOf("staff", "anna");
  v1::Order asked_;
  v1::OpenCaseResponse opened_;
  v1::ListMatchesResponse listed_;

 private:
  template <typename Call>
  absl::Status WithCases(const Call& call) {
    const Opener opener = MakeOpener();
    Cases cases(broker_, opener, audit_, region_.clock());
    return call(cases);
  }
};

TEST_F(CasesTest, OpenGivesContentAndLeavesOneEntryWithTheOrder) {
  const v1::OrderBody body = OrderFor(envelopes_, kList);
  const v1::Order order = SignOrder(body);
  ASSERT_THAT(Open(order), IsOk());
  EXPECT_EQ(asked_.body(), order.body()) << "as it was signed";
  EXPECT_EQ(asked_.signature(), order.signature());
  EXPECT_EQ(opened_.match().match_id(), body.match_id());
  ASSERT_EQ(opened_.signals_size(), 2);
  EXPECT_EQ(opened_.signals(0).note(), "jan at gemeente");
  EXPECT_EQ(opened_.faults_size(), 0);

  ASSERT_EQ(audit_.entries.size(), 1u);
  const storage::AuditEntry& entry = audit_.entries[0];
  EXPECT_EQ(entry.origin, "192.0.2.0/24");
  EXPECT_EQ(entry.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(entry.time_ms, absl::ToUnixMillis(region_.clock().Now()));
  EXPECT_EQ(entry.actor, caller_.urn);
  EXPECT_EQ(entry.role, "staff");
  EXPECT_EQ(entry.action, "open");
  EXPECT_EQ(entry.object, base::Hex(body.match_id()));
  EXPECT_EQ(entry.purpose, kList);
  EXPECT_EQ(entry.legal_basis, body.legal_basis());
  EXPECT_EQ(entry.case_reference, "ZVH-2027-001");
  EXPECT_EQ(entry.reason, "weekly consultation");
  EXPECT_EQ(entry.result, "OK");
  EXPECT_EQ(entry.count, 2u);
  EXPECT_EQ(entry.order_hash, base::Sha256(order.body()));
  EXPECT_EQ(entry.policy, snapshot().Name());
  EXPECT_EQ(broker_.trace_id, entry.trace_id) << "one trace in both logs";
}

TEST_F(CasesTest, ProofOfTheOpeningIsGivenAndKept) {
  const v1::Order order = SignOrder(OrderFor(envelopes_, kList));
  ASSERT_THAT(Open(order), IsOk());
  const LoggedAndProof honest = LogOf(order).Make();
  EXPECT_EQ(opened_.logged().SerializeAsString(), honest.logged.SerializeAsString());
  EXPECT_EQ(opened_.proof(), honest.proof);
  ASSERT_EQ(audit_.kept.size(), 1u);
  const auto& [hash, kept] = *audit_.kept.begin();
  EXPECT_EQ(hash, base::Sha256(order.body()));
  EXPECT_EQ(kept.proof(), honest.proof);
  EXPECT_EQ(kept.case_reference(), "ZVH-2027-001");
}

// Issue 3: "A broker that answers Open without logging, or with a log only it knows, gets nothing opened."
TEST_F(CasesTest, BrokerThatDoesNotLogTheOpeningGetsNothingOpened) {
  const auto good = broker_.on_open;
  broker_.on_open = [&](const v1::OpenMatchRequest& request) {
    auto response = good(request);
    response->clear_logged();
    response->clear_proof();
    return response;
  };
  ExpectRefused(OpenGood(), reason::kVerificationFailed);
  broker_.on_open = good;
  // Its signature alone makes a log that nobody else knows.
  bend_ = [](BrokerLog& log) { log.witnesses.clear(); };
  ExpectRefused(OpenGood(), reason::kVerificationFailed);
  bend_ = [](BrokerLog& log) { log.details.set_action("list"); };
  ExpectRefused(OpenGood(), reason::kVerificationFailed);
  EXPECT_TRUE(audit_.kept.empty());
  bend_ = nullptr;
  EXPECT_THAT(OpenGood(), IsOk());
}

TEST_F(CasesTest, ProofIsAskedForBeforeAnythingIsOpened) {
  // Of envelopes that would not open either.
  envelopes_.pop_back();
  bend_ = [](BrokerLog& log) { log.witnesses.clear(); };
  ExpectRefused(OpenGood(), reason::kVerificationFailed);
}

TEST_F(CasesTest, ProofIsKeptAlsoWhenTheOpenerRefuses) {
  envelopes_.pop_back();
  ExpectRefused(OpenGood(), reason::kThresholdNotMet);
  EXPECT_EQ(audit_.kept.size(), 1u) << "the broker's log says that it was opened";
}

TEST_F(CasesTest, BrokerThatAnswersAnOrderTwiceGetsNothingOpenedTheSecondTime) {
  const v1::Order order = SignOrder(OrderFor(envelopes_, kList));
  ASSERT_THAT(Open(order), IsOk());
  audit_.entries.clear();
  ExpectRefused(Open(order), reason::kReplayed);
}

TEST_F(CasesTest, EvidenceOfAnOpenedMatchIsNotTheBrokersWord) {
  const auto honest = broker_.on_open;
  broker_.on_open = [&](const v1::OpenMatchRequest& request) {
    auto response = honest(request);
    v1::RuleEvidence& lie = *response->mutable_match()->add_evidence();
    lie.set_rule("bsn");
    lie.add_differ("politie");
    return response;
  };
  ASSERT_THAT(OpenGood(), IsOk());
  ASSERT_EQ(opened_.match().evidence_size(), 2);
  EXPECT_EQ(opened_.match().evidence(0).rule(), "bsn");
  EXPECT_EQ(opened_.match().evidence(0).agree_size(), 2);
  EXPECT_EQ(opened_.match().evidence(0).differ_size(), 0);
}

TEST_F(CasesTest, ListGivesMatchesAndLeavesOneEntryWithTheOrder) {
  const v1::Order order = SignOrder(ListBody());
  ASSERT_THAT(List(order), IsOk());
  EXPECT_EQ(asked_.body(), order.body());
  EXPECT_EQ(listed_.matches_size(), 2);
  EXPECT_EQ(listed_.next_page_token(), "more");
  ASSERT_EQ(audit_.entries.size(), 1u);
  EXPECT_EQ(audit_.entries[0].action, "list");
  EXPECT_EQ(audit_.entries[0].object, "");
  EXPECT_EQ(audit_.entries[0].purpose, kList);
  EXPECT_EQ(audit_.entries[0].count, 2u);
  EXPECT_EQ(audit_.entries[0].order_hash, base::Sha256(order.body()));
}

TEST_F(CasesTest, FaultsStandInTheAnswer) {
  v1::Envelope forged = envelopes_[0];
  forged.clear_signature();
  envelopes_.push_back(forged);
  ASSERT_THAT(OpenGood(), IsOk());
  EXPECT_EQ(opened_.signals_size(), 2);
  ASSERT_EQ(opened_.faults_size(), 1);
  EXPECT_EQ(opened_.faults(0).partner(), "politie");
  EXPECT_EQ(opened_.faults(0).reason(), reason::kSignatureInvalid);
}

TEST_F(CasesTest, OrderOfAnotherPersonIsRefused) {
  v1::Member bram = region_.roster().members(0);
  bram.set_id("bram");
  bram.set_urn(testing::TestRegion::Urn("staff", "bram"));
  bram.set_signing_key(
      crypto::note::VerifierKey::Create(bram.urn(), region_.KeyOf(bram.urn()).public_key())->Encode());
  *region_.roster().add_members() = bram;
  region_.roster().set_number(2);
  region_.Write();
  caller_ = CallerOf("staff", "bram");
  ExpectRefused(OpenGood(), reason::kNotAllowed);
  ExpectRefused(List(SignOrder(ListBody())), reason::kNotAllowed);
  EXPECT_EQ(asked_.body(), "") << "the broker was not asked";
  // Bram may open it on an order of his own.
  v1::OrderBody own = OrderFor(envelopes_, kList);
  own.set_staff(bram.urn());
  EXPECT_THAT(Open(SignOrder(own, bram.urn())), IsOk());
}

TEST_F(CasesTest, OrderOfAnOfficerIsRefused) {
  caller_ = CallerOf("officer", "olga");
  v1::OrderBody body = OrderFor(envelopes_, kList);
  body.set_staff(caller_.urn);
  ExpectRefused(Open(SignOrder(body, caller_.urn)), reason::kNotAllowed);
}

TEST_F(CasesTest, OrderThatDoesNotHoldIsRefusedBeforeTheBrokerIsAsked) {
  v1::Order order = SignOrder(OrderFor(envelopes_, kList));
  order.mutable_signature()->front() ^= 1;
  ExpectRefused(Open(order), reason::kSignatureInvalid);
  v1::OrderBody body = OrderFor(envelopes_, kList);
  body.set_purpose("unknown");
  ExpectRefused(Open(SignOrder(body)), reason::kPurposeUnknown);
  body = OrderFor(envelopes_, kList);
  body.clear_reason();
  ExpectRefused(Open(SignOrder(body)), reason::kOrderInvalid);
  const v1::Order old = SignOrder(OrderFor(envelopes_, kList));
  region_.clock().Advance(absl::Seconds(121));
  ExpectRefused(Open(old), reason::kClockSkew);
  EXPECT_EQ(asked_.body(), "");
}

TEST_F(CasesTest, OrderForTheOtherCallIsRefused) {
  ExpectRefused(Open(SignOrder(ListBody())), reason::kOrderInvalid);
  ExpectRefused(List(SignOrder(OrderFor(envelopes_, kList))), reason::kOrderInvalid);
  EXPECT_EQ(asked_.body(), "");
}

TEST_F(CasesTest, BrokerThatIsAwayIsUnavailable) {
  broker_.on_open = nullptr;
  broker_.on_list = nullptr;
  ExpectRefused(OpenGood(), reason::kUnavailable);
  ExpectRefused(List(SignOrder(ListBody())), reason::kUnavailable);
}

TEST_F(CasesTest, BrokersRefusalIsPassedOn) {
  broker_.on_open = [](const v1::OpenMatchRequest&) {
    return base::Error(absl::StatusCode::kNotFound, reason::kNotFound, "no such match");
  };
  ExpectRefused(OpenGood(), reason::kNotFound);
}

TEST_F(CasesTest, RefusalAfterTheOrderKeepsTheOrderInItsEntry) {
  broker_.on_open = nullptr;
  EXPECT_THAT(OpenGood(), HasReason(reason::kUnavailable));
  ASSERT_EQ(audit_.entries.size(), 1u);
  EXPECT_EQ(audit_.entries[0].case_reference, "ZVH-2027-001");
  EXPECT_EQ(audit_.entries[0].order_hash.size(), 32u);
}

TEST_F(CasesTest, EnvelopesThatDoNotFitTheOrderAreRefused) {
  const v1::Order order = SignOrder(OrderFor(envelopes_, kList));
  const v1::Order another = SignOrder(OrderFor(envelopes_, kList));
  envelopes_.push_back(Make({.partner = "jeugdzorg", .subject = "jan"}));
  ExpectRefused(Open(order), reason::kMatchChanged);
  envelopes_.clear();
  ExpectRefused(Open(another), reason::kMatchChanged);
}

TEST_F(CasesTest, LoneSignalIsRefused) {
  envelopes_.pop_back();
  ExpectRefused(OpenGood(), reason::kThresholdNotMet);
}

TEST_F(CasesTest, AnswerAboutAnotherMatchOrPurposeIsRefused) {
  const auto good = broker_.on_open;
  broker_.on_open = [&](const v1::OpenMatchRequest& request) {
    auto response = good(request);
    response->mutable_match()->set_match_id(std::string(16, 'x'));
    return response;
  };
  ExpectRefused(OpenGood(), reason::kVerificationFailed);
  broker_.on_open = [&](const v1::OpenMatchRequest& request) {
    auto response = good(request);
    response->mutable_match()->set_purpose(kCase);
    return response;
  };
  ExpectRefused(OpenGood(), reason::kVerificationFailed);
  const auto list = broker_.on_list;
  broker_.on_list = [&](const v1::ListMatchesRequest& request) {
    auto response = list(request);
    response->mutable_matches(1)->set_purpose(kCase);
    return response;
  };
  ExpectRefused(List(SignOrder(ListBody())), reason::kVerificationFailed);
}

TEST_F(CasesTest, WithoutAnAuditEntryThereIsNoAnswer) {
  audit_.fails = true;
  EXPECT_THAT(OpenGood(), HasReason(reason::kStorageFailed));
  EXPECT_EQ(opened_.ByteSizeLong(), 0u);
  EXPECT_THAT(List(SignOrder(ListBody())), HasReason(reason::kStorageFailed));
  EXPECT_EQ(listed_.ByteSizeLong(), 0u);
  broker_.on_open = nullptr;
  EXPECT_THAT(OpenGood(), HasReason(reason::kStorageFailed)) << "refusals too";
}

TEST_F(CasesTest, ContentIsInNoEntryAndNoLogLine) {
  v1::Envelope forged = envelopes_[0];
  forged.clear_signature();
  envelopes_.push_back(forged);
  ::testing::internal::CaptureStderr();
  ASSERT_THAT(OpenGood(), IsOk());
  // Also where nothing opens.
  envelopes_ = {envelopes_[0], envelopes_[2]};
  ASSERT_THAT(OpenGood(), HasReason(reason::kThresholdNotMet));
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("hub.fault"));
  EXPECT_THAT(log, HasSubstr("hub.not_opened"));
  std::string kept = log;
  ASSERT_EQ(audit_.entries.size(), 2u);
  for (const storage::AuditEntry& e : audit_.entries) {
    absl::StrAppend(&kept, e.actor, e.role, e.action, e.object, e.purpose, e.legal_basis, e.case_reference,
                    e.reason, e.result, e.policy);
  }
  for (const char* content : {"jan", "overlast", "desk of"}) EXPECT_THAT(kept, Not(HasSubstr(content)));
}

}  // namespace
}  // namespace raakvlak::hub
