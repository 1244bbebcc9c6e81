#include "server/node/key_share.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/testing/status_matchers.h"
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

constexpr char kPurpose[] = "onaantastbaren";

class KeyShareTest : public ::testing::Test {
 protected:
  explicit KeyShareTest(const std::function<void(v1::Covenant&)>& change = nullptr) : world_(change) {}

  std::string Elements(size_t count) {
    std::string packed;
    for (size_t i = 0; i < count; ++i) {
      absl::StrAppend(&packed,
                      crypto::oprf::Blind(absl::StrCat("input ", i), world_.random())->blinded.Encode());
    }
    return packed;
  }

  EvaluateParameters Parameters(v1::IdentifierClass identifier_class = v1::PERSON) {
    return {world_.KeysetOf(kPurpose, identifier_class)->id(), "gemeente", "politie",
            world_.random().Bytes(kRequestIdSize), world_.clock().Now()};
  }

  v1::EvaluateRequest Signed(const EvaluateParameters& parameters, const std::string& elements) {
    return MakeEvaluateRequest(parameters, elements,
                               world_.region().KeyOf(TestRegion::Urn("node", parameters.partner)));
  }

  // A body changed by hand and signed as the partner signs.
  v1::EvaluateRequest SignedBody(const std::function<void(v1::EvaluateBody&)>& change) {
    v1::EvaluateRequest request = Signed(Parameters(), Elements(1));
    v1::EvaluateBody body;
    body.ParseFromString(request.body());
    change(body);
    request.set_body(body.SerializeAsString());
    request.set_signature(
        crypto::note::SignMessage(world_.region().KeyOf(TestRegion::Urn("node", "gemeente")),
                                  crypto::note::kEvaluateKind, request.body()));
    return request;
  }

  absl::StatusOr<v1::EvaluateResponse> Ask(const v1::EvaluateRequest& request,
                                           const std::string& caller = "gemeente") {
    return world_.node("politie").key_share->Evaluate(world_.Snapshot(), caller, request);
  }

  std::vector<storage::AuditEntry> Audit() {
    return storage::testing::Entries(world_.node("politie").environment.store->audit_log());
  }

  NodeWorld world_;
};

TEST_F(KeyShareTest, AnAnswerIsProvenAgainstThePublicShareAndSigned) {
  const v1::EvaluateRequest request = Signed(Parameters(), Elements(3));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::EvaluateResponse response, Ask(request));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto blinded, crypto::oprf::ElementList::DecodeAll(request.elements()));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto evaluated,
                                crypto::oprf::ElementList::DecodeAll(response.evaluated()));
  const auto keyset = world_.KeysetOf(kPurpose, v1::PERSON);
  EXPECT_THAT(crypto::oprf::VerifyProof(keyset->FindHolder("politie")->public_share, blinded, evaluated,
                                        response.proof()),
              IsOk());
  EXPECT_THAT(crypto::note::VerifyMessage(world_.Snapshot().covenant->PartnerKey("politie"),
                                          crypto::note::kEvaluatedKind, EvaluatedDigest(request, response),
                                          response.signature()),
              IsOk());
  const crypto::group::Scalar& share = world_.SharesOf("politie").at(keyset->id());
  EXPECT_EQ(evaluated.encoding(2), crypto::group::Element::DecodeAndMul(blinded.encoding(2), share)->bytes());
}

TEST_F(KeyShareTest, AnAnswerIsAuditedWithItsCount) {
  ASSERT_THAT(Ask(Signed(Parameters(), Elements(3))), IsOk());
  const auto entries = Audit();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].action, "evaluate");
  EXPECT_EQ(entries[0].actor, "urn:raakvlak:maastricht:node:gemeente");
  EXPECT_EQ(entries[0].object, base::Hex(world_.KeysetOf(kPurpose, v1::PERSON)->id()));
  EXPECT_EQ(entries[0].purpose, kPurpose);
  EXPECT_EQ(entries[0].count, 3u);
  EXPECT_EQ(entries[0].result, "OK");
}

TEST_F(KeyShareTest, ARefusalIsAuditedWithItsReason) {
  v1::EvaluateRequest request = Signed(Parameters(), Elements(2));
  request.set_signature(std::string(64, 's'));
  ASSERT_THAT(Ask(request), HasReason("SIGNATURE_INVALID"));
  const auto entries = Audit();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].action, "refuse");
  EXPECT_EQ(entries[0].object, "KeyShare.Evaluate");
  EXPECT_EQ(entries[0].result, "SIGNATURE_INVALID");
  EXPECT_EQ(entries[0].count, 2u);
}

