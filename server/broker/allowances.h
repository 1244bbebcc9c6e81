// Allowances: how many tokens of the epoch before the current one each partner has to make anew
// (raakvlak/v1/exchange.proto, ListAllowances). Each call is one entry of action "allowances", or "refuse".
//
// The counts are of live tokens at this moment: they fall as signals end, and the end of the overlap ends
// them all. A token is counted under the class that its rule has in the covenant in force; a rule that it
// does not have any more is evaluated by nobody and counts for nothing. How much of it a key holder grants,
// at most, the holder decides itself from the covenant.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "raakvlak/v1/exchange.pb.h"
#include "rpc/gate.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class Allowances {
 public:
  // Both outlive this.
  Allowances(storage::BrokerStore& store, const base::Clock& clock) : store_(store), clock_(clock) {}

  // List answers sorted by partner and class, without zeros; nothing while no two epochs of the purpose
  // overlap. PURPOSE_UNKNOWN, NOT_ALLOWED, PARTNER_SUSPENDED, STORAGE_FAILED.
  absl::StatusOr<v1::ListAllowancesResponse> List(const rpc::Gate::Pass& pass,
                                                  const v1::ListAllowancesRequest& request);

 private:
  storage::BrokerStore& store_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::broker
