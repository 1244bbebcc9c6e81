#include "server/hub/cases.h"

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::hub {
namespace {

constexpr absl::Duration kBrokerTimeout = absl::Seconds(30);

}  // namespace

absl::Status Cases::List(const rpc::Caller& caller, const policy::Snapshot& snapshot,
                         const v1::ListMatchesRequest& request, v1::ListMatchesResponse& out_response) {
  const auto order = Verify(caller, snapshot, request.order(), v1::LIST_MATCHES);
  absl::Status outcome = order.status();
  if (outcome.ok()) {
    absl::StatusOr<v1::ListMatchesResponse> response = matches_.List(request, kBrokerTimeout);
    outcome = response.status();
    if (response.ok()) out_response = *std::move(response);
  }
  return Record(caller, snapshot, "list", order, static_cast<uint64_t>(out_response.matches_size()), outcome);
}

absl::Status Cases::Open(const rpc::Caller& caller, const policy::Snapshot& snapshot,
                         const v1::OpenCaseRequest& request, v1::OpenCaseResponse& out_response) {
  const auto order = Verify(caller, snapshot, request.order(), v1::OPEN_MATCH);
  const absl::Status outcome = order.ok() ? DoOpen(*order, snapshot, request, out_response) : order.status();
  return Record(caller, snapshot, "open", order, static_cast<uint64_t>(out_response.signals_size()), outcome);
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

absl::Status Cases::DoOpen(const policy::VerifiedOrder& order, const policy::Snapshot& snapshot,
                           const v1::OpenCaseRequest& request, v1::OpenCaseResponse& out_response) {
  v1::OpenMatchRequest forwarded;
  *forwarded.mutable_order() = request.order();
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::OpenMatchResponse sealed, matches_.Open(forwarded, kBrokerTimeout));
  const std::vector<v1::Envelope> envelopes(sealed.envelopes().begin(), sealed.envelopes().end());
  RAAKVLAK_ASSIGN_OR_RETURN(const Opener::Opened opened,
                            opener_.Open(order, envelopes, snapshot, clock_.Now()));
  *out_response.mutable_match() = sealed.match();
  out_response.mutable_signals()->Assign(opened.signals.begin(), opened.signals.end());
  out_response.mutable_faults()->Assign(opened.faults.begin(), opened.faults.end());
  for (const v1::Fault& fault : opened.faults) {
    base::Log(
        base::LogLevel::kWarning, "hub.fault",
        {{"partner", fault.partner()}, {"signal", base::Hex(fault.signal_id())}, {"reason", fault.reason()}});
  }
  return absl::OkStatus();
}

absl::Status Cases::Record(const rpc::Caller& caller, const policy::Snapshot& snapshot, const char* action,
                           const absl::StatusOr<policy::VerifiedOrder>& order, uint64_t count,
                           const absl::Status& outcome) {
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(clock_.Now());
  entry.actor = caller.urn;
  entry.role = std::string(rpc::RoleName(caller.role));
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
  entry.policy = snapshot.Name();
  RAAKVLAK_RETURN_IF_ERROR(audit_.AppendAudit(entry).status());
  return outcome;
}

}  // namespace raakvlak::hub
