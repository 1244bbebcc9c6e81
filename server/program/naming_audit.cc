#include "server/program/naming_audit.h"

namespace raakvlak::server {

absl::StatusOr<storage::Logged> NamingAudit::AppendAudit(const storage::AuditEntry& entry) {
  storage::AuditEntry named = entry;
  if (named.policy.empty()) {
    const absl::StatusOr<policy::Snapshot> snapshot = authority_.Current();
    if (snapshot.ok()) named.policy = snapshot->Name();
  }
  return audit_.AppendAudit(named);
}

}  // namespace raakvlak::server
