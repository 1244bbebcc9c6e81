#include "server/broker/audit_entry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::broker {

storage::AuditEntry EntryOf(const rpc::Gate::Pass& pass, absl::Time now, absl::string_view action,
                            absl::string_view object) {
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(now);
  entry.actor = pass.caller.urn;
  entry.role = std::string(rpc::RoleName(pass.caller.role));
  entry.action = std::string(action);
  entry.object = std::string(object);
  entry.policy = pass.snapshot.Name();
  entry.origin = pass.origin;
  entry.trace_id = pass.trace_id;
  return entry;
}

storage::AuditEntry AsRefusal(storage::AuditEntry entry, absl::string_view rpc, const absl::Status& why) {
  entry.action = "refuse";
  entry.object = entry.object.empty() ? std::string(rpc) : absl::StrCat(rpc, " ", entry.object);
  entry.result = base::ReasonOf(why);
  return entry;
}

absl::Status RefuseDurably(storage::BrokerStore& store, const storage::AuditEntry& entry,
                           absl::string_view rpc, const absl::Status& why) {
  RAAKVLAK_RETURN_IF_ERROR(store.Write("refuse", [&](storage::BrokerTransaction& transaction) {
    return transaction.AppendAudit(AsRefusal(entry, rpc, why)).status();
  }));
  return why;
}

bool EndsTransaction(const absl::Status& status) {
  const std::string why = base::ReasonOf(status);
  return why == base::reason::kStorageFailed || why == base::reason::kInternal;
}

}  // namespace raakvlak::broker
