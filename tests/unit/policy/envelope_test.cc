// Envelopes and withdrawals that were made under a covenant which another one has followed. What broker and
// opener check besides: tests/unit/server/broker/submit_test.cc and withdraw_test.cc, each check alone.
#include "policy/envelope.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/signed_message.h"
#include "policy/covenant_chain.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;

constexpr char kListPurpose[] = "onaantastbaren";
constexpr char kPartner[] = "gemeente";

class SucceededEnvelopeTest : public ::testing::Test {
 protected:
  SucceededEnvelopeTest() { Agree(); }

  // What covenant() says comes into force.
  void Agree() { covenants_.push_back(region_.SignedCovenant()); }
  void AgreeOn(const std::function<void(v1::Covenant&)>& change) {
    region_.NextCovenant();
    change(region_.covenant());
    Agree();
  }
  v1::Partner& Partner() { return *region_.covenant().mutable_partners(1); }
  v1::Purpose& Purpose() { return *region_.covenant().mutable_purposes(0); }

  // The last but `waiting` covenants are in force.
  Snapshot InForce(size_t waiting = 0) const {
    return Snapshot{covenants_[covenants_.size() - 1 - waiting], nullptr, CovenantChain::Create(covenants_)};
  }

  v1::Envelope MakeEnvelope(size_t covenant, uint32_t epoch = 1,
                            const std::function<void(v1::SignalHeader&)>& change = nullptr) {
    const Covenant& named = *covenants_[covenant];
    const v1::Purpose& purpose = *named.FindPurpose(kListPurpose);
    const v1::Purpose& terms = *InForce().TermsOf(kListPurpose, epoch);
    v1::SignalHeader header;
    header.set_version(1);
    header.set_region(named.region());
    header.set_purpose(kListPurpose);
    header.set_epoch(epoch);
    header.set_covenant_id(named.id());
    header.set_partner(kPartner);
    header.set_index(named.FindPartner(kPartner)->index());
    header.set_signal_id(std::string(16, 's'));
    header.set_kind(v1::SIGNAL);
    header.set_submitted_day(named.DayAt(region_.clock().Now()));
    header.set_expiry_day(header.submitted_day() + purpose.retention_days());
    if (const v1::SealKey* key = named.FindSealKey(kListPurpose, epoch)) header.set_seal_key_id(key->id());
    header.set_content_key_commitment(std::string(32, 'c'));
    v1::EnvelopeBody body;
    for (const v1::LinkageRule& rule : terms.rules()) {
      v1::RuleVersion& version = *header.add_rules();
      version.set_rule(rule.id());
      version.set_version(rule.version());
      v1::Token& token = *body.add_tokens();
      token.set_tag(std::string(16, 't'));
      token.set_share(std::string(32, 's'));
      token.set_commitments(std::string(32 * terms.disclosure_threshold(), 'C'));
      token.set_wrapped_key(std::string(72, 'w'));
    }
    body.set_payload(std::string(88 + 512, 'p'));
    if (change) change(header);
    body.set_header(header.SerializeAsString());
    v1::Envelope envelope;
    envelope.set_body(body.SerializeAsString());
    envelope.set_signature(crypto::note::SignMessage(region_.KeyOf(TestRegion::Urn("node", kPartner)),
                                                     crypto::note::kEnvelopeKind, envelope.body()));
    return envelope;
  }
  absl::Status Check(const v1::Envelope& envelope, size_t waiting = 0) {
    return CheckEnvelope(envelope, kPartner, InForce(waiting), region_.clock().Now()).status;
  }

  v1::SignedWithdrawal MakeWithdrawal(const std::string& covenant_id) {
    v1::WithdrawalBody body;
    body.set_version(1);
    body.set_covenant_id(covenant_id);
    body.set_partner(kPartner);
    body.set_signal_id(std::string(16, 's'));
    body.set_reason(v1::UNJUST);
    body.set_time_ms(absl::ToUnixMillis(region_.clock().Now()));
    v1::SignedWithdrawal withdrawal;
    withdrawal.set_body(body.SerializeAsString());
    withdrawal.set_signature(crypto::note::SignMessage(region_.KeyOf(TestRegion::Urn("node", kPartner)),
                                                       crypto::note::kWithdrawalKind, withdrawal.body()));
    return withdrawal;
  }
  absl::Status Check(const v1::SignedWithdrawal& withdrawal, size_t waiting = 0) {
    return CheckWithdrawal(withdrawal, kPartner, InForce(waiting), region_.clock().Now()).status;
  }

