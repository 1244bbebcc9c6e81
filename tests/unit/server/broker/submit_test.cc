// Exchange.Submit: every check broken alone, idempotence, quota, entries, storage that fails.
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "server/broker/exchange.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
using testing::BrokerRegion;
using testing::FailingStore;
using testing::kCasePurpose;
using testing::kHouseholdPurpose;
using testing::kListPurpose;

v1::SubmitRequest RequestOf(const std::vector<v1::Envelope>& envelopes) {
  v1::SubmitRequest request;
  for (const v1::Envelope& envelope : envelopes) *request.add_envelopes() = envelope;
  return request;
}

class SubmitTest : public ::testing::Test {
 protected:
  absl::StatusOr<v1::SubmitResponse> Submit(const std::string& partner,
                                            const std::vector<v1::Envelope>& envelopes) {
    return exchange_.Submit(region_.Node(partner), RequestOf(envelopes));
  }
  // The one receipt of a request with one envelope.
  v1::SubmitReceipt SubmitOne(const std::string& partner, const v1::Envelope& envelope) {
    const absl::StatusOr<v1::SubmitResponse> response = Submit(partner, {envelope});
    EXPECT_THAT(response, base::testing::IsOk());
    if (!response.ok() || response->receipts_size() != 1) return v1::SubmitReceipt();
    return response->receipts(0);
  }

  BrokerRegion region_;
  FailingStore store_;
  Exchange exchange_{store_, region_.clock()};
};

TEST_F(SubmitTest, GoodEnvelopeIsAcceptedAndItsEntryStandsInTheLog) {
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  const v1::SubmitReceipt receipt = SubmitOne("politie", envelope);
  EXPECT_TRUE(receipt.accepted());
  EXPECT_EQ(receipt.reason(), "");
  EXPECT_EQ(receipt.signal_id(), BrokerRegion::HeaderOf(envelope).signal_id());
  EXPECT_EQ(receipt.envelope_hash(), base::Sha256(envelope.body()));
  EXPECT_EQ(receipt.accepted_ms(), absl::ToUnixMillis(region_.clock().Now()));
  EXPECT_EQ(store_.LiveSignals(), 1u);

  const std::vector<storage::AuditEntry> audit = store_.Audit();
  ASSERT_EQ(audit.size(), 1u);
  EXPECT_EQ(audit[0].action, "submit");
  EXPECT_EQ(audit[0].actor, "urn:raakvlak:maastricht:node:politie");
  EXPECT_EQ(audit[0].role, "node");
  EXPECT_EQ(audit[0].purpose, kListPurpose);
  EXPECT_EQ(audit[0].count, 1u);
  EXPECT_EQ(audit[0].result, "OK");
  EXPECT_EQ(audit[0].policy, "c1/r1");
  EXPECT_EQ(audit[0].object, "");
}

TEST_F(SubmitTest, WhatIsStoredIsWhatWasSigned) {
  const v1::Envelope envelope = region_.MakeEnvelope(
      "gemeente", kCasePurpose, [](v1::SignalHeader& header, auto&) { header.set_kind(v1::CASE_REPORT); });
  ASSERT_TRUE(SubmitOne("gemeente", envelope).accepted());
  const auto read = [&](storage::BrokerReader& reader) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto stored, reader.FindEnvelope(1));
    RAAKVLAK_ASSIGN_OR_RETURN(const auto facts, reader.FindFacts(1));
    EXPECT_TRUE(stored && stored->body == envelope.body() && stored->signature == envelope.signature());
    EXPECT_TRUE(facts && facts->counts_as_case && facts->organisation == 2 && facts->tokens.size() == 2);
    return absl::OkStatus();
  };
  EXPECT_THAT(store_.Read("test", read), base::testing::IsOk());
}

TEST_F(SubmitTest, EveryPartnerMaySubmitToThePurposesThatNameIt) {
  for (const auto& [partner, purpose] :
       std::vector<std::pair<std::string, std::string>>{{"woningcorporatie", kListPurpose},
                                                        {"woningcorporatie", kHouseholdPurpose},
                                                        {"jeugdzorg", kCasePurpose}}) {
    EXPECT_TRUE(SubmitOne(partner, region_.MakeEnvelope(partner, purpose)).accepted())
        << partner << " " << purpose;
  }
}

