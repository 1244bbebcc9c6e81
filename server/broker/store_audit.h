// StoreAudit: appends single entries to the broker's audit log, each in a transaction of its own, for what
// changes nothing besides: refusals at the gate. Durable when AppendAudit returns. Thread safety: all methods
// may be called from any thread.
#pragma once

#include "policy/authority.h"
#include "server/storage/audit.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class StoreAudit final : public storage::AuditAppender {
 public:
  // Both outlive the StoreAudit.
  StoreAudit(storage::BrokerStore& store, policy::Authority& authority)
      : store_(store), authority_(authority) {}

  // Adds the policy in force when the entry names none. STORAGE_FAILED.
  absl::StatusOr<uint64_t> AppendAudit(const storage::AuditEntry& entry) override;

 private:
  storage::BrokerStore& store_;
  policy::Authority& authority_;
};

}  // namespace raakvlak::broker
