#include "policy/envelope.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"
#include "policy/covenant.h"
#include "policy/strict_parse.h"

namespace raakvlak::policy {
namespace {

namespace reason = base::reason;

absl::Status Refuse(absl::string_view why, absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, why, message);
}

absl::Status Deny(absl::string_view why, absl::string_view message) {
  return base::Error(absl::StatusCode::kPermissionDenied, why, message);
}

// An envelope's parser tells the submitter one thing only: the envelope breaks its format.
absl::Status ParseOrRefuse(absl::string_view bytes, size_t max_size, google::protobuf::Message& out_message) {
  const absl::Status status = ParseStrictly(bytes, max_size, out_message);
  if (status.ok()) return status;
  out_message.Clear();
  return Refuse(reason::kEnvelopeInvalid, status.message());
}

absl::Status CheckCopies(const v1::SignalHeader& header, const Covenant& covenant,
                         const v1::Partner& partner) {
  if (header.version() != 1) return Refuse(reason::kEnvelopeInvalid, "the header's version is not 1");
  if (header.partner() != partner.id())
    return Refuse(reason::kEnvelopeInvalid, "the header names another partner");
  if (header.region() != covenant.region()) return Refuse(reason::kCovenantMismatch, "another region");
  if (header.covenant_id() != covenant.id()) return Refuse(reason::kCovenantMismatch, "another covenant");
  if (header.index() != partner.index()) return Refuse(reason::kCovenantMismatch, "another index");
  return absl::OkStatus();
}

absl::Status CheckPurpose(const v1::SignalHeader& header, const Covenant& covenant,
                          const v1::Purpose* purpose) {
  if (purpose == nullptr) return Refuse(reason::kPurposeUnknown, "no such purpose");
  if (!Covenant::MaySubmit(*purpose, header.partner())) {
    return Deny(reason::kPurposeNotAllowed, "this partner may not submit to this purpose");
  }
  if (header.epoch() != purpose->epoch()) return Refuse(reason::kCovenantMismatch, "another epoch");
  const v1::SealKey* seal_key = covenant.FindSealKey(purpose->id(), purpose->epoch());
  if (seal_key == nullptr || header.seal_key_id() != seal_key->id()) {
    return Refuse(reason::kCovenantMismatch, "another seal key");
  }
  switch (header.kind()) {
    case v1::SIGNAL:
      return absl::OkStatus();
    case v1::CASE_REPORT:
      if (Covenant::MayReportCases(*purpose, header.partner())) return absl::OkStatus();
      return Deny(reason::kKindNotAllowed, "this partner may not report cases for this purpose");
    default:
      return Refuse(reason::kEnvelopeInvalid, "an unknown kind of signal");
  }
}

absl::Status CheckDays(const v1::SignalHeader& header, const v1::Purpose& purpose, uint32_t today) {
  // A day of grace: a node's clock may pass midnight before ours.
  if (header.submitted_day() > uint64_t{today} + 1) {
    return Refuse(reason::kDateOutOfRange, "submitted in the future");
  }
  if (header.expiry_day() != uint64_t{header.submitted_day()} + purpose.retention_days()) {
    return Refuse(reason::kDateOutOfRange, "the expiry day is not the retention of the covenant");
  }
  if (header.expiry_day() <= today) return Refuse(reason::kDateOutOfRange, "already expired");
  return absl::OkStatus();
}

// Finds the rule of each token. The covenant's order, so that each rule stands once and order carries no
// information.
absl::Status FindRules(const v1::SignalHeader& header, const v1::EnvelopeBody& body,
                       const v1::Partner& partner, const v1::Purpose& purpose,
                       std::vector<const v1::LinkageRule*>& out_rules) {
  if (header.rules().empty()) return Refuse(reason::kEnvelopeInvalid, "no rules");
  if (header.rules_size() != body.tokens_size()) {
    return Refuse(reason::kEnvelopeInvalid, "not one token for each rule");
  }
  int next = 0;
  for (const v1::RuleVersion& version : header.rules()) {
    int position = 0;
    while (position < purpose.rules_size() && purpose.rules(position).id() != version.rule()) ++position;
    if (position == purpose.rules_size() || purpose.rules(position).version() != version.version()) {
      return Refuse(reason::kRuleUnknown, "no such linkage rule, or another version of it");
    }
    if (position < next) return Refuse(reason::kEnvelopeInvalid, "rules repeat or are out of order");
    next = position + 1;
    const v1::LinkageRule& rule = purpose.rules(position);
    if (rule.identifier_class() == v1::BSN && !partner.bsn_entitled()) {
      return Deny(reason::kBsnNotEntitled, "this partner may not use the BSN");
    }
    out_rules.push_back(&rule);
  }
  return absl::OkStatus();
}

absl::Status CheckToken(const v1::Token& token, const v1::LinkageRule& rule, uint32_t disclosure_threshold) {
  const bool forms_groups = rule.quality() == v1::EXACT || rule.quality() == v1::STRONG;
  // A city has some 60,000 addresses: one under a wrap key would be the weakest way into a signal about a
  // person.
  const bool wrapped =
      forms_groups && (rule.identifier_class() != v1::ADDRESS || rule.subject() == v1::HOUSEHOLD_SUBJECT);
  const bool fits =
      token.tag().size() == kTagSize && token.share().size() == (forms_groups ? kShareSize : 0) &&
      token.commitments().size() == (forms_groups ? disclosure_threshold * kCommitmentSize : 0) &&
      token.wrapped_key().size() == (wrapped ? kWrappedKeySize : 0);
  if (!fits) {
    return Refuse(reason::kEnvelopeInvalid,
                  absl::StrCat("a token of another size than rule ", rule.id(), " has"));
  }
  return absl::OkStatus();
}

absl::Status CheckSizes(const CheckedEnvelope& envelope) {
  const v1::SignalHeader& header = envelope.header;
  if (header.signal_id().size() != kSignalIdSize)
    return Refuse(reason::kEnvelopeInvalid, "signal id of another size");
  if (header.content_key_commitment().size() != kCommitmentSize) {
    return Refuse(reason::kEnvelopeInvalid, "content key commitment of another size");
  }
  const size_t payload = envelope.body.payload().size();
  if (payload < kPayloadOverhead + kPaddingBlock || (payload - kPayloadOverhead) % kPaddingBlock != 0) {
    return Refuse(reason::kEnvelopeInvalid, "payload is not whole blocks");
  }
  for (int i = 0; i < envelope.body.tokens_size(); ++i) {
    RAAKVLAK_RETURN_IF_ERROR(CheckToken(envelope.body.tokens(i), *envelope.rules[static_cast<size_t>(i)],
                                        envelope.purpose->disclosure_threshold()));
  }
  return absl::OkStatus();
}

absl::Status FillAndCheck(const v1::Envelope& envelope, absl::string_view partner_id,
                          const Covenant& covenant, uint32_t today, CheckedEnvelope& out) {
  if (envelope.body().size() > kMaxBodySize)
    return Refuse(reason::kEnvelopeInvalid, "the body is over 32 KiB");
  RAAKVLAK_RETURN_IF_ERROR(crypto::note::VerifyMessage(
      covenant.PartnerKey(partner_id), crypto::note::kEnvelopeKind, envelope.body(), envelope.signature()));
  RAAKVLAK_RETURN_IF_ERROR(ParseOrRefuse(envelope.body(), kMaxBodySize, out.body));
  RAAKVLAK_RETURN_IF_ERROR(ParseOrRefuse(out.body.header(), kMaxHeaderSize, out.header));

  const v1::Partner* partner = covenant.FindPartner(partner_id);
  RAAKVLAK_CHECK(partner != nullptr, "the caller named a partner of the covenant");
  RAAKVLAK_RETURN_IF_ERROR(CheckCopies(out.header, covenant, *partner));
  const v1::Purpose* purpose = covenant.FindPurpose(out.header.purpose());
  RAAKVLAK_RETURN_IF_ERROR(CheckPurpose(out.header, covenant, purpose));
  out.purpose = purpose;
  RAAKVLAK_RETURN_IF_ERROR(FindRules(out.header, out.body, *partner, *purpose, out.rules));
  RAAKVLAK_RETURN_IF_ERROR(CheckDays(out.header, *purpose, today));
  return CheckSizes(out);
}

absl::Status FillAndCheck(const v1::SignedWithdrawal& withdrawal, absl::string_view partner_id,
                          const Covenant& covenant, absl::Time now, v1::WithdrawalBody& out_body) {
  if (withdrawal.body().size() > kMaxWithdrawalSize)
    return Refuse(reason::kEnvelopeInvalid, "the body is over 1 KiB");
  RAAKVLAK_RETURN_IF_ERROR(crypto::note::VerifyMessage(covenant.PartnerKey(partner_id),
                                                       crypto::note::kWithdrawalKind, withdrawal.body(),
                                                       withdrawal.signature()));
  RAAKVLAK_RETURN_IF_ERROR(ParseOrRefuse(withdrawal.body(), kMaxWithdrawalSize, out_body));
  if (out_body.version() != 1) return Refuse(reason::kEnvelopeInvalid, "the withdrawal's version is not 1");
  if (out_body.partner() != std::string(partner_id)) {
    return Refuse(reason::kEnvelopeInvalid, "the withdrawal names another partner");
  }
  if (out_body.covenant_id() != covenant.id()) return Refuse(reason::kCovenantMismatch, "another covenant");
  if (out_body.signal_id().size() != kSignalIdSize) {
    return Refuse(reason::kEnvelopeInvalid, "signal id of another size");
  }
  if (out_body.reason() != v1::UNJUST && out_body.reason() != v1::RISK_OVER) {
    return Refuse(reason::kEnvelopeInvalid, "an unknown reason for withdrawal");
  }
  if (out_body.time_ms() <= 0 || absl::FromUnixMillis(out_body.time_ms()) > now + kClockTolerance) {
    return Refuse(reason::kClockSkew, "the withdrawal's time lies ahead");
  }
  return absl::OkStatus();
}

}  // namespace

CheckedEnvelope CheckEnvelope(const v1::Envelope& envelope, absl::string_view partner,
                              const Snapshot& snapshot, uint32_t today) {
  CheckedEnvelope checked;
  checked.hash = base::Sha256(envelope.body());
  checked.status = FillAndCheck(envelope, partner, *snapshot.covenant, today, checked);
  return checked;
}

CheckedWithdrawal CheckWithdrawal(const v1::SignedWithdrawal& withdrawal, absl::string_view partner,
                                  const Snapshot& snapshot, absl::Time now) {
  CheckedWithdrawal checked;
  checked.hash = base::Sha256(withdrawal.body());
  checked.status = FillAndCheck(withdrawal, partner, *snapshot.covenant, now, checked.body);
  return checked;
}

}  // namespace raakvlak::policy