struct Broken {
  const char* name;
  const char* want;
  const char* purpose;
  std::function<void(BrokerRegion&, v1::SignalHeader&, v1::EnvelopeBody&)> change;
  const char* partner = "politie";
};

// Sets a field that this version does not know.
void AddUnknownField(google::protobuf::Message& message) {
  message.GetReflection()->MutableUnknownFields(&message)->AddVarint(1000, 1);
}

std::vector<Broken> BrokenEnvelopes() {
  using H = v1::SignalHeader&;
  using B = v1::EnvelopeBody&;
  using R = BrokerRegion&;
  std::vector<Broken> cases;
  const auto add = [&cases](const char* name, const char* want, auto change,
                            const char* purpose = kListPurpose, const char* partner = "politie") {
    cases.push_back({name, want, purpose, change, partner});
  };
  const char* invalid = reason::kEnvelopeInvalid;
  add("body with an unknown field", invalid, [](R, H, B body) { AddUnknownField(body); });
  add("token with an unknown field", invalid, [](R, H, B body) { AddUnknownField(*body.mutable_tokens(1)); });
  add("header with an unknown field", invalid, [](R, H header, B) { AddUnknownField(header); });
  add("rule with an unknown field", invalid,
      [](R, H header, B) { AddUnknownField(*header.mutable_rules(0)); });
  add("header that does not parse", invalid, [](R, H, B body) { body.set_header("\x0a\xff"); });
  add("no header", invalid, [](R, H header, B) { header.Clear(); });
  add("header over 4 KiB", invalid, [](R, H header, B) { header.set_seal_key_id(std::string(4096, 'a')); });
  add("body over 32 KiB", invalid, [](R, H, B body) { body.set_payload(std::string(88 + 512 * 64, 'x')); });
  add("version 0", invalid, [](R, H header, B) { header.set_version(0); });
  add("version 2", invalid, [](R, H header, B) { header.set_version(2); });
  add("another partner's name", invalid, [](R, H header, B) {
    header.set_partner("gemeente");
    header.set_index(2);
  });
  add("another region", reason::kCovenantMismatch, [](R, H header, B) { header.set_region("almere"); });
  add("another covenant", reason::kCovenantMismatch,
      [](R, H header, B) { header.set_covenant_id(std::string(32, 'c')); });
  add("no covenant", reason::kCovenantMismatch, [](R, H header, B) { header.clear_covenant_id(); });
  add("another index", reason::kCovenantMismatch, [](R, H header, B) { header.set_index(2); });
  add("index 0", reason::kCovenantMismatch, [](R, H header, B) { header.set_index(0); });
  add("unknown purpose", reason::kPurposeUnknown, [](R, H header, B) { header.set_purpose("vrije-tijd"); });
  add(
      "purpose that does not name the partner", reason::kPurposeNotAllowed, [](R, H, B) {}, kHouseholdPurpose,
      "jeugdzorg");
  add("another epoch", reason::kCovenantMismatch, [](R, H header, B) { header.set_epoch(2); });
  add("another seal key", reason::kCovenantMismatch,
      [](R, H header, B) { header.set_seal_key_id("0011223344556677"); });
  add("no kind", invalid, [](R, H header, B) { header.set_kind(v1::SIGNAL_KIND_UNSPECIFIED); });
  add("unknown kind", invalid, [](R, H header, B) { header.set_kind(static_cast<v1::SignalKind>(3)); });
  add(
      "case report of one who may not", reason::kKindNotAllowed,
      [](R, H header, B) { header.set_kind(v1::CASE_REPORT); }, kCasePurpose, "jeugdzorg");
  add("no rules", invalid, [](R, H header, B body) {
    header.clear_rules();
    body.clear_tokens();
  });
  add("a token too few", invalid, [](R, H, B body) { body.mutable_tokens()->RemoveLast(); });
  add("a token too many", invalid, [](R, H, B body) { *body.add_tokens() = body.tokens(0); });
  add("unknown rule", reason::kRuleUnknown,
      [](R, H header, B) { header.mutable_rules(0)->set_rule("iris-scan"); });
  add("another version of a rule", reason::kRuleUnknown,
      [](R, H header, B) { header.mutable_rules(0)->set_version(2); });
  add(
      "a rule of another purpose", reason::kRuleUnknown,
      [](R, H header, B) { header.mutable_rules(0)->set_rule("address"); }, kCasePurpose);
  add("a rule twice", invalid, [](R, H header, B) { header.mutable_rules(1)->set_rule("bsn"); });
  add("rules out of order", invalid, [](R, H header, B body) {
    header.mutable_rules()->SwapElements(0, 1);
    body.mutable_tokens()->SwapElements(0, 1);
  });
  add(
      "BSN of one who may not", reason::kBsnNotEntitled,
      [](R, H header, B) { header.mutable_rules(0)->set_rule("bsn"); }, kListPurpose, "woningcorporatie");
  add("submitted the day after tomorrow", reason::kDateOutOfRange, [](R region, H header, B) {
    header.set_submitted_day(region.Today() + 2);
    header.set_expiry_day(region.Today() + 2 + 90);
  });
  add("submitted at the end of days", reason::kDateOutOfRange, [](R, H header, B) {
    header.set_submitted_day(UINT32_MAX);
    header.set_expiry_day(89);
  });
  add("kept a day too long", reason::kDateOutOfRange,
      [](R, H header, B) { header.set_expiry_day(header.expiry_day() + 1); });
  add("kept a day too short", reason::kDateOutOfRange,
      [](R, H header, B) { header.set_expiry_day(header.expiry_day() - 1); });
  add("expires today", reason::kDateOutOfRange, [](R region, H header, B) {
    header.set_submitted_day(region.Today() - 90);
    header.set_expiry_day(region.Today());
  });
  add("no signal id", invalid, [](R, H header, B) { header.clear_signal_id(); });
  add("signal id of 15 bytes", invalid, [](R, H header, B) { header.set_signal_id(std::string(15, 's')); });
  add("signal id of 17 bytes", invalid, [](R, H header, B) { header.set_signal_id(std::string(17, 's')); });
  add("commitment of 31 bytes", invalid,
      [](R, H header, B) { header.set_content_key_commitment(std::string(31, 's')); });
  add("no payload", invalid, [](R, H, B body) { body.clear_payload(); });
  add("payload without a block", invalid, [](R, H, B body) { body.set_payload(std::string(88, 'p')); });
  add("payload of no whole blocks", invalid,
      [](R, H, B body) { body.set_payload(std::string(88 + 513, 'p')); });
  add("tag of 15 bytes", invalid,
      [](R, H, B body) { body.mutable_tokens(0)->set_tag(std::string(15, 't')); });
  add("no tag", invalid, [](R, H, B body) { body.mutable_tokens(0)->clear_tag(); });
  add("no share", invalid, [](R, H, B body) { body.mutable_tokens(0)->clear_share(); });
  add("share of 33 bytes", invalid,
      [](R, H, B body) { body.mutable_tokens(1)->set_share(std::string(33, 's')); });
  add("no commitments", invalid, [](R, H, B body) { body.mutable_tokens(0)->clear_commitments(); });
  add(
      "a commitment too few for k", invalid,
      [](R, H, B body) { body.mutable_tokens(0)->set_commitments(std::string(64, 'c')); }, kHouseholdPurpose);
  add("a commitment too many for k", invalid,
      [](R, H, B body) { body.mutable_tokens(0)->set_commitments(std::string(96, 'c')); });
  add("no wrapped key", invalid, [](R, H, B body) { body.mutable_tokens(1)->clear_wrapped_key(); });
  add("wrapped key of 71 bytes", invalid,
      [](R, H, B body) { body.mutable_tokens(1)->set_wrapped_key(std::string(71, 'w')); });
  add("share of a supporting rule", invalid,
      [](R, H, B body) { body.mutable_tokens(2)->set_share(std::string(32, 's')); });
  add("commitments of a supporting rule", invalid,
      [](R, H, B body) { body.mutable_tokens(2)->set_commitments(std::string(64, 'c')); });
  add("wrapped key of a supporting rule", invalid,
      [](R, H, B body) { body.mutable_tokens(2)->set_wrapped_key(std::string(72, 'w')); });
  return cases;
}

