// What a broker or a partner may forge, swap or replay: it never opens, is named, and blocks nobody else.
#include <sodium.h>

#include <algorithm>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "crypto/disclosure/share.h"
#include "crypto/note/signed_message.h"
#include "tests/unit/server/hub/fixture.h"

namespace raakvlak::hub {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace reason = base::reason;
namespace seal = crypto::seal;

class OpenerForgeryTest : public HubTest {
 protected:
  // Opens `forged` beside honest signals of the two other organisations: those must open, alone, and the
  // forged one stands as `fault`. Beside one honest signal it must open nothing, and be named.
  void ExpectNamed(const v1::Envelope& forged, const std::string& fault, const std::string& purpose = kList) {
    const v1::Envelope honest =
        Make({.partner = "gemeente", .subject = "jan", .purpose = purpose, .kind = v1::CASE_REPORT});
    const v1::Envelope other = Make({.partner = "jeugdzorg", .subject = "jan", .purpose = purpose});
    const auto opened = Open({honest, forged, other}, purpose);
    ASSERT_THAT(opened, IsOk());
    EXPECT_THAT(SignalsOf(*opened),
                ElementsAre("gemeente/jan: jan at gemeente", "jeugdzorg/jan: jan at jeugdzorg"));
    EXPECT_THAT(FaultsOf(*opened), ElementsAre(fault));
    const auto refused = Open({honest, forged}, purpose);
    EXPECT_THAT(refused, HasReason(reason::kThresholdNotMet));
    if (!absl::StrContains(fault, reason::kThresholdNotMet) && fault.front() != ' ') {
      EXPECT_THAT(std::string(refused.status().message()), HasSubstr(fault));
    }
  }

