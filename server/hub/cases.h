// Cases: what the hub does for staff: list matches, open one (design 4.5).
//
// An order is verified here, passed on to the broker as it was signed, and for Open the broker's answer goes
// through OpeningProof (that the opening stands in the broker's cosigned log) and then through the Opener.
// Each call leaves one audit entry of the hub, before the answer; without it there is no answer. Of the
// content of an opened match nothing is kept; the proof of the opening is, in the transaction of the entry,
// also when the opener refuses after it.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <optional>

#include "absl/status/status.h"
#include "base/clock.h"
#include "client/matches_client.h"
#include "policy/authority.h"
#include "policy/order.h"
#include "raakvlak/v1/cases.pb.h"
#include "raakvlak/v1/matches.pb.h"
#include "rpc/gate.h"
#include "server/hub/opener.h"
#include "server/hub/opening_proof.h"
#include "server/storage/hub_store.h"

namespace raakvlak::hub {

class Cases {
 public:
  // All outlive this.
  Cases(client::MatchesClient& matches, const Opener& opener, storage::OpeningLog& audit,
        const base::Clock& clock)
      : matches_(matches), opener_(opener), audit_(audit), clock_(clock) {}

  // Refusals of policy::VerifyOrder; NOT_ALLOWED when the order is another person's than the caller; the
  // broker's refusals; UNAVAILABLE; VERIFICATION_FAILED when the broker answers with matches of another
  // purpose; STORAGE_FAILED when the audit entry cannot be written. The response is empty unless OK.
  absl::Status List(const rpc::Gate::Pass& pass, const v1::ListMatchesRequest& request,
                    v1::ListMatchesResponse& out_response);
  // As List (VERIFICATION_FAILED: another match than the order names), those of OpeningProof::Verify and
  // Opener::Open, and REPLAYED when this hub opened on that order before. What the answer says of the match
  // besides its id and purpose is the broker's word; the signals and the log entry are not.
  absl::Status Open(const rpc::Gate::Pass& pass, const v1::OpenCaseRequest& request,
                    v1::OpenCaseResponse& out_response);

 private:
  absl::StatusOr<policy::VerifiedOrder> Verify(const rpc::Caller& caller, const policy::Snapshot& snapshot,
                                               const v1::Order& order, v1::OrderAction action) const;
  // `out_proof` is set once the opening is proven, whatever comes after.
  absl::Status DoOpen(const rpc::Gate::Pass& pass, const policy::VerifiedOrder& order,
                      const v1::OpenCaseRequest& request, std::optional<OpeningProof>& out_proof,
                      v1::OpenCaseResponse& out_response);
  absl::Status DoList(const rpc::Gate::Pass& pass, const policy::VerifiedOrder& order,
                      const v1::ListMatchesRequest& request, v1::ListMatchesResponse& out_response);
  // Appends the entry, keeps `proof` if there is one, and returns `outcome`, or why it could not be written.
  absl::Status Record(const rpc::Gate::Pass& pass, const char* action,
                      const absl::StatusOr<policy::VerifiedOrder>& order, uint64_t count,
                      const absl::Status& outcome, const std::optional<OpeningProof>& proof);

  client::MatchesClient& matches_;
  const Opener& opener_;
  storage::OpeningLog& audit_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::hub
