#include "policy/order.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"
#include "policy/strict_parse.h"

namespace raakvlak::policy {
namespace {

// A little over the sum of the largest fields.
constexpr size_t kMaxBodySize = 4096;

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kOrderInvalid, message);
}

absl::Status SignatureInvalid() {
  return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kSignatureInvalid,
                     "the order is not signed by a member of the roster");
}

// The member whose key verifies the order; nullptr when there is none. Trying all keys keeps to "verify
// before parsing": whose order it is stands in the body.
const v1::Member* FindSigner(const v1::Order& order, const Roster& roster) {
  for (const v1::Member& member : roster.text().members()) {
    if (crypto::note::VerifyMessage(roster.KeyOf(member), crypto::note::kOrderKind, order.body(),
                                    order.signature())
            .ok()) {
      return &member;
    }
  }
  return nullptr;
}

bool IsText(absl::string_view text, size_t max_size) {
  return text.size() <= max_size && std::none_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

bool IsBlank(absl::string_view text) { return absl::StripAsciiWhitespace(text).empty(); }

absl::Status CheckRights(const v1::OrderBody& body, const v1::Member& member, const Covenant& covenant) {
  const auto not_allowed = [](absl::string_view message) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed, message);
  };
  if (!Roster::HasRole(member, v1::STAFF)) return not_allowed("the signer of the order is not staff");
  const v1::Purpose* purpose = covenant.FindPurpose(body.purpose());
  if (purpose == nullptr) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kPurposeUnknown,
                       "the covenant has no such purpose");
  }
  if (!Roster::HasPurpose(member, body.purpose()))
    return not_allowed("the member has no rights on this purpose");
  if (body.legal_basis() != purpose->legal_basis()) {
    return Invalid("legal_basis is not that of the purpose in the covenant");
  }
  return absl::OkStatus();
}

absl::Status CheckFields(const v1::OrderBody& body) {
  if (body.order_id().size() != 16) return Invalid("order_id is not 16 bytes");
  if (!IsText(body.case_reference(), kMaxCaseReferenceSize)) {
    return Invalid(absl::StrCat("case_reference is over ", kMaxCaseReferenceSize,
                                " bytes or holds a control character"));
  }
  if (!IsText(body.reason(), kMaxReasonSize)) {
    return Invalid(absl::StrCat("reason is over ", kMaxReasonSize, " bytes or holds a control character"));
  }
  if (body.action() == v1::LIST_MATCHES) {
    return body.match_id().empty() && body.contents_digest().empty()
               ? absl::OkStatus()
               : Invalid("an order to list names no match");
  }
  if (IsBlank(body.case_reference())) return Invalid("case_reference is missing");
  if (IsBlank(body.reason())) return Invalid("reason is missing");
  if (body.match_id().size() != 16) return Invalid("match_id is not 16 bytes");
  if (body.contents_digest().size() != 32) return Invalid("contents_digest is not 32 bytes");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<VerifiedOrder> VerifyOrder(const v1::Order& order, const Snapshot& snapshot, absl::Time now,
                                          v1::OrderAction action) {
  // Signing takes time in the size of the body, and there may be many keys to try.
  if (order.body().size() > kMaxBodySize) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       absl::StrCat("the order is over ", kMaxBodySize, " bytes"));
  }
  const v1::Member* member = FindSigner(order, *snapshot.roster);
  if (member == nullptr) return SignatureInvalid();
  VerifiedOrder verified;
  RAAKVLAK_RETURN_IF_ERROR(ParseStrictly(order.body(), kMaxBodySize, verified.body));
  const v1::OrderBody& body = verified.body;
  if (body.staff() != member->urn()) return SignatureInvalid();
  if (body.version() != 1) return Invalid("version is not 1");
  if (body.covenant_id() != snapshot.covenant->id()) {
    return base::Error(
        absl::StatusCode::kFailedPrecondition, base::reason::kCovenantMismatch,
        "the order was made under another covenant than the one in force, which the hub hands out "
        "(Policy.FetchPolicy)");
  }
  if (body.action() != action) return Invalid("action is not that of the call");
  RAAKVLAK_RETURN_IF_ERROR(CheckRights(body, *member, *snapshot.covenant));
  const absl::Duration skew = absl::FromUnixMillis(body.time_ms()) - now;
  if (skew > kOrderWindow || skew < -kOrderWindow) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kClockSkew,
                       "the order's time is more than 120 s from ours");
  }
  RAAKVLAK_RETURN_IF_ERROR(CheckFields(body));
  verified.hash = base::Sha256(order.body());
  return verified;
}

std::string ContentsDigest(std::vector<std::string> envelope_hashes) {
  std::sort(envelope_hashes.begin(), envelope_hashes.end());
  std::string joined;
  for (const std::string& hash : envelope_hashes) joined += hash;
  return base::Sha256(joined);
}

}  // namespace raakvlak::policy
