#include "policy/envelope.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"
#include "policy/covenant.h"
#include "policy/epochs.h"
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

// Signed by a key that the partner had in the covenant in force or in one before it: returns that key. Which
// of them it must have been is known when the covenant that the body names has been read.
absl::StatusOr<crypto::note::PublicKey> VerifyAnyKey(
    absl::Span<const std::shared_ptr<const Covenant>> covenants, absl::string_view partner,
    absl::string_view kind, absl::string_view body, absl::string_view signature) {
  std::set<std::string> tried;
  absl::Status verified = Refuse(reason::kSignatureInvalid, "the covenant has no such partner");
  for (const auto& covenant : covenants) {
    if (covenant->FindPartner(partner) == nullptr) continue;
    const crypto::note::PublicKey& key = covenant->PartnerKey(partner);
    if (!tried.emplace(key.bytes()).second) continue;
    verified = crypto::note::VerifyMessage(key, kind, body, signature);
    if (verified.ok()) return key;
  }
  return verified;
}

// The covenant that a message names, when it is the one in force or one before it, the partner was in it, and
// the key it had there is the one that made the signature.
absl::StatusOr<std::shared_ptr<const Covenant>> NamedCovenant(
    absl::Span<const std::shared_ptr<const Covenant>> covenants, absl::string_view covenant_id,
    absl::string_view partner, const crypto::note::PublicKey& signed_by) {
  for (const auto& covenant : covenants) {
    if (covenant->id() != covenant_id || covenant->FindPartner(partner) == nullptr) continue;
    if (!(covenant->PartnerKey(partner) == signed_by))
      return Deny(reason::kSignatureInvalid, "signed by a key of another covenant");
    return covenant;
  }
  return Refuse(reason::kCovenantMismatch, "another covenant");
}

// What the covenant in force must still allow, whatever the envelope was made under.
absl::Status CheckAllowedNow(const v1::SignalHeader& header, const Covenant& in_force, absl::Time now) {
  const v1::Purpose* purpose = in_force.FindPurpose(header.purpose());
  if (purpose == nullptr) return Refuse(reason::kPurposeUnknown, "no such purpose");
  if (!Covenant::MaySubmit(*purpose, header.partner())) {
    return Deny(reason::kPurposeNotAllowed, "this partner may not submit to this purpose");
  }
  if (!IsEpochServed(*purpose, header.epoch(), now)) {
    return Refuse(reason::kCovenantMismatch, "an epoch that is not served");
  }
  if (header.kind() == v1::CASE_REPORT && !Covenant::MayReportCases(*purpose, header.partner())) {
    return Deny(reason::kKindNotAllowed, "this partner may not report cases for this purpose");
  }
  return absl::OkStatus();
}

// What the header copies from the covenant that it names.
absl::Status CheckCopies(const v1::SignalHeader& header, const Covenant& named) {
  if (header.region() != named.region()) return Refuse(reason::kCovenantMismatch, "another region");
  if (header.index() != named.FindPartner(header.partner())->index()) {
    return Refuse(reason::kCovenantMismatch, "another index");
  }
  const v1::Purpose* purpose = named.FindPurpose(header.purpose());
  if (purpose == nullptr || !Covenant::MaySubmit(*purpose, header.partner())) {
    return Deny(reason::kPurposeNotAllowed, "this partner might not submit to this purpose");
  }
  const v1::SealKey* seal_key = named.FindSealKey(purpose->id(), header.epoch());
  if (seal_key == nullptr || header.seal_key_id() != seal_key->id()) {
    return Refuse(reason::kCovenantMismatch, "another seal key");
  }
  switch (header.kind()) {
    case v1::SIGNAL:
      return absl::OkStatus();
    case v1::CASE_REPORT:
      if (Covenant::MayReportCases(*purpose, header.partner())) return absl::OkStatus();
      return Deny(reason::kKindNotAllowed, "this partner might not report cases for this purpose");
    default:
      return Refuse(reason::kEnvelopeInvalid, "an unknown kind of signal");
  }
}

// A signal that goes over to another epoch keeps the retention under which it was submitted.
bool IsRetentionOfItsTime(const v1::SignalHeader& header,
                          absl::Span<const std::shared_ptr<const Covenant>> covenants,
                          const Covenant& named) {
  bool followed = false;
  uint32_t until = 0;
  // Newest first: each is followed by the one before it in the list.
  for (const auto& covenant : covenants) {
    const v1::Purpose* purpose = covenant->FindPurpose(header.purpose());
    const uint32_t from = covenant->DayAt(covenant->valid_from());
    const bool its_time = covenant.get() == &named ||
                          (followed && from <= header.submitted_day() && header.submitted_day() <= until);
    if (its_time && purpose != nullptr &&
        header.expiry_day() == uint64_t{header.submitted_day()} + purpose->retention_days()) {
      return true;
    }
    followed = followed || covenant.get() == &named;
    until = from;
  }
  return false;
}