TEST_F(KeyShareTest, ElementsThatAreNoListAreRefused) {
  EXPECT_THAT(Ask(Signed(Parameters(), "")), HasReason("INVALID_ARGUMENT"));
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(1) + "x")), HasReason("INVALID_ARGUMENT"));
  std::string many;
  const std::string one = Elements(1);
  for (int i = 0; i < 2048; ++i) many += one;
  EXPECT_THAT(Ask(Signed(Parameters(), many)), IsOk());
  EXPECT_THAT(Ask(Signed(Parameters(), many + one)), HasReason("TOO_LARGE"));
}

TEST_F(KeyShareTest, ElementsThatAreNoPointsAreRefused) {
  const std::string good = Elements(1);
  std::string high_bit = good;
  high_bit[31] = static_cast<char>(high_bit[31] | 0x80);
  for (const std::string& bad : {std::string(32, '\0'), std::string(32, '\xff'), high_bit}) {
    EXPECT_THAT(Ask(Signed(Parameters(), good + bad)), HasReason("VERIFICATION_FAILED"));
  }
}

TEST_F(KeyShareTest, OtherElementsThanThoseSignedAreRefused) {
  v1::EvaluateRequest request = Signed(Parameters(), Elements(2));
  request.set_elements(Elements(2));
  EXPECT_THAT(Ask(request), HasReason("SIGNATURE_INVALID"));
}

TEST_F(KeyShareTest, AValidCertificateWithoutThePartnersSignatureIsRefused) {
  v1::EvaluateRequest request = Signed(Parameters(), Elements(1));
  request.clear_signature();
  EXPECT_THAT(Ask(request), HasReason("SIGNATURE_INVALID"));
  // Signed rightly, but as something else.
  request.set_signature(crypto::note::SignMessage(world_.region().KeyOf(TestRegion::Urn("node", "gemeente")),
                                                  crypto::note::kEnvelopeKind, request.body()));
  EXPECT_THAT(Ask(request), HasReason("SIGNATURE_INVALID"));
}

TEST_F(KeyShareTest, ARequestOfOnePartnerIsWorthNothingInTheHandsOfAnother) {
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(1)), "jeugdzorg"), HasReason("SIGNATURE_INVALID"));
}

TEST_F(KeyShareTest, HubBrokerAndStrangersAreNoPartners) {
  const v1::EvaluateRequest request = Signed(Parameters(), Elements(1));
  for (const char* caller : {"veiligheidshuis", "centre", "anna", "nobody", ""}) {
    EXPECT_THAT(Ask(request, caller), HasReason("NOT_ALLOWED")) << caller;
  }
}

TEST_F(KeyShareTest, ARequestInAnotherPartnersNameIsRefused) {
  EXPECT_THAT(Ask(SignedBody([](v1::EvaluateBody& body) { body.set_partner("jeugdzorg"); })),
              HasReason("NOT_ALLOWED"));
}

TEST_F(KeyShareTest, ARequestForAnotherHolderIsRefused) {
  EXPECT_THAT(Ask(SignedBody([](v1::EvaluateBody& body) { body.set_holder("jeugdzorg"); })),
              HasReason("NOT_ALLOWED"));
}

TEST_F(KeyShareTest, MalformedBodiesAreRefused) {
  EXPECT_THAT(Ask(SignedBody([](v1::EvaluateBody& body) { body.set_version(2); })),
              HasReason("INVALID_ARGUMENT"));
  EXPECT_THAT(Ask(SignedBody([](v1::EvaluateBody& body) { body.set_request_id("short"); })),
              HasReason("INVALID_ARGUMENT"));
  EXPECT_THAT(Ask(SignedBody([](v1::EvaluateBody& body) {
                body.GetReflection()->MutableUnknownFields(&body)->AddVarint(99, 1);
              })),
              HasReason("UNKNOWN_FIELD"));
}

TEST_F(KeyShareTest, TheClockMayDifferByTheWindowAndNotMore) {
  const absl::Time now = world_.clock().Now();
  for (const absl::Duration off : {absl::Seconds(-120), absl::Seconds(120)}) {
    EvaluateParameters parameters = Parameters();
    parameters.time = now + off;
    EXPECT_THAT(Ask(Signed(parameters, Elements(1))), IsOk()) << off;
    parameters = Parameters();
    parameters.time =
        now + off + (off > absl::ZeroDuration() ? absl::Milliseconds(1) : absl::Milliseconds(-1));
    EXPECT_THAT(Ask(Signed(parameters, Elements(1))), HasReason("CLOCK_SKEW")) << off;
  }
  for (const int64_t extreme : {INT64_MIN, INT64_MAX, int64_t{0}}) {
    EXPECT_THAT(Ask(SignedBody([&](v1::EvaluateBody& body) { body.set_time_ms(extreme); })),
                HasReason("CLOCK_SKEW"));
  }
}

