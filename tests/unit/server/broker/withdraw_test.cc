// Exchange.Withdraw: every check broken alone, idempotence, tombstones.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "server/broker/exchange.h"
#include "server/broker/expiry.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using testing::BrokerRegion;
using testing::FailingStore;
using testing::kListPurpose;

class WithdrawTest : public ::testing::Test {
 protected:
  explicit WithdrawTest(const std::function<void(v1::Covenant&)>& change = nullptr) : region_(change) {}

  v1::SubmitReceipt Submit(const std::string& partner, const v1::Envelope& envelope) {
    v1::SubmitRequest request;
    *request.add_envelopes() = envelope;
    const auto response = exchange_.Submit(region_.Node(partner), request);
    EXPECT_THAT(response, base::testing::IsOk());
    return response.ok() ? response->receipts(0) : v1::SubmitReceipt();
  }
  absl::StatusOr<v1::WithdrawSignalsResponse> Withdraw(const std::string& partner,
                                                       const std::vector<v1::SignedWithdrawal>& withdrawals) {
    v1::WithdrawSignalsRequest request;
    for (const v1::SignedWithdrawal& withdrawal : withdrawals) *request.add_withdrawals() = withdrawal;
    return exchange_.Withdraw(region_.Node(partner), request);
  }
  v1::SubmitReceipt WithdrawOne(const std::string& partner, const v1::SignedWithdrawal& withdrawal) {
    const auto response = Withdraw(partner, {withdrawal});
    EXPECT_THAT(response, base::testing::IsOk());
    return response.ok() ? response->receipts(0) : v1::SubmitReceipt();
  }
  // Submits a good envelope and returns its signal id.
  std::string SubmitGood(const std::string& partner) {
    const v1::Envelope envelope = region_.MakeEnvelope(partner, kListPurpose);
    EXPECT_TRUE(Submit(partner, envelope).accepted());
    return BrokerRegion::HeaderOf(envelope).signal_id();
  }

  BrokerRegion region_;
  FailingStore store_;
  Exchange exchange_{store_, region_.clock()};
};

TEST_F(WithdrawTest, WithdrawnSignalEndsAndStaysEnded) {
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  ASSERT_TRUE(Submit("politie", envelope).accepted());
  const std::string id = BrokerRegion::HeaderOf(envelope).signal_id();
  const v1::SignedWithdrawal withdrawal = region_.MakeWithdrawal("politie", id);
  const v1::SubmitReceipt receipt = WithdrawOne("politie", withdrawal);
  EXPECT_TRUE(receipt.accepted());
  EXPECT_EQ(receipt.signal_id(), id);
  EXPECT_EQ(receipt.envelope_hash(), base::Sha256(withdrawal.body()));
  EXPECT_EQ(store_.LiveSignals(), 0u);
  const storage::AuditEntry entry = store_.Audit("withdraw").back();
  EXPECT_EQ(entry.count, 1u);
  EXPECT_EQ(entry.reason, "unjust");

  EXPECT_EQ(Submit("politie", envelope).reason(), reason::kSignalEnded);
  EXPECT_EQ(store_.LiveSignals(), 0u);
}

TEST_F(WithdrawTest, WithdrawingAgainAnswersTheFirstTime) {
  const std::string id = SubmitGood("politie");
  const v1::SubmitReceipt first = WithdrawOne("politie", region_.MakeWithdrawal("politie", id));
  region_.clock().Advance(absl::Hours(3));
  const v1::SubmitReceipt again = WithdrawOne(
      "politie", region_.MakeWithdrawal("politie", id, [](auto& body) { body.set_reason(v1::RISK_OVER); }));
  EXPECT_TRUE(again.accepted());
  EXPECT_EQ(again.accepted_ms(), first.accepted_ms());
  EXPECT_EQ(store_.Audit("withdraw").back().count, 0u);
  EXPECT_TRUE(store_.Audit("refuse").empty());
}

TEST_F(WithdrawTest, WithdrawalBeforeTheSubmitKeepsTheSignalOut) {
  const v1::Envelope late = region_.MakeEnvelope("politie", kListPurpose);
  const std::string id = BrokerRegion::HeaderOf(late).signal_id();
  EXPECT_TRUE(WithdrawOne("politie", region_.MakeWithdrawal("politie", id)).accepted());
  EXPECT_EQ(Submit("politie", late).reason(), reason::kSignalEnded);
  // Not only today: as long as the envelope could be taken.
  Expiry expiry(store_, region_.clock(), "test");
  region_.clock().Advance(absl::Hours(24 * 28));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const ExpiryRun run, expiry.Run({region_.Today(), 365, "c1/r1"}));
  EXPECT_EQ(run.expired, 0u);
  EXPECT_EQ(Submit("politie", late).reason(), reason::kSignalEnded);
  EXPECT_EQ(store_.LiveSignals(), 0u);
}