TEST_F(SubmitTest, EachCheckBrokenAloneGivesItsReasonAndStoresNothing) {
  uint64_t refusals = 0;
  for (const Broken& broken : BrokenEnvelopes()) {
    SCOPED_TRACE(broken.name);
    const v1::Envelope good = region_.MakeEnvelope(broken.partner, kListPurpose);
    const v1::Envelope bad = region_.MakeEnvelope(
        broken.partner, broken.purpose,
        [&](v1::SignalHeader& header, v1::EnvelopeBody& body) { broken.change(region_, header, body); });
    const v1::SubmitReceipt receipt = SubmitOne(broken.partner, bad);
    EXPECT_FALSE(receipt.accepted());
    EXPECT_EQ(receipt.reason(), broken.want);
    EXPECT_EQ(receipt.accepted_ms(), 0);
    EXPECT_EQ(receipt.envelope_hash(), base::Sha256(bad.body()));
    EXPECT_EQ(store_.LiveSignals(), 0u);

    const std::vector<storage::AuditEntry> refused = store_.Audit("refuse");
    ASSERT_EQ(refused.size(), ++refusals);
    EXPECT_EQ(refused.back().result, broken.want);
    EXPECT_EQ(refused.back().object, "/raakvlak.v1.Exchange/Submit");
    EXPECT_EQ(refused.back().count, 1u);
    EXPECT_EQ(store_.Audit("submit").back().count, 0u);
  }
  EXPECT_GT(refusals, 50u);
}

