#include "server/hub/cases.h"

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::hub {
namespace {

constexpr absl::Duration kBrokerTimeout = absl::Seconds(30);

absl::Status NotWhatWasAsked() {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed,
                     "the broker answered with another match or purpose than the order names");
}

// The caller is not told all of it.
absl::Status NotOpened(const policy::VerifiedOrder& order, const absl::Status& why) {
  base::LogStatus(base::LogLevel::kWarning, "hub.not_opened", why,
                  {{"match", base::Hex(order.body.match_id())}});
  return why;
}

}  // namespace

absl::Status Cases::List(const rpc::Gate::Pass& pass, const v1::ListMatchesRequest& request,
                         v1::ListMatchesResponse& out_response) {
  const auto order = Verify(pass.caller, pass.snapshot, request.order(), v1::LIST_MATCHES);
  const absl::Status outcome = order.ok() ? DoList(pass, *order, request, out_response) : order.status();
  const auto count = static_cast<uint64_t>(out_response.matches_size());
  const absl::Status status = Record(pass, "list", order, count, outcome, std::nullopt);
  if (!status.ok()) out_response.Clear();
  return status;
}

absl::Status Cases::Open(const rpc::Gate::Pass& pass, const v1::OpenCaseRequest& request,
                         v1::OpenCaseResponse& out_response) {
  const auto order = Verify(pass.caller, pass.snapshot, request.order(), v1::OPEN_MATCH);
  std::optional<OpeningProof> proof;
  const absl::Status outcome =
      order.ok() ? DoOpen(pass, *order, request, proof, out_response) : order.status();
  const auto count = static_cast<uint64_t>(out_response.signals_size());
  const absl::Status status = Record(pass, "open", order, count, outcome, proof);
  if (!status.ok()) out_response.Clear();
  return status;
}

absl::StatusOr<policy::VerifiedOrder> Cases::Verify(const rpc::Caller& caller,
                                                    const policy::Snapshot& snapshot, const v1::Order& order,
                                                    v1::OrderAction action) const {
  RAAKVLAK_ASSIGN_OR_RETURN(policy::VerifiedOrder verified,
                            policy::VerifyOrder(order, snapshot, clock_.Now(), action));
  if (verified.body.staff() != caller.urn) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed,
                       "the order is signed by another person than the caller");
  }
  return verified;
}

absl::Status Cases::DoList(const rpc::Gate::Pass& pass, const policy::VerifiedOrder& order,
                           const v1::ListMatchesRequest& request, v1::ListMatchesResponse& out_response) {
  RAAKVLAK_ASSIGN_OR_RETURN(v1::ListMatchesResponse answer,
                            matches_.List(request, kBrokerTimeout, pass.trace_id));
  for (const v1::MatchSummary& match : answer.matches()) {
    if (match.purpose() != order.body.purpose()) return NotWhatWasAsked();
  }
  out_response = std::move(answer);
  return absl::OkStatus();
}

absl::Status Cases::DoOpen(const rpc::Gate::Pass& pass, const policy::VerifiedOrder& order,
                           const v1::OpenCaseRequest& request, std::optional<OpeningProof>& out_proof,
                           v1::OpenCaseResponse& out_response) {
  v1::OpenMatchRequest forwarded;
  *forwarded.mutable_order() = request.order();
  RAAKVLAK_ASSIGN_OR_RETURN(v1::OpenMatchResponse sealed,
                            matches_.Open(forwarded, kBrokerTimeout, pass.trace_id));
  if (sealed.match().match_id() != order.body.match_id() ||
      sealed.match().purpose() != order.body.purpose()) {
    return NotWhatWasAsked();
  }
  const policy::Snapshot& snapshot = pass.snapshot;
  absl::StatusOr<OpeningProof> proof =
      OpeningProof::Verify(order, sealed.logged(), sealed.proof(), snapshot, clock_.Now());
  if (!proof.ok()) return NotOpened(order, proof.status());
  out_proof = *std::move(proof);
  const std::vector<v1::Envelope> envelopes(sealed.envelopes().begin(), sealed.envelopes().end());
  const absl::StatusOr<Opener::Opened> opened = opener_.Open(*out_proof, envelopes, snapshot, clock_.Now());
  if (!opened.ok()) return NotOpened(order, opened.status());
  for (const v1::Fault& fault : opened->faults) {
    base::Log(
        base::LogLevel::kWarning, "hub.fault",
        {{"partner", fault.partner()}, {"signal", base::Hex(fault.signal_id())}, {"reason", fault.reason()}});
  }
  *out_response.mutable_match() = std::move(*sealed.mutable_match());
  out_response.mutable_match()->mutable_evidence()->Assign(opened->evidence.begin(), opened->evidence.end());
  *out_response.mutable_logged() = std::move(*sealed.mutable_logged());
  out_response.set_proof(std::move(*sealed.mutable_proof()));
  out_response.mutable_signals()->Assign(opened->signals.begin(), opened->signals.end());
  out_response.mutable_faults()->Assign(opened->faults.begin(), opened->faults.end());
  return absl::OkStatus();
}

absl::Status Cases::Record(const rpc::Gate::Pass& pass, const char* action,
                           const absl::StatusOr<policy::VerifiedOrder>& order, uint64_t count,
                           const absl::Status& outcome, const std::optional<OpeningProof>& proof) {
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(clock_.Now());
  entry.actor = pass.caller.urn;
  entry.role = std::string(rpc::RoleName(pass.caller.role));
  entry.action = action;
  if (order.ok()) {
    entry.object = base::Hex(order->body.match_id());
    entry.purpose = order->body.purpose();
    entry.legal_basis = order->body.legal_basis();
    entry.case_reference = order->body.case_reference();
    entry.reason = order->body.reason();
    entry.order_hash = order->hash;
  }
  entry.result = base::ReasonOf(outcome);
  entry.count = outcome.ok() ? count : 0;
  entry.policy = pass.snapshot.Name();
  entry.origin = pass.origin;
  entry.trace_id = pass.trace_id;
  if (proof.has_value()) {
    const absl::Status kept = audit_.AppendOpening(entry, proof->kept()).status();
    if (base::ReasonOf(kept) != base::reason::kReplayed) return kept.ok() ? outcome : kept;
    entry.result = base::ReasonOf(kept);
    entry.count = 0;
    RAAKVLAK_RETURN_IF_ERROR(audit_.AppendAudit(entry).status());
    return kept;
  }
  RAAKVLAK_RETURN_IF_ERROR(audit_.AppendAudit(entry).status());
  return outcome;
}

}  // namespace raakvlak::hub