  Sealed Ours() { return Seal({.partner = "politie", .subject = "jan"}); }
  v1::Envelope Bent(std::function<void(v1::SignalHeader&)> bend) {
    return Make({.partner = "politie", .subject = "jan", .bend = std::move(bend)});
  }
};

TEST_F(OpenerForgeryTest, BrokenSignatureIsNamed) {
  v1::Envelope envelope = Sign(Ours());
  envelope.mutable_signature()->back() ^= 1;
  ExpectNamed(envelope, "politie SIGNATURE_INVALID");
  envelope.clear_signature();
  ExpectNamed(envelope, "politie SIGNATURE_INVALID");
}

TEST_F(OpenerForgeryTest, SignatureOfAnotherPartnerIsNamed) {
  Sealed sealed = Ours();
  sealed.report.partner = "jeugdzorg";
  ExpectNamed(Sign(sealed), "politie SIGNATURE_INVALID");
}

TEST_F(OpenerForgeryTest, BodyThatIsNoEnvelopeIsAFaultWithoutAPartner) {
  v1::Envelope envelope = Sign(Ours());
  envelope.set_body("no envelope");
  ExpectNamed(envelope, " ENVELOPE_INVALID");
  Sealed sealed = Ours();
  sealed.body.set_header("no header");
  ExpectNamed(Sign(sealed), " ENVELOPE_INVALID");
  ExpectNamed(Bent([](v1::SignalHeader& header) { header.set_partner("stranger"); }), " ENVELOPE_INVALID");
}

TEST_F(OpenerForgeryTest, HeaderThatDoesNotFitTheCovenantIsNamed) {
  const std::pair<const char*, std::function<void(v1::SignalHeader&)>> cases[] = {
      {"ENVELOPE_INVALID", [](auto& header) { header.set_version(2); }},
      {"COVENANT_MISMATCH", [](auto& header) { header.set_region("almere"); }},
      {"COVENANT_MISMATCH", [](auto& header) { header.set_epoch(2); }},
      {"COVENANT_MISMATCH", [](auto& header) { header.set_covenant_id(std::string(32, 'c')); }},
      {"COVENANT_MISMATCH", [](auto& header) { header.set_index(0); }},
      {"COVENANT_MISMATCH", [](auto& header) { header.set_index(3); }},
      {"COVENANT_MISMATCH", [](auto& header) { header.set_index(33); }},
      {"COVENANT_MISMATCH", [](auto& header) { header.set_seal_key_id("0123456789abcdef"); }},
      {"ENVELOPE_INVALID", [](auto& header) { header.set_signal_id("short"); }},
      {"ENVELOPE_INVALID", [](auto& header) { header.set_kind(v1::SIGNAL_KIND_UNSPECIFIED); }},
      {"DATE_OUT_OF_RANGE", [](auto& header) { header.set_expiry_day(header.expiry_day() + 1); }},
      {"RULE_UNKNOWN", [](auto& header) { header.mutable_rules(0)->set_version(2); }},
      {"ENVELOPE_INVALID", [](auto& header) { header.mutable_rules()->RemoveLast(); }},
  };
  for (const auto& [why, bend] : cases) {
    SCOPED_TRACE(why);
    ExpectNamed(Bent(bend), absl::StrCat("politie ", why));
  }
}

TEST_F(OpenerForgeryTest, EnvelopeOfAnotherPurposeIsNamed) {
  ExpectNamed(Make({.partner = "politie", .subject = "jan", .purpose = kFamily}), "politie ENVELOPE_INVALID");
  // Also when all of them are of that other purpose, where they would open.
  EXPECT_THAT(Open(MakeAll({{.partner = "politie", .subject = "jan", .purpose = kFamily},
                            {.partner = "gemeente", .subject = "jan", .purpose = kFamily}}),
                   kList),
              HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerForgeryTest, PurposeRenamedInTheHeaderDoesNotOpenThere) {
  // Tokens of one purpose under the header of another.
  ExpectNamed(Make({.partner = "politie",
                    .subject = "jan",
                    .purpose = kList,
                    .bend =
                        [&](v1::SignalHeader& header) {
                          header.set_purpose(kCase);
                          header.set_seal_key_id(snapshot().covenant->FindSealKey(kCase, 1)->id());
                        }}),
              "politie THRESHOLD_NOT_MET", kCase);
}

TEST_F(OpenerForgeryTest, ReplayedEnvelopeCountsOnce) {
  const v1::Envelope ours = Sign(Ours());
  EXPECT_THAT(Open({ours, ours}), HasReason(reason::kThresholdNotMet));
  const v1::Envelope theirs = Make({.partner = "gemeente", .subject = "jan"});
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened, Open({ours, theirs, ours}));
  EXPECT_EQ(opened.signals.size(), 2u);
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie REPLAYED"));
}

TEST_F(OpenerForgeryTest, TwoEnvelopesUnderOneSignalIdCountOnce) {
  const auto same_id = [](v1::SignalHeader& header) { header.set_signal_id(std::string(16, 's')); };
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(
      const Opener::Opened opened,
      Open({Bent(same_id), Make({.partner = "gemeente", .subject = "jan"}), Bent(same_id),
            Make({.partner = "jeugdzorg", .subject = "jan", .bend = same_id})}));
  EXPECT_EQ(opened.signals.size(), 3u) << "an id is a partner's own";
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie REPLAYED"));
}

TEST_F(OpenerForgeryTest, InvalidEnvelopeDoesNotTakeTheIdOfAValidOne) {
  const v1::Envelope ours = Sign(Ours());
  v1::Envelope broken = ours;
  broken.clear_signature();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened,
                                Open({broken, ours, Make({.partner = "gemeente", .subject = "jan"})}));
  EXPECT_EQ(opened.signals.size(), 2u);
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie SIGNATURE_INVALID"));
}

