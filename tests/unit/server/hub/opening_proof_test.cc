// OpeningProof: each of its checks, broken one at a time by a broker that controls everything but the keys of
// the witnesses.
#include "server/hub/opening_proof.h"

#include <functional>
#include <set>

#include "base/reason.h"
#include "tests/unit/server/hub/broker_log.h"
#include "tests/unit/server/hub/fixture.h"

namespace raakvlak::hub {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::HasSubstr;
using testing::TestRegion;

constexpr char kLeaf[] = "commits to something else";
constexpr char kLog[] = "another log";
constexpr char kTooFew[] = "witnesses";

std::string Node(const std::string& partner) { return TestRegion::Urn("node", partner); }

class OpeningProofTest : public HubTest {
 protected:
  OpeningProofTest() {
    const auto verified = policy::VerifyOrder(SignOrder(OrderFor({}, kList)), snapshot(),
                                              region_.clock().Now(), v1::OPEN_MATCH);
    RAAKVLAK_CHECK(verified.ok(), "the order is good");
    order_ = *verified;
  }
  absl::Time now() { return region_.clock().Now(); }
  BrokerLog Log() { return BrokerLog(*snapshot().covenant, order_, now()); }
  absl::StatusOr<OpeningProof> Verify(const LoggedAndProof& answer) {
    return OpeningProof::Verify(order_, answer.logged, answer.proof, snapshot(), now());
  }
  void ExpectRefused(const LoggedAndProof& answer, const std::string& name, const std::string& why) {
    const auto verified = Verify(answer);
    EXPECT_THAT(verified, HasReason(reason::kVerificationFailed)) << name;
    EXPECT_THAT(std::string(verified.status().message()), HasSubstr(why)) << name;
  }

  policy::VerifiedOrder order_;
};

TEST_F(OpeningProofTest, HonestAnswerIsProvenAndKept) {
  const LoggedAndProof answer = Log().Make();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const OpeningProof proof, Verify(answer));
  EXPECT_EQ(proof.order().hash, order_.hash);
  const v1::KeptOpening& kept = proof.kept();
  EXPECT_EQ(kept.order_hash(), order_.hash);
  EXPECT_EQ(kept.match_id(), order_.body.match_id());
  EXPECT_EQ(kept.purpose(), kList);
  EXPECT_EQ(kept.case_reference(), "ZVH-2027-001");
  EXPECT_EQ(kept.staff(), order_.body.staff());
  EXPECT_EQ(kept.logged().SerializeAsString(), answer.logged.SerializeAsString());
  EXPECT_EQ(kept.proof(), answer.proof);
}