TEST_F(SubmitTest, LimitsThatAreJustMetAreTaken) {
  const std::vector<BrokerRegion::EnvelopeChange> changes = {
      [&](auto& header, auto&) {
        header.set_submitted_day(region_.Today() + 1);
        header.set_expiry_day(region_.Today() + 91);
      },
      [&](auto& header, auto&) {
        header.set_submitted_day(region_.Today() - 89);
        header.set_expiry_day(region_.Today() + 1);
      },
      [](auto&, auto& body) { body.set_payload(std::string(88 + 512 * 60, 'p')); },
      [](auto& header, auto& body) {
        header.mutable_rules()->DeleteSubrange(1, 2);
        body.mutable_tokens()->DeleteSubrange(1, 2);
      },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    EXPECT_TRUE(SubmitOne("politie", region_.MakeEnvelope("politie", kListPurpose, changes[i])).accepted())
        << i;
  }
}

TEST_F(SubmitTest, OnePartnerCannotSubmitAsAnother) {
  const v1::Envelope of_gemeente = region_.MakeEnvelope("gemeente", kListPurpose);
  EXPECT_EQ(SubmitOne("politie", of_gemeente).reason(), reason::kSignatureInvalid);
  v1::Envelope signed_anew = region_.SignEnvelope("politie", of_gemeente.body());
  EXPECT_EQ(SubmitOne("politie", signed_anew).reason(), reason::kEnvelopeInvalid);
  EXPECT_EQ(SubmitOne("gemeente", signed_anew).reason(), reason::kSignatureInvalid);
  EXPECT_EQ(store_.LiveSignals(), 0u);
}