TEST_F(OpenerForgeryTest, ForgedShareIsNamed) {
  for (const int position : {0, 1}) {
    Sealed sealed = Ours();
    for (int i = 0; i < 2; ++i) {
      if (i != position) continue;
      sealed.body.mutable_tokens(i)->mutable_share()->front() ^= 1;
      Wrap(sealed, i);
    }
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened,
                                  Open({Sign(sealed), Make({.partner = "gemeente", .subject = "jan"})}));
    EXPECT_EQ(opened.signals.size(), 2u) << "by the other rule";
    EXPECT_THAT(FaultsOf(opened), ElementsAre("politie VERIFICATION_FAILED"));
    EXPECT_THAT(opened.signals[0].rules(), ElementsAre(position == 0 ? kNameRule : kBsnRule));
  }
  Sealed sealed = Ours();
  for (int i = 0; i < 2; ++i) {
    sealed.body.mutable_tokens(i)->mutable_share()->front() ^= 1;
    Wrap(sealed, i);
  }
  ExpectNamed(Sign(sealed), "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, ShareAtAnotherIndexIsNamed) {
  // Whoever knows the identity can compute the shares of others; they do not fit its own index.
  Sealed sealed = Ours();
  const v1::Purpose& purpose = PurposeOf(kList);
  for (int i = 0; i < 2; ++i) {
    const auto coefficients = SecretsOf(sealed.report, purpose.rules(i)).coefficients;
    sealed.body.mutable_tokens(i)->set_share(crypto::disclosure::EvaluateShare(coefficients, 4)->Encode());
    Wrap(sealed, i);
  }
  ExpectNamed(Sign(sealed), "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, ShareThatIsNoScalarIsNamed) {
  Sealed sealed = Ours();
  for (int i = 0; i < 2; ++i) {
    sealed.body.mutable_tokens(i)->set_share(std::string(32, '\xff'));
    Wrap(sealed, i);
  }
  ExpectNamed(Sign(sealed), "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, CommitmentsOfTheOtherRuleAreNamed) {
  Sealed sealed = Ours();
  sealed.body.mutable_tokens(0)->mutable_commitments()->swap(
      *sealed.body.mutable_tokens(1)->mutable_commitments());
  for (const int i : {0, 1}) Wrap(sealed, i);
  ExpectNamed(Sign(sealed), "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, CommitmentsInAnotherOrderMatchNobody) {
  // With k = 2 the share of index 1 fits them as well: f(1) = a_0 + a_1. No other does, so none is with it.
  Sealed sealed = Ours();
  for (const int i : {0, 1}) {
    std::string& commitments = *sealed.body.mutable_tokens(i)->mutable_commitments();
    std::rotate(commitments.begin(), commitments.begin() + 32, commitments.end());
    Wrap(sealed, i);
  }
  ExpectNamed(Sign(sealed), "politie THRESHOLD_NOT_MET");
}

TEST_F(OpenerForgeryTest, CommitmentsThatAreNoPointsAreTheFaultOfAllWhoCarryThem) {
  std::vector<v1::Envelope> envelopes;
  for (const char* partner : {"politie", "gemeente"}) {
    Sealed sealed = Seal({.partner = partner, .subject = "jan"});
    for (int i = 0; i < 2; ++i) {
      sealed.body.mutable_tokens(i)->set_commitments(std::string(64, '\xff'));
      Wrap(sealed, i);
    }
    envelopes.push_back(Sign(sealed));
  }
  const auto result = Open(envelopes);
  EXPECT_THAT(result, HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(std::string(result.status().message()),
              HasSubstr("gemeente VERIFICATION_FAILED, politie VERIFICATION_FAILED"));
}

TEST_F(OpenerForgeryTest, TwoOrganisationsWithAPolynomialOfTheirOwnOpenNoOther) {
  // Colluders under one tag with their own commitments; the honest signal carries the true ones.
  std::vector<v1::Envelope> envelopes = {Make({.partner = "jeugdzorg", .subject = "jan"})};
  const auto own =
      SecretsOf({.partner = "politie", .subject = "piet"}, PurposeOf(kList).rules(0)).coefficients;
  for (const auto& [partner, index] : {std::pair("politie", 1u), std::pair("gemeente", 2u)}) {
    Sealed sealed = Seal({.partner = partner, .subject = "jan", .without = {kNameRule}});
    v1::Token& token = *sealed.body.mutable_tokens(0);
    token.set_share(crypto::disclosure::EvaluateShare(own, index)->Encode());
    token.set_commitments(crypto::disclosure::Commit(own));
    Wrap(sealed, 0);
    envelopes.push_back(Sign(sealed));
  }
  EXPECT_THAT(Open(envelopes), HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerForgeryTest, TokenTakenFromAnotherEnvelopeIsNamed) {
  const Sealed theirs = Seal({.partner = "jeugdzorg", .subject = "jan"});
  Sealed ours = Ours();
  *ours.body.mutable_tokens() = theirs.body.tokens();
  ExpectNamed(Sign(ours), "politie VERIFICATION_FAILED");
  // From another signal of its own: right share, wrong header.
  Sealed again = Ours();
  *again.body.mutable_tokens() = Ours().body.tokens();
  ExpectNamed(Sign(again), "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, TagOfItsOwnMatchesNobody) {
  Sealed ours = Ours();
  for (const int i : {0, 1}) {
    ours.body.mutable_tokens(i)->mutable_tag()->front() ^= 1;
    Wrap(ours, i);
  }
  ExpectNamed(Sign(ours), "politie THRESHOLD_NOT_MET");
}

TEST_F(OpenerForgeryTest, TokensInAnotherOrderMatchNobody) {
  Sealed ours = Ours();
  ours.body.mutable_tokens()->SwapElements(0, 1);
  ExpectNamed(Sign(ours), "politie THRESHOLD_NOT_MET");
}

TEST_F(OpenerForgeryTest, WrappedKeyOfOneRuleThatDoesNotOpenIsNamedAndTheOtherRuleCounts) {
  Sealed ours = Ours();
  ours.body.mutable_tokens(0)->mutable_wrapped_key()->back() ^= 1;
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened,
                                Open({Sign(ours), Make({.partner = "gemeente", .subject = "jan"})}));
  EXPECT_EQ(opened.signals.size(), 2u);
  EXPECT_THAT(opened.signals[0].rules(), ElementsAre(kNameRule));
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie VERIFICATION_FAILED"));
}

TEST_F(OpenerForgeryTest, ContentKeyOtherThanCommittedIsNamed) {
  ExpectNamed(Bent([](v1::SignalHeader& header) { header.set_content_key_commitment(std::string(32, 'c')); }),
              "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, SecondContentKeyUnderOneRuleIsNamed) {
  Sealed ours = Ours();
  const base::SecretBytes true_key =
      std::exchange(ours.content_key, base::SecretBytes::Generate(random_, 32));
  Wrap(ours, 0);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Opener::Opened opened,
                                Open({Sign(ours), Make({.partner = "gemeente", .subject = "jan"})}));
  EXPECT_THAT(FaultsOf(opened), ElementsAre("politie VERIFICATION_FAILED"));
  EXPECT_THAT(SignalsOf(opened), ElementsAre("gemeente/jan: jan at gemeente", "politie/jan: jan at politie"));
}

TEST_F(OpenerForgeryTest, PayloadOfAnotherSignalIsNamed) {
  Sealed ours = Ours();
  ours.body.set_payload(Ours().body.payload());
  ExpectNamed(Sign(ours), "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, BoxMadeForAnotherHeaderIsNamed) {
  // The inner box of one signal, put under the content key and header of another by one who holds both keys.
  const Sealed first = Seal({.partner = "jeugdzorg", .subject = "jan"});
  Sealed ours = Ours();
  const std::string& key_id = snapshot().covenant->FindSealKey(kList, 1)->id();
  unsigned char header_hash[32];
  crypto_hash_sha256(header_hash, reinterpret_cast<const unsigned char*>(first.body.header().data()),
                     first.body.header().size());
  std::string plain(reinterpret_cast<const char*>(header_hash), 32);
  plain += ContentOf(first.report).SerializeAsString();
  plain += '\x80';
  plain.resize(512, '\0');
  std::string box(plain.size() + crypto_box_SEALBYTES, '\0');
  crypto_box_seal(reinterpret_cast<unsigned char*>(box.data()),
                  reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                  reinterpret_cast<const unsigned char*>(seal_keys_.at(key_id).public_key.data()));
  ours.body.set_payload(seal::EncryptAtRest(ours.content_key, box, ours.body.header(), random_));
  ExpectNamed(Sign(ours), "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, PayloadSealedToAnotherKeyIsNamed) {
  Sealed ours = Ours();
  ours.report.purpose = kFamily;
  SealPayload(ours, ContentOf(ours.report).SerializeAsString());
  ExpectNamed(Sign(ours), "politie VERIFICATION_FAILED");
}

TEST_F(OpenerForgeryTest, ContentWithAnUnknownFieldIsNamed) {
  Sealed ours = Ours();
  const std::string good = ContentOf(ours.report).SerializeAsString();
  SealPayload(ours, good + "\x7a\x01x");
  ExpectNamed(Sign(ours), "politie VERIFICATION_FAILED");
  SealPayload(ours, "no content");
  ExpectNamed(Sign(ours), "politie VERIFICATION_FAILED");
  SealPayload(ours, good);
  EXPECT_THAT(Open({Sign(ours), Make({.partner = "gemeente", .subject = "jan"})}), IsOk());
}

TEST_F(OpenerForgeryTest, ShareOnASupportingRuleIsNamed) {
  Sealed ours = Seal({.partner = "politie", .subject = "jan", .purpose = kWide});
  v1::Token& address = *ours.body.mutable_tokens(2);
  address.set_share(ours.body.tokens(0).share());
  address.set_commitments(ours.body.tokens(0).commitments());
  address.set_wrapped_key(ours.body.tokens(0).wrapped_key());
  const auto result =
      Open({Sign(ours), Make({.partner = "gemeente", .subject = "jan", .purpose = kWide})}, kWide);
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("politie ENVELOPE_INVALID"));
}

TEST_F(OpenerForgeryTest, SignalThatDoesNotOpenCompletesNoThresholdAndNoCase) {
  // Good shares, but its content is junk: without it there is no case report.
  Sealed junk = Seal({.partner = "politie", .subject = "jan", .purpose = kCase, .kind = v1::CASE_REPORT});
  SealPayload(junk, "no content");
  const auto result = Open({Sign(junk), Make({.partner = "gemeente", .subject = "jan", .purpose = kCase}),
                            Make({.partner = "jeugdzorg", .subject = "jan", .purpose = kCase})},
                           kCase);
  EXPECT_THAT(result, HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("politie VERIFICATION_FAILED"));
}

TEST_F(OpenerForgeryTest, SeveralSignalsOfOneOrganisationDoNotReplaceOneThatDoesNotOpen) {
  Sealed junk = Seal({.partner = "gemeente", .subject = "jan"});
  SealPayload(junk, "no content");
  EXPECT_THAT(Open({Sign(Ours()), Sign(junk), Sign(Ours()), Sign(Ours())}),
              HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerForgeryTest, WithoutACaseReportNothingIsTried) {
  Sealed junk = Seal({.partner = "politie", .subject = "jan", .purpose = kCase});
  SealPayload(junk, "no content");
  const auto result =
      Open({Sign(junk), Make({.partner = "gemeente", .subject = "jan", .purpose = kCase})}, kCase);
  EXPECT_THAT(result, HasReason(reason::kThresholdNotMet));
  EXPECT_THAT(std::string(result.status().message()), ::testing::Not(HasSubstr("VERIFICATION_FAILED")));
}

TEST_F(OpenerForgeryTest, SignalThatDoesNotOpenJoinsNoGroups) {
  // Only the junk signal connects the two others, by one rule each.
  Sealed junk = Seal({.partner = "gemeente", .subject = "jan"});
  SealPayload(junk, "no content");
  const std::vector<v1::Envelope> three = {
      Make({.partner = "politie", .subject = "jan", .without = {kNameRule}}), Sign(junk),
      Make({.partner = "woningcorporatie", .subject = "jan"})};
  EXPECT_THAT(Open(three), HasReason(reason::kThresholdNotMet));
}

TEST_F(OpenerForgeryTest, AnyByteChangedAndSignedAgainOpensNothingElse) {
  constexpr uint32_t kSeed = 20270116;
  SCOPED_TRACE(absl::StrCat("seed ", kSeed));
  std::mt19937 engine(kSeed);
  const std::vector<v1::Envelope> honest =
      MakeAll({{.partner = "gemeente", .subject = "jan"}, {.partner = "jeugdzorg", .subject = "jan"}});
  const Sealed ours = Ours();
  const std::string body = Sign(ours).body();
  const Opener opener = MakeOpener();
  const policy::Snapshot in_force = snapshot();
  const auto& key = region_.KeyOf(testing::TestRegion::Urn("node", "politie"));
  size_t opened_by_one_rule = 0;
  for (size_t at = 0; at < body.size(); ++at) {
    v1::Envelope bent;
    bent.set_body(body);
    bent.mutable_body()->at(at) ^= static_cast<char>(1 << (engine() % 8));
    // By the partner itself, and by the broker.
    const bool again = engine() % 4 != 0;
    bent.set_signature(
        crypto::note::SignMessage(key, crypto::note::kEnvelopeKind, again ? bent.body() : body));
    const std::vector<v1::Envelope> match = {honest[0], bent, honest[1]};
    const policy::VerifiedOrder order{OrderFor(match, kList), ""};
    const auto opened = opener.Open(ProofFor(order), match, in_force, region_.clock().Now());
    ASSERT_THAT(opened, IsOk()) << "byte " << at;
    ASSERT_LE(opened->faults.size(), 1u) << "byte " << at;
    std::vector<std::string> signals = SignalsOf(*opened);
    ASSERT_GE(signals.size() + opened->faults.size(), 3u) << "byte " << at;
    if (signals.size() == 3) {
      // One token was hit, and the other rule opens it.
      ASSERT_EQ(signals.back(), "politie/jan: jan at politie") << "byte " << at;
      ASSERT_THAT(opened->signals.back().rules(), ::testing::SizeIs(1)) << "byte " << at;
      signals.pop_back();
      ++opened_by_one_rule;
    }
    ASSERT_THAT(signals, ElementsAre("gemeente/jan: jan at gemeente", "jeugdzorg/jan: jan at jeugdzorg"))
        << "byte " << at;
  }
  EXPECT_GT(opened_by_one_rule, 0u);
}

}  // namespace
}  // namespace raakvlak::hub
