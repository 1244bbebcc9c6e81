// Allowances: what a key holder evaluates for partners beside their quotas when a new epoch begins
// (design 4.2).
//
// All partners then have all their live signals evaluated again within the overlap, which no day's quota is
// made for. So once for each (purpose, new epoch) the broker is asked how many live tokens each partner has
// in the epoch before; that many elements, and never more than its quota of a whole epoch, are kept in the
// database and spent when a day's quota is used up. The broker could name too high a figure: the bound is
// what a partner may have evaluated in an epoch anyway.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/exchange_client.h"
#include "server/node/environment.h"
#include "server/node/outbox.h"

namespace raakvlak::node {

class Allowances {
 public:
  // `exchange` outlives this.
  Allowances(const Environment& environment, client::ExchangeClient& exchange)
      : environment_(environment), exchange_(exchange) {}

  // Whether something may be spent: `epoch` is the covenant's, and the one before is still served.
  bool IsOpen(const policy::Snapshot& snapshot, const std::string& purpose, uint32_t epoch) const;

  // Fetch sees to it that what is granted for `epoch` of `purpose` is in the database: asks the broker when
  // it is not there yet, and writes an entry "allowance" with the number of elements. True when that was done
  // now. UNAVAILABLE: the broker gave no answer about that epoch; after a failure it rests and says so at
  // once. STORAGE_FAILED. REQUIRES: IsOpen.
  absl::StatusOr<bool> Fetch(const policy::Snapshot& snapshot, const std::string& purpose, uint32_t epoch);

 private:
  absl::StatusOr<bool> Ask(const policy::Snapshot& snapshot, const v1::Purpose& purpose);

  const Environment environment_;
  client::ExchangeClient& exchange_;
  base::Mutex mutex_;
  bool asking_ ABSL_GUARDED_BY(mutex_) = false;
  Backoff backoff_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::node
