#include "server/program/audit_refusals.h"

#include <string>

#include "base/status.h"

namespace raakvlak::server {

absl::Status AuditRefusals::Refused(absl::string_view actor, absl::string_view role, absl::string_view method,
                                    const absl::Status& why) {
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(clock_.Now());
  entry.actor = std::string(actor);
  entry.role = std::string(role);
  entry.action = "refuse";
  entry.object = std::string(method);
  entry.result = base::ReasonOf(why);
  return audit_.AppendAudit(entry).status();
}

}  // namespace raakvlak::server