TEST_F(KeyShareTest, AReplayIsRefused) {
  const v1::EvaluateRequest request = Signed(Parameters(), Elements(1));
  ASSERT_THAT(Ask(request), IsOk());
  EXPECT_THAT(Ask(request), HasReason("REPLAYED"));
}

TEST_F(KeyShareTest, AReplayIsRefusedAfterARestartToo) {
  const v1::EvaluateRequest request = Signed(Parameters(), Elements(1));
  ASSERT_THAT(Ask(request), IsOk());
  world_.Restart("politie");
  EXPECT_THAT(Ask(request), HasReason("REPLAYED"));
}

TEST_F(KeyShareTest, AReplayIsRefusedForAsLongAsItsTimeIsWithinTheWindow) {
  // Signed by a clock that is ahead as far as it may be: valid for two windows.
  EvaluateParameters parameters = Parameters();
  parameters.time = world_.clock().Now() + kEvaluateWindow;
  const v1::EvaluateRequest request = Signed(parameters, Elements(1));
  ASSERT_THAT(Ask(request), IsOk());
  world_.clock().Advance(2 * kEvaluateWindow);
  ASSERT_THAT(Ask(Signed(Parameters(), Elements(1))), IsOk());
  EXPECT_THAT(Ask(request), HasReason("REPLAYED"));
  world_.clock().Advance(absl::Milliseconds(1));
  EXPECT_THAT(Ask(request), HasReason("CLOCK_SKEW"));
}

TEST_F(KeyShareTest, AnUnknownKeysetIsRefused) {
  EXPECT_THAT(Ask(SignedBody([](v1::EvaluateBody& body) { body.set_keyset_id(std::string(32, 'k')); })),
              HasReason("KEYSET_UNKNOWN"));
}

TEST_F(KeyShareTest, AShareThatIsGoneIsNotServed) {
  ASSERT_THAT(Ask(Signed(Parameters(), Elements(1))), IsOk());
  world_.node("politie").keys->Disregard(Parameters().keyset_id);
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(1))), HasReason("KEYSET_UNKNOWN"));
}

TEST_F(KeyShareTest, APartnerWithoutTheRightToTheBsnGetsNoBsnEvaluation) {
  EvaluateParameters parameters = Parameters(v1::BSN);
  parameters.partner = "woningcorporatie";
  EXPECT_THAT(Ask(Signed(parameters, Elements(1)), "woningcorporatie"), HasReason("BSN_NOT_ENTITLED"));
  parameters = Parameters(v1::PERSON);
  parameters.partner = "woningcorporatie";
  EXPECT_THAT(Ask(Signed(parameters, Elements(1)), "woningcorporatie"), IsOk());
}

TEST(KeySharePurposeTest, APartnerThatMayNotSubmitToAPurposeGetsNoEvaluationForIt) {
  class Region : public KeyShareTest {
   public:
    Region()
        : KeyShareTest([](v1::Covenant& covenant) {
            auto& submitters = *covenant.mutable_purposes(0)->mutable_submitters();
            submitters.erase(std::find(submitters.begin(), submitters.end(), "jeugdzorg"));
          }) {}
    void TestBody() override {}
    std::string ReasonFor(const std::string& partner) {
      EvaluateParameters parameters = Parameters();
      parameters.partner = partner;
      return base::ReasonOf(Ask(Signed(parameters, Elements(1)), partner).status());
    }
  };
  Region region;
  EXPECT_EQ(region.ReasonFor("jeugdzorg"), "PURPOSE_NOT_ALLOWED");
  EXPECT_EQ(region.ReasonFor("gemeente"), "OK");
}

TEST_F(KeyShareTest, ASuspendedPartnerIsRefusedOnItsNextCall) {
  ASSERT_THAT(Ask(Signed(Parameters(), Elements(1))), IsOk());
  world_.region().Suspend("gemeente");
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(1))), HasReason("PARTNER_SUSPENDED"));
}

TEST_F(KeyShareTest, NothingIsEvaluatedWhenItCannotBeCounted) {
  testing::FlakyStore flaky(*world_.node("politie").environment.store, 1, testing::FlakyStore::When::kBefore);
  world_.Restart("politie", &flaky);
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(1))), HasReason("STORAGE_FAILED"));
  world_.node("politie").sender.reset();
}

class KeyShareQuotaTest : public KeyShareTest {
 protected:
  KeyShareQuotaTest()
      : KeyShareTest([](v1::Covenant& covenant) {
          for (v1::Quota& quota : *covenant.mutable_quotas()) quota.set_elements_per_day(10);
        }) {}
};

