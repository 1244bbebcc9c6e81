#include "server/node/store_audit.h"

#include "base/status.h"

namespace raakvlak::node {

absl::StatusOr<storage::Logged> StoreAudit::AppendAudit(const storage::AuditEntry& entry) {
  storage::Logged logged;
  RAAKVLAK_RETURN_IF_ERROR(store_.Write("audit", [&](storage::NodeTransaction& transaction) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(logged, transaction.AppendAudit(entry));
    return absl::OkStatus();
  }));
  return logged;
}

}  // namespace raakvlak::node
