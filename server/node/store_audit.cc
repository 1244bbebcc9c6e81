#include "server/node/store_audit.h"

#include "base/status.h"

namespace raakvlak::node {

absl::StatusOr<uint64_t> StoreAudit::AppendAudit(const storage::AuditEntry& entry) {
  uint64_t index = 0;
  const absl::Status written =
      store_.Write("audit", [&](storage::NodeTransaction& transaction) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(index, transaction.AppendAudit(entry));
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  return index;
}

}  // namespace raakvlak::node