TEST_F(WithdrawTest, PartnerWithdrawsOnlyItsOwnSignals) {
  const std::string id = SubmitGood("politie");
  EXPECT_TRUE(WithdrawOne("gemeente", region_.MakeWithdrawal("gemeente", id)).accepted())
      << "an id of its own";
  EXPECT_EQ(store_.LiveSignals(), 1u);
  const v1::SignedWithdrawal of_politie = region_.MakeWithdrawal("politie", id);
  EXPECT_EQ(WithdrawOne("gemeente", of_politie).reason(), reason::kSignatureInvalid);
  EXPECT_EQ(WithdrawOne("gemeente", region_.SignWithdrawal("gemeente", of_politie.body())).reason(),
            reason::kEnvelopeInvalid);
  EXPECT_EQ(store_.LiveSignals(), 1u);
}

TEST_F(WithdrawTest, EachCheckBrokenAloneGivesItsReasonAndEndsNothing) {
  const std::string id = SubmitGood("politie");
  using Body = v1::WithdrawalBody&;
  const std::vector<std::tuple<const char*, const char*, std::function<void(Body)>>> cases = {
      {"version 2", reason::kEnvelopeInvalid, [](Body body) { body.set_version(2); }},
      {"another covenant", reason::kCovenantMismatch,
       [](Body body) { body.set_covenant_id(std::string(32, 'c')); }},
      {"another partner", reason::kEnvelopeInvalid, [](Body body) { body.set_partner("gemeente"); }},
      {"signal id of 15 bytes", reason::kEnvelopeInvalid,
       [&](Body body) { body.set_signal_id(id.substr(1)); }},
      {"no reason", reason::kEnvelopeInvalid,
       [](Body body) { body.set_reason(v1::WITHDRAWAL_REASON_UNSPECIFIED); }},
      {"unknown reason", reason::kEnvelopeInvalid,
       [](Body body) { body.set_reason(static_cast<v1::WithdrawalReason>(9)); }},
      {"no time", reason::kClockSkew, [](Body body) { body.clear_time_ms(); }},
      {"time ahead", reason::kClockSkew, [](Body body) { body.set_time_ms(body.time_ms() + 120'001); }},
      {"unknown field", reason::kEnvelopeInvalid,
       [](Body body) { body.GetReflection()->MutableUnknownFields(&body)->AddVarint(1000, 1); }},
      {"over 1 KiB", reason::kEnvelopeInvalid, [](Body body) { body.set_partner(std::string(1024, 'p')); }},
  };
  for (const auto& [name, want, change] : cases) {
    SCOPED_TRACE(name);
    EXPECT_EQ(WithdrawOne("politie", region_.MakeWithdrawal("politie", id, change)).reason(), want);
    EXPECT_EQ(store_.LiveSignals(), 1u);
    EXPECT_EQ(store_.Audit("refuse").back().result, want);
    EXPECT_EQ(store_.Audit("refuse").back().object, "/raakvlak.v1.Exchange/Withdraw");
  }
  EXPECT_TRUE(
      WithdrawOne("politie", region_.MakeWithdrawal("politie", id, [](Body body) { body.set_time_ms(1); }))
          .accepted())
      << "a withdrawal may have waited long";
}

TEST_F(WithdrawTest, SignatureOfAnEnvelopeIsNoneOfAWithdrawal) {
  const std::string id = SubmitGood("politie");
  v1::SignedWithdrawal withdrawal = region_.MakeWithdrawal("politie", id);
  withdrawal.set_signature(region_.SignEnvelope("politie", withdrawal.body()).signature());
  EXPECT_EQ(WithdrawOne("politie", withdrawal).reason(), reason::kSignatureInvalid);
  EXPECT_EQ(store_.LiveSignals(), 1u);
}

TEST_F(WithdrawTest, SignalThatExpiredIsSaidToHaveEnded) {
  const std::string id = SubmitGood("politie");
  region_.clock().Advance(absl::Hours(24 * 28));
  Expiry expiry(store_, region_.clock(), "test");
  // As if 90 days were over, while the roster is still in force.
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const ExpiryRun run, expiry.Run({region_.Today() + 62, 365, "c1/r1"}));
  ASSERT_EQ(run.expired, 1u);
  EXPECT_EQ(WithdrawOne("politie", region_.MakeWithdrawal("politie", id)).reason(), reason::kSignalEnded);
}

TEST_F(WithdrawTest, BatchesAreLimitedAndSuspendedPartnersRefused) {
  EXPECT_THAT(Withdraw("politie", {}), HasReason(reason::kInvalidArgument));
  const v1::SignedWithdrawal withdrawal = region_.MakeWithdrawal("politie", std::string(16, 's'));
  EXPECT_THAT(Withdraw("politie", std::vector<v1::SignedWithdrawal>(257, withdrawal)),
              HasReason(reason::kTooLarge));
  region_.region().Suspend("politie");
  EXPECT_THAT(Withdraw("politie", {withdrawal}), HasReason(reason::kPartnerSuspended));
  EXPECT_EQ(store_.Audit("refuse").size(), 3u);
  EXPECT_TRUE(store_.Audit("withdraw").empty());
}

// Quotas of a few, so that they can be spent.
class WithdrawQuotaTest : public WithdrawTest {
 protected:
  static constexpr uint64_t kQuota = 4;
  WithdrawQuotaTest()
      : WithdrawTest([](v1::Covenant& covenant) {
          for (v1::Quota& quota : *covenant.mutable_quotas()) quota.set_elements_per_day(kQuota - 2);
          covenant.mutable_quotas(0)->set_elements_per_day(kQuota);
        }) {}
  std::string WithdrawUnknown(const std::string& partner) {
    return WithdrawOne(partner, region_.MakeWithdrawal(partner, region_.RandomBytes(16))).reason();
  }
};

TEST_F(WithdrawQuotaTest, UnknownIdsAreTakenUpToTheLargestQuotaOfAClass) {
  const std::string id = SubmitGood("politie");
  for (uint64_t i = 0; i < kQuota; ++i) EXPECT_EQ(WithdrawUnknown("politie"), "") << i;
  EXPECT_EQ(WithdrawUnknown("politie"), reason::kQuotaExceeded);
  const storage::AuditEntry entry = store_.Audit("refuse").back();
  EXPECT_EQ(entry.result, reason::kQuotaExceeded);
  EXPECT_EQ(entry.object, "/raakvlak.v1.Exchange/Withdraw");
  EXPECT_EQ(entry.count, 1u);
  // A signal of one's own can always be withdrawn.
  EXPECT_TRUE(WithdrawOne("politie", region_.MakeWithdrawal("politie", id)).accepted());
  EXPECT_EQ(store_.LiveSignals(), 0u);
}

TEST_F(WithdrawQuotaTest, RefusedWithdrawalIsNotRemembered) {
  for (uint64_t i = 0; i < kQuota; ++i) WithdrawUnknown("politie");
  const v1::Envelope late = region_.MakeEnvelope("politie", kListPurpose);
  const std::string id = BrokerRegion::HeaderOf(late).signal_id();
  EXPECT_EQ(WithdrawOne("politie", region_.MakeWithdrawal("politie", id)).reason(), reason::kQuotaExceeded);
  EXPECT_TRUE(Submit("politie", late).accepted());
}

TEST_F(WithdrawQuotaTest, RepetitionsAndOneBatchCountAsTheyShould) {
  std::vector<v1::SignedWithdrawal> batch;
  for (uint64_t i = 0; i < kQuota + 2; ++i) {
    batch.push_back(region_.MakeWithdrawal("politie", region_.RandomBytes(16)));
  }
  for (int repetition = 0; repetition < 3; ++repetition) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::WithdrawSignalsResponse response, Withdraw("politie", batch));
    for (int i = 0; i < response.receipts_size(); ++i) {
      EXPECT_EQ(response.receipts(i).accepted(), static_cast<uint64_t>(i) < kQuota) << repetition << " " << i;
    }
    EXPECT_EQ(store_.Audit("refuse").back().count, 2u);
  }
}

TEST_F(WithdrawQuotaTest, EachPartnerAndEachDayHasItsOwn) {
  for (uint64_t i = 0; i < kQuota; ++i) WithdrawUnknown("politie");
  EXPECT_EQ(WithdrawUnknown("politie"), reason::kQuotaExceeded);
  EXPECT_EQ(WithdrawUnknown("gemeente"), "");
  region_.clock().Advance(absl::Hours(24));
  EXPECT_EQ(WithdrawUnknown("politie"), "");
}

TEST_F(WithdrawTest, NoAnswerWhenTheStoreFails) {
  const std::string id = SubmitGood("politie");
  store_.FailWrites(FailingStore::Fail::kBefore);
  EXPECT_THAT(Withdraw("politie", {region_.MakeWithdrawal("politie", id)}),
              HasReason(reason::kStorageFailed));
  EXPECT_EQ(store_.LiveSignals(), 1u);
}

}  // namespace
}  // namespace raakvlak::broker