absl::Status CheckDays(const v1::SignalHeader& header,
                       absl::Span<const std::shared_ptr<const Covenant>> covenants, const Covenant& named,
                       uint32_t today) {
  // A day of grace: a node's clock may pass midnight before ours.
  if (header.submitted_day() > uint64_t{today} + 1) {
    return Refuse(reason::kDateOutOfRange, "submitted in the future");
  }
  if (!IsRetentionOfItsTime(header, covenants, named)) {
    return Refuse(reason::kDateOutOfRange, "the expiry day is not the retention of the covenant");
  }
  if (header.expiry_day() <= today) return Refuse(reason::kDateOutOfRange, "already expired");
  return absl::OkStatus();
}

// Finds the rule of each token. The covenant's order, so that each rule stands once and order carries no
// information.
absl::Status FindRules(const v1::SignalHeader& header, const v1::EnvelopeBody& body, bool bsn_entitled,
                       const v1::Purpose& purpose, std::vector<const v1::LinkageRule*>& out_rules) {
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
    if (rule.identifier_class() == v1::BSN && !bsn_entitled) {
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
                          const Snapshot& snapshot, absl::Time now, CheckedEnvelope& out) {
  if (envelope.body().size() > kMaxBodySize)
    return Refuse(reason::kEnvelopeInvalid, "the body is over 32 KiB");
  const Covenant& in_force = *snapshot.covenant;
  const v1::Partner* partner = in_force.FindPartner(partner_id);
  if (partner == nullptr) return Deny(reason::kNotAllowed, "the covenant has no such partner");
  const auto covenants = snapshot.UpToInForce();
  constexpr absl::string_view kKind = crypto::note::kEnvelopeKind;
  RAAKVLAK_ASSIGN_OR_RETURN(
      const crypto::note::PublicKey signed_by,
      VerifyAnyKey(covenants, partner_id, kKind, envelope.body(), envelope.signature()));
  RAAKVLAK_RETURN_IF_ERROR(ParseOrRefuse(envelope.body(), kMaxBodySize, out.body));
  RAAKVLAK_RETURN_IF_ERROR(ParseOrRefuse(out.body.header(), kMaxHeaderSize, out.header));
  const v1::SignalHeader& header = out.header;
  if (header.version() != 1) return Refuse(reason::kEnvelopeInvalid, "the header's version is not 1");
  if (header.partner() != std::string(partner_id))
    return Refuse(reason::kEnvelopeInvalid, "the header names another partner");

  RAAKVLAK_ASSIGN_OR_RETURN(out.covenant,
                            NamedCovenant(covenants, header.covenant_id(), partner_id, signed_by));
  const Covenant& named = *out.covenant;
  RAAKVLAK_RETURN_IF_ERROR(CheckAllowedNow(header, in_force, now));
  RAAKVLAK_RETURN_IF_ERROR(CheckCopies(header, named));
  out.purpose = snapshot.TermsOf(header.purpose(), header.epoch());
  if (out.purpose == nullptr) return Refuse(reason::kCovenantMismatch, "an epoch of no known covenant");
  const bool bsn_entitled = partner->bsn_entitled() && named.FindPartner(partner_id)->bsn_entitled();
  RAAKVLAK_RETURN_IF_ERROR(FindRules(header, out.body, bsn_entitled, *out.purpose, out.rules));
  RAAKVLAK_RETURN_IF_ERROR(CheckDays(header, covenants, named, in_force.DayAt(now)));
  return CheckSizes(out);
}

absl::Status FillAndCheck(const v1::SignedWithdrawal& withdrawal, absl::string_view partner_id,
                          const Snapshot& snapshot, absl::Time now, v1::WithdrawalBody& out_body) {
  if (withdrawal.body().size() > kMaxWithdrawalSize)
    return Refuse(reason::kEnvelopeInvalid, "the body is over 1 KiB");
  if (snapshot.covenant->FindPartner(partner_id) == nullptr) {
    return Deny(reason::kNotAllowed, "the covenant has no such partner");
  }
  const auto covenants = snapshot.UpToInForce();
  constexpr absl::string_view kKind = crypto::note::kWithdrawalKind;
  RAAKVLAK_ASSIGN_OR_RETURN(
      const crypto::note::PublicKey signed_by,
      VerifyAnyKey(covenants, partner_id, kKind, withdrawal.body(), withdrawal.signature()));
  RAAKVLAK_RETURN_IF_ERROR(ParseOrRefuse(withdrawal.body(), kMaxWithdrawalSize, out_body));
  if (out_body.version() != 1) return Refuse(reason::kEnvelopeInvalid, "the withdrawal's version is not 1");
  if (out_body.partner() != std::string(partner_id)) {
    return Refuse(reason::kEnvelopeInvalid, "the withdrawal names another partner");
  }
  RAAKVLAK_RETURN_IF_ERROR(NamedCovenant(covenants, out_body.covenant_id(), partner_id, signed_by).status());
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
                              const Snapshot& snapshot, absl::Time now) {
  CheckedEnvelope checked;
  checked.hash = base::Sha256(envelope.body());
  checked.status = FillAndCheck(envelope, partner, snapshot, now, checked);
  return checked;
}

CheckedWithdrawal CheckWithdrawal(const v1::SignedWithdrawal& withdrawal, absl::string_view partner,
                                  const Snapshot& snapshot, absl::Time now) {
  CheckedWithdrawal checked;
  checked.hash = base::Sha256(withdrawal.body());
  checked.status = FillAndCheck(withdrawal, partner, snapshot, now, checked.body);
  return checked;
}

}  // namespace raakvlak::policy
