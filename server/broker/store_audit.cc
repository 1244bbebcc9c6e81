#include "server/broker/store_audit.h"

namespace raakvlak::broker {

absl::StatusOr<uint64_t> StoreAudit::AppendAudit(const storage::AuditEntry& entry) {
  storage::AuditEntry stored = entry;
  if (stored.policy.empty()) {
    // With nothing in force everybody is refused, and there is no policy to name.
    const absl::StatusOr<policy::Snapshot> snapshot = authority_.Current();
    if (snapshot.ok()) stored.policy = snapshot->Name();
  }
  return store_.AppendAudit(stored);
}

}  // namespace raakvlak::broker