  TestRegion region_;
  std::vector<std::shared_ptr<const Covenant>> covenants_;
};

TEST_F(SucceededEnvelopeTest, IsJudgedByTheTermsOfTheCovenantThatItNames) {
  AgreeOn([](v1::Covenant& covenant) {
    covenant.mutable_purposes(0)->set_retention_days(30);
    covenant.mutable_partners(1)->set_name("Gemeente Maastricht");
  });
  region_.clock().Advance(absl::Hours(24));
  EXPECT_THAT(Check(MakeEnvelope(0)), IsOk());
  EXPECT_THAT(Check(MakeEnvelope(1)), IsOk());
  const auto with_retention = [](uint32_t days) {
    return [days](v1::SignalHeader& header) { header.set_expiry_day(header.submitted_day() + days); };
  };
  EXPECT_THAT(Check(MakeEnvelope(0, 1, with_retention(30))), HasReason(reason::kDateOutOfRange));
  EXPECT_THAT(Check(MakeEnvelope(1, 1, with_retention(365))), HasReason(reason::kDateOutOfRange));
  const CheckedEnvelope checked = CheckEnvelope(MakeEnvelope(0), kPartner, InForce(), region_.clock().Now());
  EXPECT_EQ(checked.covenant->id(), covenants_[0]->id());
  EXPECT_EQ(checked.rules.size(), 2u);
}

