// Exchange: takes sealed signals and withdrawals from the nodes (proto/raakvlak/v1/exchange.proto).
//
// Each envelope is judged alone (policy/envelope.h) and gets its own receipt; all of a request that is taken
// is stored in one transaction, with its audit entries: one "submit" (or "withdraw") with how many were new,
// and one "refuse" for each reason with how many it stopped. Neither the answer nor the entries nor the work
// depend on overlap, which is the matcher's affair.
//
// The entry "submit" commits to the envelopes that were new in the batch, and each receipt says how
// (docs/format/receipt.md). Withdrawals have no such receipt: what is remembered of them is the signal's id
// and not the bytes, which a node signs anew when the covenant changes.
//
// Idempotent on (partner, signal id, epoch) and envelope hash: what was taken once is answered the same ever
// after, whatever the covenant says by then, and is not counted again, until its epoch or the signal ends.
//
// A live signal is renewed by its envelope of a newer epoch, with the same purpose, kind and days: it stands
// beside the older one and costs no quota. Any other envelope under a live id is an ENVELOPE_CONFLICT, one of
// an older epoch than the newest included. A signal that has ended has ended in every epoch. One whose only
// version went with its epoch is unknown: its envelope of the newer epoch is a new signal, and costs quota.
//
// The gate has admitted the caller as node of a partner in force. Thread safety: all methods may be called
// from any thread.
#pragma once

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "raakvlak/v1/exchange.pb.h"
#include "rpc/gate.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

inline constexpr int kMaxBatch = 256;

class Exchange {
 public:
  // Both outlive the Exchange.
  Exchange(storage::BrokerStore& store, const base::Clock& clock) : store_(store), clock_(clock) {}

  // Submit answers each envelope; a receipt's reasons are those of CheckEnvelope, ENVELOPE_CONFLICT,
  // SIGNAL_ENDED and QUOTA_EXCEEDED (per purpose and class, at most the covenant's elements a day). The whole
  // request is refused, and nothing of it stored: INVALID_ARGUMENT (empty, or of several purposes), TOO_LARGE
  // (over kMaxBatch), NOT_ALLOWED, PARTNER_SUSPENDED, STORAGE_FAILED.
  absl::StatusOr<v1::SubmitResponse> Submit(const rpc::Gate::Pass& pass, const v1::SubmitRequest& request);

  // Withdraw answers each withdrawal; a receipt's reasons are those of CheckWithdrawal, SIGNAL_ENDED when the
  // signal has expired, and QUOTA_EXCEEDED for an id that was never submitted when the partner has withdrawn
  // as many of those today as its largest quota of a class: each is remembered on disk. envelope_hash is that
  // of the withdrawal's body. The whole request is refused as in Submit.
  absl::StatusOr<v1::WithdrawSignalsResponse> Withdraw(const rpc::Gate::Pass& pass,
                                                       const v1::WithdrawSignalsRequest& request);

 private:
  storage::BrokerStore& store_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::broker
