#include "server/node/key_share.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"
#include "policy/epochs.h"
#include "policy/strict_parse.h"
#include "server/node/evaluation.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using absl::StatusCode;

constexpr size_t kMaxBodySize = 1024;

absl::Status CheckSizes(const v1::EvaluateRequest& request) {
  const size_t size = request.elements().size();
  if (size == 0 || size % crypto::group::kElementSize != 0) {
    return base::Error(StatusCode::kInvalidArgument, reason::kInvalidArgument,
                       "elements are not a list of 32 bytes each");
  }
  if (size / crypto::group::kElementSize > crypto::oprf::kMaxBatch) {
    return base::Error(StatusCode::kInvalidArgument, reason::kTooLarge,
                       absl::StrCat("more than ", crypto::oprf::kMaxBatch, " elements"));
  }
  return absl::OkStatus();
}

absl::Status CheckBody(const v1::EvaluateBody& body, const std::string& partner, const std::string& holder,
                       const std::string& elements, absl::Time now) {
  if (body.version() != 1 || body.request_id().size() != kRequestIdSize) {
    return base::Error(StatusCode::kInvalidArgument, reason::kInvalidArgument, "wrong version or request id");
  }
  if (body.partner() != partner || body.holder() != holder) {
    return base::Error(StatusCode::kPermissionDenied, reason::kNotAllowed,
                       "the signed request is of another partner or for another holder");
  }
  if (!base::ConstantTimeEquals(body.elements_sha256(), base::Sha256(elements))) {
    return base::Error(StatusCode::kPermissionDenied, reason::kSignatureInvalid,
                       "not the elements that were signed");
  }
  // Compared as numbers: a time far outside would overflow a subtraction.
  const int64_t now_ms = absl::ToUnixMillis(now);
  const int64_t window_ms = absl::ToInt64Milliseconds(kEvaluateWindow);
  if (body.time_ms() < now_ms - window_ms || body.time_ms() > now_ms + window_ms) {
    return base::Error(StatusCode::kFailedPrecondition, reason::kClockSkew,
                       "signed more than 120 s from this clock");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::EvaluateResponse> KeyShare::Evaluate(const policy::Snapshot& snapshot,
                                                        const std::string& partner,
                                                        const v1::EvaluateRequest& request,
                                                        const CallOrigin& origin) {
  const absl::Time now = environment_.clock->Now();
  absl::StatusOr<Admitted> admitted = Admit(snapshot, partner, request, now);
  const absl::Status status = admitted.ok() ? Count(snapshot, *admitted, now, origin) : admitted.status();
  if (!status.ok()) {
    return Refuse(snapshot, partner, request.elements().size() / crypto::group::kElementSize, status, origin);
  }

  const policy::Keyset& keyset = *admitted->keyset;
  RAAKVLAK_ASSIGN_OR_RETURN(crypto::oprf::Evaluation evaluation,
                            crypto::oprf::BlindEvaluate(*admitted->keys->FindShare(keyset.id()),
                                                        keyset.FindHolder(environment_.partner)->public_share,
                                                        admitted->elements, *environment_.random));
  v1::EvaluateResponse response;
  response.set_evaluated(std::move(evaluation.evaluated));
  response.set_proof(std::move(evaluation.proof));
  response.set_signature(crypto::note::SignMessage(OwnKey(environment_, *snapshot.covenant),
                                                   crypto::note::kEvaluatedKind,
                                                   EvaluatedDigest(request, response)));
  return response;
}

absl::StatusOr<v1::DescribeResponse> KeyShare::Describe(const policy::Snapshot& snapshot,
                                                        const std::string& partner,
                                                        const CallOrigin& origin) {
  const absl::Time now = environment_.clock->Now();
  const policy::Covenant& covenant = *snapshot.covenant;
  const v1::Partner* asking = covenant.FindPartner(partner);
  const std::shared_ptr<const Keys> keys = environment_.keys->Now();
  v1::DescribeResponse response;
  for (const auto& keyset : keys->keysets().all()) {
    const policy::KeysetText& text = keyset->text();
    const v1::Purpose* purpose = covenant.FindPurpose(text.purpose);
    if (keys->FindShare(keyset->id()) == nullptr || purpose == nullptr ||
        !policy::IsEpochServed(*purpose, text.epoch, now)) {
      continue;
    }
    v1::ServedKeyset& served = *response.add_keysets();
    served.set_keyset_id(keyset->id());
    const bool may_use = asking != nullptr && policy::Covenant::MaySubmit(*purpose, partner) &&
                         (text.identifier_class != v1::BSN || asking->bsn_entitled());
    if (!may_use) continue;
    const uint64_t limit =
        covenant.QuotaFor(partner, static_cast<v1::IdentifierClass>(text.identifier_class));
    RAAKVLAK_ASSIGN_OR_RETURN(
        const uint64_t used,
        environment_.store->UsedQuota({partner, text.purpose, text.identifier_class, covenant.DayAt(now)}));
    served.set_evaluations_left(limit > used ? limit - used : 0);
  }
  storage::AuditEntry entry =
      NewEntry(environment_, snapshot, policy::Urn(covenant.region(), "node", partner), "node", "describe");
  entry.origin = origin.network;
  entry.trace_id = origin.trace_id;
  RAAKVLAK_RETURN_IF_ERROR(environment_.store->Write("describe", [&](storage::NodeTransaction& transaction) {
    return transaction.AppendAudit(entry).status();
  }));
  return response;
}

absl::StatusOr<KeyShare::Admitted> KeyShare::Admit(const policy::Snapshot& snapshot,
                                                   const std::string& partner,
                                                   const v1::EvaluateRequest& request, absl::Time now) const {
  RAAKVLAK_RETURN_IF_ERROR(CheckSizes(request));
  RAAKVLAK_RETURN_IF_ERROR(policy::Authority::CheckPartner(snapshot, partner));
  RAAKVLAK_RETURN_IF_ERROR(crypto::note::VerifyMessage(snapshot.covenant->PartnerKey(partner),
                                                       crypto::note::kEvaluateKind, request.body(),
                                                       request.signature()));
  v1::EvaluateBody body;
  RAAKVLAK_RETURN_IF_ERROR(policy::ParseStrictly(request.body(), kMaxBodySize, body));
  RAAKVLAK_RETURN_IF_ERROR(CheckBody(body, partner, environment_.partner, request.elements(), now));

  std::shared_ptr<const Keys> keys = environment_.keys->Now();
  std::shared_ptr<const policy::Keyset> keyset = keys->keysets().Find(body.keyset_id());
  if (keyset == nullptr || keys->FindShare(keyset->id()) == nullptr) {
    return base::Error(StatusCode::kNotFound, reason::kKeysetUnknown, "no such keyset is in force here");
  }
  const v1::Purpose* purpose = snapshot.covenant->FindPurpose(keyset->text().purpose);
  if (purpose == nullptr || !policy::IsEpochServed(*purpose, keyset->text().epoch, now)) {
    return base::Error(StatusCode::kNotFound, reason::kKeysetUnknown, "the keyset is of no epoch in force");
  }
  if (!policy::Covenant::MaySubmit(*purpose, partner)) {
    return base::Error(absl::StatusCode::kPermissionDenied, reason::kPurposeNotAllowed,
                       "this partner may not submit to this purpose");
  }
  if (keyset->text().identifier_class == v1::BSN &&
      !snapshot.covenant->FindPartner(partner)->bsn_entitled()) {
    return base::Error(StatusCode::kPermissionDenied, reason::kBsnNotEntitled,
                       "this partner may not use the BSN");
  }
  absl::StatusOr<crypto::oprf::ElementList> elements =
      crypto::oprf::ElementList::DecodeAll(request.elements());
  if (!elements.ok()) {
    return base::Error(StatusCode::kInvalidArgument, reason::kVerificationFailed,
                       "an element is no valid point");
  }
  return Admitted{std::move(body), std::move(keys), std::move(keyset), *std::move(elements)};
}

absl::Status KeyShare::Count(const policy::Snapshot& snapshot, const Admitted& admitted, absl::Time now,
                             const CallOrigin& origin) {
  const policy::KeysetText& keyset = admitted.keyset->text();
  const bool may_spend = allowances_.IsOpen(snapshot, keyset.purpose, keyset.epoch);
  const absl::Status counted = DoCount(snapshot, admitted, now, origin, may_spend);
  if (!may_spend || base::ReasonOf(counted) != reason::kQuotaExceeded) return counted;
  const absl::StatusOr<bool> granted = allowances_.Fetch(snapshot, keyset.purpose, keyset.epoch);
  return granted.ok() && *granted ? DoCount(snapshot, admitted, now, origin, may_spend) : counted;
}

absl::Status KeyShare::DoCount(const policy::Snapshot& snapshot, const Admitted& admitted, absl::Time now,
                               const CallOrigin& origin, bool may_spend_allowance) {
  const policy::KeysetText& keyset = admitted.keyset->text();
  const policy::Covenant& covenant = *snapshot.covenant;
  const uint64_t elements = admitted.elements.size();
  const uint64_t limit =
      covenant.QuotaFor(admitted.body.partner(), static_cast<v1::IdentifierClass>(keyset.identifier_class));
  const storage::EvaluationQuota quota = {admitted.body.partner(), keyset.purpose, keyset.identifier_class,
                                          covenant.DayAt(now)};
  storage::AuditEntry entry =
      NewEntry(environment_, snapshot, policy::Urn(covenant.region(), "node", admitted.body.partner()),
               "node", "evaluate");
  entry.origin = origin.network;
  entry.trace_id = origin.trace_id;
  entry.object = base::Hex(admitted.keyset->id());
  entry.purpose = keyset.purpose;
  entry.count = elements;

  return environment_.store->Write("evaluate", [&](storage::NodeTransaction& transaction) -> absl::Status {
    // A request may be signed up to a window before or after this clock, so it could be taken again for two.
    RAAKVLAK_RETURN_IF_ERROR(transaction.ForgetRequests(absl::ToUnixMillis(now - 2 * kEvaluateWindow)));
    RAAKVLAK_ASSIGN_OR_RETURN(const bool fresh,
                              transaction.RememberRequest(admitted.body.partner(), admitted.body.request_id(),
                                                          absl::ToUnixMillis(now)));
    if (!fresh)
      return base::Error(StatusCode::kAlreadyExists, reason::kReplayed, "this request was seen before");
    RAAKVLAK_RETURN_IF_ERROR(transaction.ForgetQuotas(quota.day - 1));
    RAAKVLAK_ASSIGN_OR_RETURN(bool within, transaction.TakeQuota(quota, elements, limit));
    entry.reason.clear();
    if (!within && may_spend_allowance) {
      RAAKVLAK_ASSIGN_OR_RETURN(within, transaction.TakeAllowance(keyset.purpose, keyset.epoch, quota.partner,
                                                                  keyset.identifier_class, elements));
      entry.reason = "allowance";
    }
    if (!within) {
      return base::Error(StatusCode::kResourceExhausted, reason::kQuotaExceeded,
                         absl::StrCat("over the day's quota of ", limit, " elements"));
    }
    return transaction.AppendAudit(entry).status();
  });
}

absl::Status KeyShare::Refuse(const policy::Snapshot& snapshot, const std::string& partner, size_t elements,
                              const absl::Status& why, const CallOrigin& origin) {
  storage::AuditEntry entry = NewEntry(
      environment_, snapshot, policy::Urn(snapshot.covenant->region(), "node", partner), "node", "refuse");
  entry.origin = origin.network;
  entry.trace_id = origin.trace_id;
  entry.object = "KeyShare.Evaluate";
  entry.result = base::ReasonOf(why);
  entry.count = elements;
  const absl::Status written = environment_.store->Write(
      "refuse_evaluate",
      [&](storage::NodeTransaction& transaction) { return transaction.AppendAudit(entry).status(); });
  if (!written.ok()) return written;
  base::LogStatus(base::LogLevel::kWarning, "node.evaluate_refused", why, {{"partner", partner}});
  return why;
}

absl::StatusOr<v1::EvaluateResponse> LocalKeyShare::Evaluate(const v1::EvaluateRequest& request,
                                                             absl::Duration) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, environment_.authority->Current());
  return key_share_.Evaluate(snapshot, environment_.partner, request);
}

absl::StatusOr<v1::DescribeResponse> LocalKeyShare::Describe(const v1::DescribeRequest&, absl::Duration) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, environment_.authority->Current());
  return key_share_.Describe(snapshot, environment_.partner);
}

}  // namespace raakvlak::node