TEST_F(SubmitTest, EveryAlteredBitOfBodyOrSignatureIsRefused) {
  const v1::Envelope good = region_.MakeEnvelope("politie", kListPurpose);
  for (size_t i = 0; i < good.body().size(); i += 37) {
    v1::Envelope bad = good;
    (*bad.mutable_body())[i] = static_cast<char>((*bad.mutable_body())[i] ^ 1);
    EXPECT_EQ(SubmitOne("politie", bad).reason(), reason::kSignatureInvalid) << i;
  }
  for (size_t i = 0; i < good.signature().size(); ++i) {
    v1::Envelope bad = good;
    (*bad.mutable_signature())[i] = static_cast<char>((*bad.mutable_signature())[i] ^ 0x40);
    EXPECT_EQ(SubmitOne("politie", bad).reason(), reason::kSignatureInvalid) << i;
  }
  v1::Envelope unsigned_one = good;
  unsigned_one.clear_signature();
  const v1::SubmitReceipt receipt = SubmitOne("politie", unsigned_one);
  EXPECT_EQ(receipt.reason(), reason::kSignatureInvalid);
  EXPECT_EQ(receipt.signal_id(), "") << "nothing is read before the signature verifies";
  EXPECT_EQ(store_.LiveSignals(), 0u);
}

TEST_F(SubmitTest, SignatureOfAnotherKindIsNoSignatureOfAnEnvelope) {
  v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  envelope.set_signature(region_.SignWithdrawal("politie", envelope.body()).signature());
  EXPECT_EQ(SubmitOne("politie", envelope).reason(), reason::kSignatureInvalid);
}

TEST_F(SubmitTest, RepetitionAnswersTheSameAndCountsOnce) {
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  const v1::SubmitReceipt first = SubmitOne("politie", envelope);
  region_.clock().Advance(absl::Hours(5));
  const v1::SubmitReceipt second = SubmitOne("politie", envelope);
  EXPECT_EQ(first.SerializeAsString(), second.SerializeAsString());
  EXPECT_EQ(store_.LiveSignals(), 1u);
  EXPECT_EQ(store_.Audit("submit").back().count, 0u);
  EXPECT_TRUE(store_.Audit("refuse").empty());
}

TEST_F(SubmitTest, RepetitionWithinOneBatchCountsOnce) {
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse response, Submit("politie", {envelope, envelope}));
  EXPECT_TRUE(response.receipts(0).accepted());
  EXPECT_TRUE(response.receipts(1).accepted());
  EXPECT_EQ(store_.LiveSignals(), 1u);
  EXPECT_EQ(store_.Audit("submit").back().count, 1u);
}

TEST_F(SubmitTest, RepetitionIsAnsweredTheSameUnderANewCovenant) {
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  const v1::SubmitReceipt first = SubmitOne("politie", envelope);
  v1::Covenant& covenant = region_.region().covenant();
  covenant.set_supersedes(base::Hex(region_.Snapshot().covenant->id()));
  covenant.set_version(2);
  region_.region().roster().set_number(2);
  region_.region().Write();
  ASSERT_EQ(region_.Snapshot().Name(), "c2/r2");
  EXPECT_EQ(SubmitOne("politie", envelope).SerializeAsString(), first.SerializeAsString());
}

TEST_F(SubmitTest, SameIdWithOtherContentIsAConflictAndTheFirstStays) {
  const v1::Envelope first = region_.MakeEnvelope("politie", kListPurpose);
  ASSERT_TRUE(SubmitOne("politie", first).accepted());
  const std::string id = BrokerRegion::HeaderOf(first).signal_id();
  const v1::Envelope second =
      region_.MakeEnvelope("politie", kListPurpose, [&](auto& header, auto&) { header.set_signal_id(id); });
  EXPECT_EQ(SubmitOne("politie", second).reason(), reason::kEnvelopeConflict);
  EXPECT_TRUE(SubmitOne("politie", first).accepted());
  // Another partner's signal of the same id is another signal.
  EXPECT_TRUE(SubmitOne("gemeente", region_.MakeEnvelope("gemeente", kListPurpose, [&](auto& header, auto&) {
                header.set_signal_id(id);
              })).accepted());
  EXPECT_EQ(store_.LiveSignals(), 2u);
}

