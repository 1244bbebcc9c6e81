#include "cli/matches.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"

namespace raakvlak::cli {
namespace {

constexpr absl::Duration kListTimeout = absl::Seconds(30);
constexpr absl::Duration kOpenTimeout = absl::Seconds(60);
constexpr uint32_t kPageSize = 500;
constexpr size_t kOrderIdSize = 16;

bool IdFits(const v1::MatchSummary& match, const std::string& id) {
  if (absl::StartsWith(base::Hex(match.match_id()), id)) return true;
  for (const std::string& merged : match.merged_ids()) {
    if (absl::StartsWith(base::Hex(merged), id)) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<Matches> Matches::Create(Context& context) {
  const Identity& identity = *context.identity;
  if (identity.signing_key.empty() || identity.urn.empty()) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed,
                       absl::StrCat("identity \"", identity.name,
                                    "\" signs no orders (it has no urn or signing_key in the region file): "
                                    "staff of the hub lists and opens matches"));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(auto covenant, context.services->Covenant());
  RAAKVLAK_ASSIGN_OR_RETURN(auto roster, context.services->Roster());
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes pem, base::ReadSecretFile(identity.signing_key));
  RAAKVLAK_ASSIGN_OR_RETURN(auto key, crypto::note::PrivateKey::FromPem(pem));
  RAAKVLAK_ASSIGN_OR_RETURN(auto cases, context.services->Cases());
  return Matches(context, std::move(cases), std::move(key), std::move(covenant), std::move(roster));
}

absl::StatusOr<std::vector<std::string>> Matches::Purposes() const {
  const v1::Member* member = roster_->FindMember(context_.identity->urn);
  if (member == nullptr || member->purposes().empty()) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed,
                       "the roster gives this identity no purpose");
  }
  return std::vector<std::string>(member->purposes().begin(), member->purposes().end());
}

absl::StatusOr<v1::OrderBody> Matches::NewOrder(v1::OrderAction action, const std::string& purpose) {
  const v1::Purpose* known = covenant_->FindPurpose(purpose);
  if (known == nullptr) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kPurposeUnknown,
                       absl::StrCat("the covenant has no purpose \"", purpose, "\""));
  }
  v1::OrderBody body;
  body.set_version(1);
  body.set_order_id(context_.random.Bytes(kOrderIdSize));
  body.set_covenant_id(covenant_->id());
  body.set_staff(context_.identity->urn);
  body.set_action(action);
  body.set_purpose(purpose);
  body.set_legal_basis(known->legal_basis());
  body.set_time_ms(absl::ToUnixMillis(context_.clock.Now()));
  return body;
}

v1::Order Matches::Sign(const v1::OrderBody& body) const {
  v1::Order order;
  order.set_body(body.SerializeAsString());
  order.set_signature(crypto::note::SignMessage(key_, crypto::note::kOrderKind, order.body()));
  return order;
}

absl::Status Matches::List(const std::string& purpose, bool include_closed,
                           const std::function<void(const v1::MatchSummary&)>& each) {
  v1::ListMatchesRequest request;
  request.set_page_size(kPageSize);
  request.set_include_closed(include_closed);
  do {
    RAAKVLAK_ASSIGN_OR_RETURN(const v1::OrderBody order, NewOrder(v1::LIST_MATCHES, purpose));
    *request.mutable_order() = Sign(order);
    const absl::StatusOr<v1::ListMatchesResponse> page = cases_->List(request, kListTimeout);
    if (!page.ok()) return FromPeer(page.status());
    for (const v1::MatchSummary& match : page->matches()) each(match);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::StatusOr<v1::MatchSummary> Matches::Find(const std::string& id, const std::string& purpose) {
  const std::string wanted = absl::AsciiStrToLower(id);
  std::vector<std::string> purposes = {purpose};
  if (purpose.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(purposes, Purposes());
  }
  std::vector<v1::MatchSummary> found;
  for (const std::string& each : purposes) {
    RAAKVLAK_RETURN_IF_ERROR(List(each, /*include_closed=*/true, [&](const v1::MatchSummary& match) {
      if (IdFits(match, wanted)) found.push_back(match);
    }));
  }
  if (found.empty()) {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound,
                       "no such match among those you may see");
  }
  if (found.size() > 1) {
    return UsageError(absl::StrCat("the id fits ", found.size(), " matches; give more of it"));
  }
  return found.front();
}

absl::StatusOr<v1::OpenCaseResponse> Matches::Open(const v1::MatchSummary& match,
                                                   const std::string& case_reference,
                                                   const std::string& reason) {
  RAAKVLAK_ASSIGN_OR_RETURN(v1::OrderBody order, NewOrder(v1::OPEN_MATCH, match.purpose()));
  order.set_case_reference(case_reference);
  order.set_reason(reason);
  order.set_match_id(match.match_id());
  order.set_contents_digest(match.contents_digest());
  v1::OpenCaseRequest request;
  *request.mutable_order() = Sign(order);
  absl::StatusOr<v1::OpenCaseResponse> response = cases_->Open(request, kOpenTimeout);
  if (!response.ok()) return FromPeer(response.status());
  return response;
}

}  // namespace raakvlak::cli
