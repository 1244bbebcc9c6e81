// EntryProver: proves to a node that the entry of one of its own submits stands in the cosigned log
// (raakvlak/v1/exchange.proto, ProveEntry). Each call is one entry of action "prove", or "refuse".
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "raakvlak/v1/exchange.pb.h"
#include "rpc/gate.h"
#include "server/log/prover.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class EntryProver {
 public:
  // All outlive this.
  EntryProver(storage::BrokerStore& store, log::Prover& prover, const base::Clock& clock)
      : store_(store), prover_(prover), clock_(clock) {}

  // NOT_FOUND for whatever is not the entry "submit" of a submit of the caller, also when its details were
  // erased; errors of log::Prover; STORAGE_FAILED, VERIFICATION_FAILED.
  absl::StatusOr<v1::ProveEntryResponse> ProveEntry(const rpc::Gate::Pass& pass,
                                                    const v1::ProveEntryRequest& request);

 private:
  absl::StatusOr<v1::ProveEntryResponse> DoProve(const rpc::Gate::Pass& pass, storage::EntryId id);

  storage::BrokerStore& store_;
  log::Prover& prover_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::broker