TEST_F(SubmitTest, BadOnesDoNotStopGoodOnesAndAreCountedByReason) {
  const v1::Envelope good = region_.MakeEnvelope("politie", kListPurpose);
  v1::Envelope unsigned_one = region_.MakeEnvelope("politie", kListPurpose);
  unsigned_one.clear_signature();
  const v1::Envelope late =
      region_.MakeEnvelope("politie", kListPurpose, [](auto& header, auto&) { header.set_expiry_day(1); });
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse response,
                                Submit("politie", {unsigned_one, good, late, unsigned_one}));
  EXPECT_EQ(response.receipts(0).reason(), reason::kSignatureInvalid);
  EXPECT_TRUE(response.receipts(1).accepted());
  EXPECT_EQ(response.receipts(2).reason(), reason::kDateOutOfRange);
  EXPECT_EQ(response.receipts(3).reason(), reason::kSignatureInvalid);
  const std::vector<storage::AuditEntry> audit = store_.Audit();
  ASSERT_EQ(audit.size(), 3u);
  EXPECT_EQ(audit[0].count, 1u);
  EXPECT_EQ(audit[1].result, reason::kDateOutOfRange);
  EXPECT_EQ(audit[1].count, 1u);
  EXPECT_EQ(audit[2].result, reason::kSignatureInvalid);
  EXPECT_EQ(audit[2].count, 2u);
}

TEST_F(SubmitTest, AnswerAndEntryAreTheSameWithAndWithoutOverlap) {
  const v1::Envelope first = region_.MakeEnvelope("politie", kListPurpose);
  ASSERT_TRUE(SubmitOne("politie", first).accepted());
  v1::EnvelopeBody tokens;
  ASSERT_TRUE(tokens.ParseFromString(first.body()));
  const auto overlapping = region_.MakeEnvelope("gemeente", kListPurpose, [&](auto&, v1::EnvelopeBody& body) {
    for (int i = 0; i < 3; ++i) body.mutable_tokens(i)->set_tag(tokens.tokens(i).tag());
    for (int i = 0; i < 2; ++i) body.mutable_tokens(i)->set_commitments(tokens.tokens(i).commitments());
  });
  v1::SubmitReceipt with = SubmitOne("gemeente", overlapping);
  v1::SubmitReceipt without = SubmitOne("gemeente", region_.MakeEnvelope("gemeente", kListPurpose));
  for (v1::SubmitReceipt* receipt : {&with, &without}) {
    receipt->clear_signal_id();
    receipt->clear_envelope_hash();
  }
  EXPECT_EQ(with.SerializeAsString(), without.SerializeAsString());
  const std::vector<storage::AuditEntry> audit = store_.Audit();
  ASSERT_EQ(audit.size(), 3u);
  EXPECT_EQ(audit[1].count, audit[2].count);
  EXPECT_EQ(audit[1].object, audit[2].object);
  EXPECT_EQ(audit[1].result, audit[2].result);
}

TEST_F(SubmitTest, BatchOfWrongSizeOrSeveralPurposesIsRefusedWhole) {
  EXPECT_THAT(Submit("politie", {}), HasReason(reason::kInvalidArgument));
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  EXPECT_THAT(Submit("politie", std::vector<v1::Envelope>(257, envelope)), HasReason(reason::kTooLarge));
  EXPECT_THAT(Submit("politie", {envelope, region_.MakeEnvelope("politie", kCasePurpose)}),
              HasReason(reason::kInvalidArgument));
  EXPECT_EQ(store_.LiveSignals(), 0u);
  const std::vector<storage::AuditEntry> audit = store_.Audit();
  ASSERT_EQ(audit.size(), 3u);
  for (const storage::AuditEntry& entry : audit) EXPECT_EQ(entry.action, "refuse");
  EXPECT_THAT(Submit("politie", std::vector<v1::Envelope>(256, envelope)), base::testing::IsOk());
}

TEST_F(SubmitTest, SuspendedPartnerIsRefusedFromTheNextCallOn) {
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  region_.region().Suspend("politie");
  EXPECT_THAT(Submit("politie", {envelope}), HasReason(reason::kPartnerSuspended));
  EXPECT_EQ(store_.LiveSignals(), 0u);
  ASSERT_EQ(store_.Audit("refuse").size(), 1u);
  EXPECT_EQ(store_.Audit("refuse")[0].result, reason::kPartnerSuspended);
}

