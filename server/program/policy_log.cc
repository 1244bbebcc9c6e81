#include "server/program/policy_log.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status.h"

namespace raakvlak::server {

absl::Status PolicyLog::Store(const policy::Newest& newest) {
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(clock_.Now());
  entry.actor = actor_;
  entry.role = role_;
  entry.action = "policy_load";
  entry.object = base::Hex(newest.covenant_id);
  entry.policy = absl::StrCat("c", newest.covenant_version, "/r", newest.roster_number);
  RAAKVLAK_RETURN_IF_ERROR(audit_.AppendAudit(entry).status());
  return kept_.Store(newest);
}

}  // namespace raakvlak::server
