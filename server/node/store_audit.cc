#include "server/node/store_audit.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
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

absl::Status PolicyLog::Store(const policy::Newest& newest) {
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(clock_.Now());
  entry.actor = actor_;
  entry.role = "node";
  entry.action = "policy_load";
  entry.object = base::Hex(newest.covenant_id);
  entry.policy = absl::StrCat("c", newest.covenant_version, "/r", newest.roster_number);
  RAAKVLAK_RETURN_IF_ERROR(StoreAudit(store_).AppendAudit(entry).status());
  return store_.Store(newest);
}

}  // namespace raakvlak::node
