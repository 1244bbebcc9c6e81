#include "server/broker/store_audit.h"

#include "base/status.h"

namespace raakvlak::broker {

absl::StatusOr<uint64_t> StoreAudit::AppendAudit(const storage::AuditEntry& entry) {
  storage::AuditEntry stored = entry;
  if (stored.policy.empty()) {
    // With nothing in force everybody is refused, and there is no policy to name.
    const absl::StatusOr<policy::Snapshot> snapshot = authority_.Current();
    if (snapshot.ok()) stored.policy = snapshot->Name();
  }
  uint64_t index = 0;
  const auto append = [&](storage::BrokerTransaction& transaction) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(index, transaction.AppendAudit(stored));
    return absl::OkStatus();
  };
  RAAKVLAK_RETURN_IF_ERROR(store_.Write("audit", append));
  return index;
}

}  // namespace raakvlak::broker
