// AuditReading: an officer reads the access log (proto/raakvlak/v1/audit.proto). Reading is itself an entry,
// durable before the answer.
//
// The gate has admitted the caller as officer. Thread safety: all methods may be called from any thread.
#pragma once

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "raakvlak/v1/audit.pb.h"
#include "rpc/gate.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class AuditReading {
 public:
  // Both outlive the AuditReading.
  AuditReading(storage::BrokerStore& store, const base::Clock& clock) : store_(store), clock_(clock) {}

  // ListEntries answers one page; the page token is the place of an entry. INVALID_ARGUMENT (page size,
  // token, a filter over 200 bytes), STORAGE_FAILED.
  absl::StatusOr<v1::ListEntriesResponse> ListEntries(const rpc::Gate::Pass& pass,
                                                      const v1::ListEntriesRequest& request);

 private:
  storage::BrokerStore& store_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::broker
