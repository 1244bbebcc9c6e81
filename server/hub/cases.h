// Cases: what the hub does for staff: list matches, open one (design 4.5).
//
// An order is verified here, passed on to the broker as it was signed, and for Open the broker's answer goes
// through the Opener. Each call leaves one audit entry of the hub, before the answer; without it there is no
// answer. Nothing of an opened match is kept.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include "absl/status/status.h"
#include "base/clock.h"
#include "client/matches_client.h"
#include "policy/authority.h"
#include "policy/order.h"
#include "raakvlak/v1/cases.pb.h"
#include "raakvlak/v1/matches.pb.h"
#include "rpc/gate.h"
#include "server/hub/opener.h"
#include "server/storage/audit.h"

namespace raakvlak::hub {

class Cases {
 public:
  // All outlive this.
  Cases(client::MatchesClient& matches, const Opener& opener, storage::AuditAppender& audit,
        const base::Clock& clock)
      : matches_(matches), opener_(opener), audit_(audit), clock_(clock) {}

  // Refusals of policy::VerifyOrder; NOT_ALLOWED when the order is another person's than the caller; the
  // broker's refusals; UNAVAILABLE; VERIFICATION_FAILED when the broker answers with matches of another
  // purpose; STORAGE_FAILED when the audit entry cannot be written. The response is empty unless OK.
  absl::Status List(const rpc::Gate::Pass& pass, const v1::ListMatchesRequest& request,
                    v1::ListMatchesResponse& out_response);
  // As List (VERIFICATION_FAILED: another match than the order names), and those of Opener::Open. What the
  // answer says of the match besides its id and purpose is the broker's word; the signals are not.
  absl::Status Open(const rpc::Gate::Pass& pass, const v1::OpenCaseRequest& request,
                    v1::OpenCaseResponse& out_response);

 private:
  absl::StatusOr<policy::VerifiedOrder> Verify(const rpc::Caller& caller, const policy::Snapshot& snapshot,
                                               const v1::Order& order, v1::OrderAction action) const;
  absl::Status DoOpen(const policy::VerifiedOrder& order, const policy::Snapshot& snapshot,
                      const v1::OpenCaseRequest& request, v1::OpenCaseResponse& out_response);
  absl::Status DoList(const policy::VerifiedOrder& order, const v1::ListMatchesRequest& request,
                      v1::ListMatchesResponse& out_response);
  // Appends the entry and returns `outcome`, or why the entry could not be written.
  absl::Status Record(const rpc::Gate::Pass& pass, const char* action,
                      const absl::StatusOr<policy::VerifiedOrder>& order, uint64_t count,
                      const absl::Status& outcome);

  client::MatchesClient& matches_;
  const Opener& opener_;
  storage::AuditAppender& audit_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::hub