TEST_F(SucceededEnvelopeTest, CovenantThatIsUnknownOrNotInForceYetIsRefused) {
  AgreeOn([](v1::Covenant&) {});
  EXPECT_THAT(Check(MakeEnvelope(1), /*waiting=*/1), HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(Check(MakeEnvelope(0), /*waiting=*/1), IsOk());
  const auto unknown = [](v1::SignalHeader& header) { header.set_covenant_id(std::string(32, 'u')); };
  EXPECT_THAT(Check(MakeEnvelope(1, 1, unknown)), HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(Check(MakeWithdrawal(covenants_[1]->id()), 1), HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(Check(MakeWithdrawal(covenants_[0]->id()), 1), IsOk());
  EXPECT_THAT(Check(MakeWithdrawal(covenants_[0]->id())), IsOk());
  EXPECT_THAT(Check(MakeWithdrawal(std::string(32, 'u'))), HasReason(reason::kCovenantMismatch));
}

TEST_F(SucceededEnvelopeTest, KeyMustBeThatOfTheCovenantNamed) {
  const v1::Envelope old_envelope = MakeEnvelope(0);
  const v1::SignedWithdrawal old_withdrawal = MakeWithdrawal(covenants_[0]->id());
  const std::string urn = TestRegion::Urn("node", kPartner);
  AgreeOn([&](v1::Covenant&) { Partner().set_signing_key(region_.ReplaceKeyOf(urn)); });
  EXPECT_THAT(Check(old_envelope), IsOk());
  EXPECT_THAT(Check(old_withdrawal), IsOk());
  EXPECT_THAT(Check(MakeEnvelope(1)), IsOk());
  EXPECT_THAT(Check(MakeEnvelope(0)), HasReason(reason::kSignatureInvalid)) << "the new key for old terms";
  EXPECT_THAT(Check(MakeWithdrawal(covenants_[0]->id())), HasReason(reason::kSignatureInvalid));
  EXPECT_THAT(Check(MakeEnvelope(1), /*waiting=*/1), HasReason(reason::kSignatureInvalid));
}

TEST_F(SucceededEnvelopeTest, IndexIsThatOfTheCovenantNamed) {
  AgreeOn([&](v1::Covenant&) { Partner().set_index(9); });
  EXPECT_THAT(Check(MakeEnvelope(0)), IsOk());
  EXPECT_THAT(Check(MakeEnvelope(1, 1, [](auto& header) { header.set_index(2); })),
              HasReason(reason::kCovenantMismatch));
}

TEST_F(SucceededEnvelopeTest, CovenantInForceMustStillAllowIt) {
  struct Case {
    const char* name;
    std::string want;
    std::function<void(v1::Covenant&)> change;
    v1::SignalKind kind = v1::SIGNAL;
  };
  const std::vector<Case> cases = {
      {"partner gone", reason::kNotAllowed,
       [](v1::Covenant& covenant) {
         covenant.mutable_partners()->DeleteSubrange(1, 1);
         for (v1::Purpose& purpose : *covenant.mutable_purposes()) {
           purpose.mutable_submitters()->DeleteSubrange(1, 1);
           purpose.mutable_case_reporters()->DeleteSubrange(1, 1);
         }
       }},
      {"purpose gone", reason::kPurposeUnknown,
       [](v1::Covenant& covenant) {
         covenant.mutable_purposes()->DeleteSubrange(0, 1);
         covenant.mutable_hub()->mutable_seal_keys()->DeleteSubrange(0, 1);
       }},
      {"may not submit", reason::kPurposeNotAllowed,
       [](v1::Covenant& covenant) {
         covenant.mutable_purposes(0)->mutable_submitters()->DeleteSubrange(1, 1);
         covenant.mutable_purposes(0)->mutable_case_reporters()->DeleteSubrange(1, 1);
       }},
      {"may not report cases", reason::kKindNotAllowed,
       [](v1::Covenant& covenant) {
         covenant.mutable_purposes(0)->mutable_case_reporters()->DeleteSubrange(1, 1);
       },
       v1::CASE_REPORT},
      {"no right to the BSN", reason::kBsnNotEntitled,
       [](v1::Covenant& covenant) { covenant.mutable_partners(1)->set_bsn_entitled(false); }},
      {"epoch not served", reason::kCovenantMismatch,
       [this](v1::Covenant&) { region_.RaiseEpoch(kListPurpose, absl::ZeroDuration()); }},
  };
  const v1::Covenant before = region_.covenant();
  for (const Case& each : cases) {
    const auto of_kind = [&](v1::SignalHeader& header) { header.set_kind(each.kind); };
    const v1::Envelope envelope = MakeEnvelope(0, 1, of_kind);
    ASSERT_THAT(Check(envelope), IsOk()) << each.name;
    AgreeOn(each.change);
    EXPECT_THAT(Check(envelope), HasReason(each.want)) << each.name;
    covenants_.pop_back();
    region_.covenant() = before;
  }
}

TEST_F(SucceededEnvelopeTest, CovenantNamedMustHaveAllowedIt) {
  region_.covenant().mutable_purposes(0)->mutable_case_reporters()->DeleteSubrange(1, 1);
  Partner().set_bsn_entitled(false);
  covenants_.clear();
  Agree();
  AgreeOn([&](v1::Covenant& covenant) {
    covenant.mutable_purposes(0)->add_case_reporters(kPartner);
    Partner().set_bsn_entitled(true);
  });
  const auto without_bsn = [](v1::SignalHeader& header) {
    header.mutable_rules()->DeleteSubrange(0, 1);
    header.set_kind(v1::CASE_REPORT);
  };
  EXPECT_THAT(Check(MakeEnvelope(0)), HasReason(reason::kBsnNotEntitled));
  EXPECT_THAT(Check(MakeEnvelope(1)), IsOk());
  EXPECT_THAT(Check(MakeEnvelope(0, 1, without_bsn)), HasReason(reason::kKindNotAllowed));
}

TEST_F(SucceededEnvelopeTest, PartnerThatWasNotInTheCovenantNamedIsRefused) {
  AgreeOn([&](v1::Covenant& covenant) {
    v1::Partner& partner = *covenant.add_partners() = covenant.partners(1);
    partner.set_id("reclassering");
    partner.set_organisation("KVK:00000009");
    partner.set_index(5);
    region_.GiveKeys(partner);
    covenant.mutable_purposes(0)->add_submitters("reclassering");
  });
  // As if it had been one of the first partners.
  const auto change = [](v1::SignalHeader& header) { header.set_partner("reclassering"); };
  v1::Envelope envelope = MakeEnvelope(0, 1, change);
  envelope.set_signature(crypto::note::SignMessage(region_.KeyOf(TestRegion::Urn("node", "reclassering")),
                                                   crypto::note::kEnvelopeKind, envelope.body()));
  EXPECT_THAT(CheckEnvelope(envelope, "reclassering", InForce(), region_.clock().Now()).status,
              HasReason(reason::kCovenantMismatch));
}

TEST_F(SucceededEnvelopeTest, BothEpochsAreTakenUntilTheEarlierEnds) {
  AgreeOn([&](v1::Covenant&) { region_.RaiseEpoch(kListPurpose, absl::Hours(48)); });
  EXPECT_THAT(Check(MakeEnvelope(0)), IsOk());
  EXPECT_THAT(Check(MakeEnvelope(1, 2)), IsOk());
  EXPECT_THAT(Check(MakeEnvelope(1, 1)), IsOk()) << "the covenant in force has that seal key too";
  EXPECT_THAT(Check(MakeEnvelope(0, 2)), HasReason(reason::kCovenantMismatch));
  region_.clock().Advance(absl::Hours(47));
  EXPECT_THAT(Check(MakeEnvelope(0)), IsOk());
  region_.clock().Advance(absl::Hours(1));
  EXPECT_THAT(Check(MakeEnvelope(0)), HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(Check(MakeEnvelope(1, 1)), HasReason(reason::kCovenantMismatch));
  EXPECT_THAT(Check(MakeEnvelope(1, 2)), IsOk());
}

TEST_F(SucceededEnvelopeTest, SignalThatGoesOverKeepsTheRetentionOfTheDayOfItsSubmission) {
  const uint32_t submitted = covenants_[0]->DayAt(region_.clock().Now());
  region_.clock().Advance(absl::Hours(24 * 5));
  AgreeOn([&](v1::Covenant&) {
    region_.RaiseEpoch(kListPurpose, absl::Hours(24 * 10));
    Purpose().set_retention_days(100);
  });
  const auto check = [&](uint32_t from, uint32_t days) {
    return Check(MakeEnvelope(1, 2, [&](v1::SignalHeader& header) {
      header.set_submitted_day(from);
      header.set_expiry_day(from + days);
    }));
  };
  EXPECT_THAT(check(submitted, 365), IsOk());
  EXPECT_THAT(check(submitted, 100), IsOk());
  EXPECT_THAT(check(submitted + 5, 100), IsOk());
  EXPECT_THAT(check(submitted + 5, 365), IsOk()) << "it may have come earlier on that day";
  EXPECT_THAT(check(submitted + 6, 365), HasReason(reason::kDateOutOfRange));
  EXPECT_THAT(check(submitted, 364), HasReason(reason::kDateOutOfRange));
  EXPECT_THAT(check(submitted - 1000, 1365), HasReason(reason::kDateOutOfRange));
}

TEST_F(SucceededEnvelopeTest, RulesAndThresholdAreThoseOfTheEpoch) {
  AgreeOn([&](v1::Covenant&) {
    region_.RaiseEpoch(kListPurpose, absl::Hours(48));
    Purpose().set_disclosure_threshold(3);
    Purpose().mutable_rules(1)->set_version(7);
  });
  for (const size_t covenant : {0u, 1u}) {
    const CheckedEnvelope checked =
        CheckEnvelope(MakeEnvelope(covenant, 1), kPartner, InForce(), region_.clock().Now());
    ASSERT_THAT(checked.status, IsOk());
    EXPECT_EQ(checked.purpose->disclosure_threshold(), 2u);
    EXPECT_EQ(checked.rules[1]->version(), 1u);
  }
  const CheckedEnvelope checked =
      CheckEnvelope(MakeEnvelope(1, 2), kPartner, InForce(), region_.clock().Now());
  ASSERT_THAT(checked.status, IsOk());
  EXPECT_EQ(checked.purpose->disclosure_threshold(), 3u);
  EXPECT_EQ(checked.rules[1]->version(), 7u);
}

}  // namespace
}  // namespace raakvlak::policy
