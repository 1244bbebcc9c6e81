#include "server/program/audit_refusals.h"

#include "base/log.h"
#include "base/status.h"

namespace raakvlak::server {
namespace {

// How soon after its minute a count is written.
constexpr absl::Duration kInterval = absl::Seconds(1);

void LogFailure(const absl::Status& status) {
  if (!status.ok()) base::LogStatus(base::LogLevel::kError, "audit.refusals_not_written", status);
}

}  // namespace

AuditRefusals::AuditRefusals(storage::AuditAppender& audit, policy::Authority& authority,
                             const base::Clock& clock)
    : audit_(audit, authority),
      clock_(clock),
      counter_(audit_, clock),
      writer_([] { return kInterval; }, [this] { LogFailure(counter_.WriteEnded()); }) {}

AuditRefusals::~AuditRefusals() { Stop(); }

absl::Status AuditRefusals::Refused(const rpc::Refusal& refusal) {
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(clock_.Now());
  entry.actor = refusal.actor;
  entry.role = refusal.role;
  entry.action = "refuse";
  entry.object = refusal.method;
  entry.origin = refusal.origin;
  entry.trace_id = refusal.trace_id;
  entry.result = base::ReasonOf(refusal.why);
  return audit_.AppendAudit(entry).status();
}

void AuditRefusals::Count(const rpc::Refusal& refusal) {
  counter_.Count(refusal.actor, refusal.role, refusal.method, refusal.origin, base::ReasonOf(refusal.why));
}

void AuditRefusals::Stop() {
  writer_.Stop();
  LogFailure(counter_.WriteAll());
}

}  // namespace raakvlak::server