TEST_F(SubmitTest, PurposeThatNobodyKnowsDoesNotReachTheLog) {
  const v1::Envelope envelope = region_.MakeEnvelope(
      "politie", kListPurpose, [](auto& header, auto&) { header.set_purpose("jan-jansen"); });
  EXPECT_EQ(SubmitOne("politie", envelope).reason(), reason::kPurposeUnknown);
  for (const storage::AuditEntry& entry : store_.Audit()) EXPECT_EQ(entry.purpose, "");
}

class SubmitQuotaTest : public SubmitTest {
 protected:
  SubmitQuotaTest() {
    for (v1::Quota& quota : *region_.region().covenant().mutable_quotas()) {
      quota.set_elements_per_day(quota.identifier_class() == v1::BSN ? 2 : 5);
    }
    region_.region().Write();
  }
};

TEST_F(SubmitQuotaTest, QuotaOfAClassIsSpentPerPartnerPurposeAndDay) {
  const auto submit = [this](const std::string& partner, const std::string& purpose) {
    return SubmitOne(partner, region_.MakeEnvelope(partner, purpose));
  };
  EXPECT_TRUE(submit("politie", kListPurpose).accepted());
  const v1::Envelope second = region_.MakeEnvelope("politie", kListPurpose);
  EXPECT_TRUE(SubmitOne("politie", second).accepted());
  EXPECT_EQ(submit("politie", kListPurpose).reason(), reason::kQuotaExceeded);
  EXPECT_EQ(store_.LiveSignals(), 2u);

  EXPECT_TRUE(SubmitOne("politie", second).accepted()) << "what was taken is answered the same";
  EXPECT_TRUE(submit("politie", kCasePurpose).accepted()) << "another purpose has its own quota";
  EXPECT_TRUE(submit("gemeente", kListPurpose).accepted()) << "another partner has its own quota";
  // Without the class that is spent there is room: the refused envelope spent nothing.
  EXPECT_TRUE(
      SubmitOne("politie", region_.MakeEnvelope("politie", kListPurpose, [](auto& header, auto& body) {
        header.mutable_rules()->DeleteSubrange(0, 1);
        body.mutable_tokens()->DeleteSubrange(0, 1);
      })).accepted());
  region_.clock().Advance(absl::Hours(24));
  EXPECT_TRUE(submit("politie", kListPurpose).accepted());
}

TEST_F(SubmitQuotaTest, QuotaCountsWithinABatch) {
  std::vector<v1::Envelope> batch;
  for (int i = 0; i < 4; ++i) batch.push_back(region_.MakeEnvelope("politie", kListPurpose));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::SubmitResponse response, Submit("politie", batch));
  int accepted = 0;
  for (const v1::SubmitReceipt& receipt : response.receipts()) accepted += receipt.accepted() ? 1 : 0;
  EXPECT_EQ(accepted, 2);
  EXPECT_EQ(response.receipts(3).reason(), reason::kQuotaExceeded);
}

TEST_F(SubmitTest, NoAnswerWhenTheStoreFails) {
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  store_.FailWrites(FailingStore::Fail::kBefore);
  EXPECT_THAT(Submit("politie", {envelope}), HasReason(reason::kStorageFailed));
  EXPECT_THAT(Submit("politie", {}), HasReason(reason::kStorageFailed))
      << "a refusal that is not logged is no answer";
  EXPECT_TRUE(store_.Audit().empty());
}

TEST_F(SubmitTest, RetryAfterAnUnknownOutcomeCountsOnce) {
  const v1::Envelope envelope = region_.MakeEnvelope("politie", kListPurpose);
  store_.FailWrites(FailingStore::Fail::kAfter);
  EXPECT_THAT(Submit("politie", {envelope}), HasReason(reason::kStorageFailed));
  store_.FailWrites(FailingStore::Fail::kNever);
  EXPECT_TRUE(SubmitOne("politie", envelope).accepted());
  EXPECT_EQ(store_.LiveSignals(), 1u);
}

}  // namespace
}  // namespace raakvlak::broker