// The broker signs what it likes with its own key; the witnesses cosign any log that is consistent.
TEST_F(OpeningProofTest, WhatTheBrokerLogsInsteadOpensNothing) {
  struct Forgery {
    const char* name;
    std::function<void(BrokerLog&)> bend;
    const char* why;
  };
  const Forgery forgeries[] = {
      {"a list", [](BrokerLog& log) { log.details.set_action("list"); }, "another action"},
      {"a refusal", [](BrokerLog& log) { log.details.set_result("NOT_ALLOWED"); }, "another result"},
      {"no result", [](BrokerLog& log) { log.details.clear_result(); }, "another result"},
      {"another order", [](BrokerLog& log) { log.details.set_order_hash(std::string(32, 'h')); },
       "another order"},
      {"no order", [](BrokerLog& log) { log.details.clear_order_hash(); }, "another order"},
      {"another match", [](BrokerLog& log) { log.details.set_object(base::Hex(std::string(16, 'n'))); },
       "another object"},
      {"another person", [](BrokerLog& log) { log.details.set_actor(TestRegion::Urn("staff", "bram")); },
       "another actor"},
      {"another purpose", [](BrokerLog& log) { log.details.set_purpose(kCase); }, "another purpose"},
      {"another legal basis", [](BrokerLog& log) { log.details.set_legal_basis("none"); },
       "another legal basis"},
      {"another case", [](BrokerLog& log) { log.details.set_case_reference("ZVH-2027-002"); },
       "another case reference"},
      {"another reason", [](BrokerLog& log) { log.details.set_reason("no reason"); }, "another reason"},
      {"an unknown field",
       [](BrokerLog& log) {
         log.details.GetReflection()->MutableUnknownFields(&log.details)->AddVarint(99, 1);
       },
       "does not know"},
      {"before the order", [](BrokerLog& log) { log.time_ms -= 120'001; }, "not from the time"},
      {"in the future", [](BrokerLog& log) { log.time_ms += 120'001; }, "not from the time"},
      {"before 1970", [](BrokerLog& log) { log.time_ms = -1; }, "before 1970"},
      {"the hub's own log",
       [](BrokerLog& log) {
         log.process = TestRegion::Urn("hub", "veiligheidshuis");
         log.log.replace(0, log.log.rfind('/'), log.process);
       },
       kLog},
      {"a node's log",
       [](BrokerLog& log) {
         log.process = Node("politie");
         log.log.replace(0, log.log.rfind('/'), log.process);
       },
       kLog},
      {"a foreign log", [](BrokerLog& log) { log.log = "log.example/2026"; }, kLog},
      {"the broker's log of another year",
       [](BrokerLog& log) { log.log.replace(log.log.rfind('/'), std::string::npos, "/1999"); }, kLog},
      {"another key than the log's", [](BrokerLog& log) { log.process = TestRegion::Urn("broker", "x"); },
       "signature"},
      {"no witness", [](BrokerLog& log) { log.witnesses.clear(); }, kTooFew},
      {"one witness too few", [](BrokerLog& log) { log.witnesses.pop_back(); }, kTooFew},
      {"one witness twice", [](BrokerLog& log) { log.witnesses[2] = log.witnesses[1]; }, kTooFew},
      {"a witness outside the covenant",
       [](BrokerLog& log) { log.witnesses[2].name = log.witnesses[2].key_of = Node("brandweer"); }, kTooFew},
      {"the broker as its own witness",
       [](BrokerLog& log) { log.witnesses[2].name = log.witnesses[2].key_of = log.process; }, kTooFew},
      {"a witness's name with another's key",
       [](BrokerLog& log) { log.witnesses[2].key_of = log.witnesses[1].key_of; }, kTooFew},
      {"cosigned before the order", [](BrokerLog& log) { log.witnesses[2].seconds -= 121; },
       "from the time of the order"},
      {"cosigned in the future", [](BrokerLog& log) { log.witnesses[2].seconds += 121; },
       "from the time of the order"},
  };
  for (const Forgery& forgery : forgeries) {
    BrokerLog log = Log();
    forgery.bend(log);
    // Before 1970 there is no leaf.
    LoggedAndProof answer = log.time_ms < 0 ? Log().Make() : log.Make();
    answer.logged.set_time_ms(log.time_ms);
    ExpectRefused(answer, forgery.name, forgery.why);
  }
}

TEST_F(OpeningProofTest, QuorumIsThatOfTheCovenantInForceNowOrWhenTheEntryWasMade) {
  RaiseEpoch(kCase, absl::ZeroDuration(), [](v1::Covenant& covenant) { covenant.set_witness_quorum(5); });
  BrokerLog log = Log();
  ExpectRefused(log.Make(), "three of five, under the new covenant", kTooFew);
  log.time_ms -= 1;
  EXPECT_THAT(Verify(log.Make()), IsOk()) << "made just before it came in force";
  log.time_ms -= 120'000;
  ExpectRefused(log.Make(), "made long before", "not from the time");
  log = Log();
  for (const char* partner : {"woningcorporatie", "politie-zuid"}) {
    log.witnesses.push_back({Node(partner), Node(partner), absl::ToUnixSeconds(now())});
  }
  EXPECT_THAT(Verify(log.Make()), IsOk());
}

TEST_F(OpeningProofTest, AnswerThatIsBentAfterwardsOpensNothing) {
  const LoggedAndProof honest = Log().Make();
  BrokerLog elsewhere = Log();
  elsewhere.index = 6;
  const LoggedAndProof other = elsewhere.Make();
  struct Forgery {
    const char* name;
    std::function<void(LoggedAndProof&)> bend;
    const char* why;
  };
  const Forgery forgeries[] = {
      {"nothing at all", [](LoggedAndProof& answer) { answer = {}; }, "the salt"},
      {"no proof", [](LoggedAndProof& answer) { answer.proof.clear(); }, ""},
      {"a truncated proof", [](LoggedAndProof& answer) { answer.proof.pop_back(); }, ""},
      {"the proof of another place", [&](LoggedAndProof& answer) { answer.proof = other.proof; }, ""},
      {"another index", [](LoggedAndProof& answer) { answer.logged.set_index(6); }, "of another entry"},
      {"another leaf", [](LoggedAndProof& answer) { answer.logged.mutable_leaf()->back() ^= 1; }, kLeaf},
      {"no leaf", [](LoggedAndProof& answer) { answer.logged.clear_leaf(); }, kLeaf},
      {"another salt", [](LoggedAndProof& answer) { answer.logged.mutable_salt()->back() ^= 1; }, kLeaf},
      {"a shorter salt", [](LoggedAndProof& answer) { answer.logged.mutable_salt()->pop_back(); },
       "the salt"},
      {"another time", [](LoggedAndProof& answer) { answer.logged.set_time_ms(answer.logged.time_ms() + 1); },
       kLeaf},
      {"other details", [](LoggedAndProof& answer) { answer.logged.mutable_details()->back() ^= 1; }, kLeaf},
      {"a leaf that the log does not have",
       [](LoggedAndProof& answer) {
         answer.logged.set_salt(std::string(crypto::tlog::kSaltSize, 't'));
         answer.logged.set_leaf(crypto::tlog::MakeLeaf(static_cast<uint64_t>(answer.logged.time_ms()),
                                                       answer.logged.salt(), answer.logged.details()));
       },
       ""},
      {"another log's name", [](LoggedAndProof& answer) { answer.logged.mutable_log()->back() ^= 1; }, kLog},
  };
  for (const Forgery& forgery : forgeries) {
    LoggedAndProof answer = honest;
    forgery.bend(answer);
    ExpectRefused(answer, forgery.name, forgery.why);
  }
  for (size_t at = 0; at < honest.proof.size(); ++at) {
    LoggedAndProof answer = honest;
    answer.proof[at] ^= 1;
    ASSERT_THAT(Verify(answer), HasReason(reason::kVerificationFailed)) << "byte " << at;
  }
}

TEST_F(OpeningProofTest, ProofOfAnEarlierOrderOpensNothing) {
  const LoggedAndProof earlier = Log().Make();
  ASSERT_THAT(Verify(earlier), IsOk());
  order_.body.set_order_id("another");
  order_.hash = base::Sha256(order_.body.SerializeAsString());
  ExpectRefused(earlier, "same person, match and case", "another order");
}

// A quorum in time is enough, whatever else stands in the note.
TEST_F(OpeningProofTest, CosignaturesOverTheQuorumDoNotMatter) {
  BrokerLog log = Log();
  log.witnesses.push_back({Node("woningcorporatie"), Node("woningcorporatie"), 1});
  log.witnesses.push_back({"witness.example", "witness.example", 1});
  EXPECT_THAT(Verify(log.Make()), IsOk());
}

TEST_F(OpeningProofTest, ClocksMayDifferByTheWindow) {
  for (const int64_t seconds : {-120, 120}) {
    BrokerLog log = Log();
    log.time_ms += seconds * 1000;
    for (auto& witness : log.witnesses) witness.seconds += seconds;
    EXPECT_THAT(Verify(log.Make()), IsOk()) << seconds;
  }
}

}  // namespace
}  // namespace raakvlak::hub
