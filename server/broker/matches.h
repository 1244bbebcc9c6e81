// Matches: the hub lists and opens matches on signed orders of staff (proto/raakvlak/v1/matches.proto).
//
// Every call needs an order of its own, which is taken once. An order that passed VerifyOrder
// and is refused after that is spent too. The audit entry, with who ordered it, the order's hash, purpose,
// legal basis, case reference and reason, is in the same transaction as the reading and durable before the
// answer leaves; refusals likewise.
//
// Between matching runs a match may have lost what made it one. What is listed and handed out has k
// organisations, all in force, no expired signal and, in mode CASE, a case report. The hub's opener checks
// all of it again from signed bytes, and group by group.
//
// No envelope leaves before the witnesses' quorum has cosigned the log with the entry of its opening: the
// answer carries the proof. Whoever gets none keeps the entry all the same: it may say more than was given,
// never less. Openings at the same time share the publishing and the cosigning.
//
// The gate has admitted the caller as hub. Thread safety: all methods may be called from any thread.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "policy/order.h"
#include "raakvlak/v1/matches.pb.h"
#include "rpc/gate.h"
#include "server/broker/audit_entry.h"
#include "server/log/prover.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class Matches {
 public:
  // All outlive the Matches. `prover` is of the log that `store` keeps.
  Matches(storage::BrokerStore& store, log::Prover& prover, const base::Clock& clock)
      : store_(store), prover_(prover), clock_(clock) {}

  // List answers a page of the order's purpose, oldest first. Errors of VerifyOrder; REPLAYED;
  // INVALID_ARGUMENT (page size or token); STORAGE_FAILED.
  absl::StatusOr<v1::ListMatchesResponse> List(const rpc::Gate::Pass& pass,
                                               const v1::ListMatchesRequest& request);

  // Open answers the envelopes of one match. As List, and NOT_FOUND (also a match of another purpose),
  // MATCH_CLOSED (also: fewer than k organisations left, or no case left in mode CASE), MATCH_CHANGED (not
  // the contents that the order names, or one of its signals has expired or its partner is no longer in
  // force), TOO_LARGE (over kMaxOpenedBytes), LOG_UNWITNESSED (no quorum of witnesses: at once when it was
  // missing before, else after kProofLimit or at the call's own deadline; no signer), and other errors of
  // Prover::Prove.
  absl::StatusOr<v1::OpenMatchResponse> Open(const rpc::Gate::Pass& pass,
                                             const v1::OpenMatchRequest& request);

 private:
  // Act runs `body` for a verified order in one transaction, with the replay check before it and the entry
  // after it, and returns the entry. An error of `body` other than of the store becomes a refusal that is
  // logged and returned.
  absl::StatusOr<storage::Logged> Act(
      absl::string_view rpc, const policy::VerifiedOrder& order, storage::AuditEntry entry, absl::Time now,
      absl::FunctionRef<absl::Status(storage::BrokerTransaction&, storage::AuditEntry&)> body);

  storage::BrokerStore& store_;
  log::Prover& prover_;
  const base::Clock& clock_;
};

// A gRPC message of the broker holds 16 MiB.
inline constexpr size_t kMaxOpenedBytes = 15 << 20;
// How long the witnesses have to cosign an opening.
inline constexpr absl::Duration kProofLimit = absl::Seconds(10);

}  // namespace raakvlak::broker