TEST_F(KeyShareQuotaTest, TheQuotaCountsElementsExactly) {
  ASSERT_THAT(Ask(Signed(Parameters(), Elements(7))), IsOk());
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(4))), HasReason("QUOTA_EXCEEDED"));
  ASSERT_THAT(Ask(Signed(Parameters(), Elements(3))), IsOk());
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(1))), HasReason("QUOTA_EXCEEDED"));
}

TEST_F(KeyShareQuotaTest, TheQuotaIsPerClassPurposeAndPartner) {
  ASSERT_THAT(Ask(Signed(Parameters(), Elements(10))), IsOk());
  EXPECT_THAT(Ask(Signed(Parameters(v1::BSN), Elements(10))), IsOk());
  EvaluateParameters other = Parameters();
  other.keyset_id = world_.KeysetOf("risicojeugd", v1::PERSON)->id();
  EXPECT_THAT(Ask(Signed(other, Elements(10))), IsOk());
  other = Parameters();
  other.partner = "jeugdzorg";
  EXPECT_THAT(Ask(Signed(other, Elements(10)), "jeugdzorg"), IsOk());
}

TEST_F(KeyShareQuotaTest, TheQuotaSurvivesARestartAndIsNewOnTheNextDay) {
  ASSERT_THAT(Ask(Signed(Parameters(), Elements(10))), IsOk());
  world_.Restart("politie");
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(1))), HasReason("QUOTA_EXCEEDED"));
  // 15 hours on it is 00:00 in Amsterdam, the covenant's zone, and 23:00 of the same day in UTC.
  world_.clock().Advance(absl::Hours(15) - absl::Seconds(1));
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(1))), HasReason("QUOTA_EXCEEDED"));
  world_.clock().Advance(absl::Seconds(1));
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(10))), IsOk());
}

TEST_F(KeyShareQuotaTest, ARefusedRequestUsesNothing) {
  v1::EvaluateRequest request = Signed(Parameters(), Elements(10));
  request.set_signature(std::string(64, 's'));
  ASSERT_THAT(Ask(request), HasReason("SIGNATURE_INVALID"));
  const v1::EvaluateRequest once = Signed(Parameters(), Elements(5));
  ASSERT_THAT(Ask(once), IsOk());
  ASSERT_THAT(Ask(once), HasReason("REPLAYED"));
  EXPECT_THAT(Ask(Signed(Parameters(), Elements(5))), IsOk());
}

TEST_F(KeyShareQuotaTest, TheNodesOwnRequestsAreCountedAndAuditedToo) {
  EvaluateParameters parameters = Parameters();
  parameters.partner = "politie";
  ASSERT_THAT(world_.node("politie").own_share->Evaluate(Signed(parameters, Elements(10)), absl::Seconds(1)),
              IsOk());
  parameters.request_id = world_.random().Bytes(kRequestIdSize);
  EXPECT_THAT(world_.node("politie").own_share->Evaluate(Signed(parameters, Elements(1)), absl::Seconds(1)),
              HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(Audit().size(), 2u);
}

TEST_F(KeyShareTest, ANodeWithBothSigningKeysUsesTheOneThatTheCovenantInForceNames) {
  TestRegion& region = world_.region();
  const std::string urn = TestRegion::Urn("node", "politie");
  const auto push_at_both = [this](const std::string& client_ref) {
    for (const char* partner : {"politie", "gemeente"}) {
      world_.Push(partner, NodeWorld::RecordOf(client_ref));
      world_.clock().Advance(absl::Seconds(30));
      world_.Drain(partner);
      EXPECT_EQ(world_.StateOf(partner, client_ref).state(), v1::SUBMITTED) << partner << " " << client_ref;
    }
  };
  const std::string verifier = region.ReplaceKeyOf(urn);
  world_.Restart("politie");
  push_at_both("ref-1");

  region.covenant().mutable_partners(0)->set_signing_key(verifier);
  region.covenant().set_version(2);
  region.covenant().set_supersedes(base::Hex(world_.Snapshot().covenant->id()));
  region.roster().set_number(2);
  region.Write();
  ASSERT_EQ(world_.Snapshot().Name(), "c2/r2");
  v1::WithdrawRequest withdrawal;
  withdrawal.set_client_ref("ref-1");
  withdrawal.set_reason("unjust");
  ASSERT_THAT(world_.node("politie").intake->Withdraw(world_.ItPass("politie"), withdrawal), IsOk());
  push_at_both("ref-2");
  EXPECT_EQ(world_.broker().withdrawn.size(), 1u);
  EXPECT_THAT(world_.broker().refusals, ::testing::IsEmpty());
}

}  // namespace
}  // namespace raakvlak::node
