// AuditRefusals: writes the refusals of callers into the process's audit log, those of known callers each in
// an entry of its own, the others counted per minute (server/program/refusal_counter.h). All name the policy
// in force. Thread safety: all methods may be called from any thread.
#pragma once

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/periodic_job.h"
#include "policy/authority.h"
#include "rpc/call.h"
#include "server/program/naming_audit.h"
#include "server/program/refusal_counter.h"
#include "server/storage/audit.h"

namespace raakvlak::server {

class AuditRefusals final : public rpc::RefusalLog {
 public:
  // All outlive this. `audit` makes the entry durable before it returns.
  AuditRefusals(storage::AuditAppender& audit, policy::Authority& authority, const base::Clock& clock);
  // Stops.
  ~AuditRefusals() override;

  absl::Status Refused(const rpc::Refusal& refusal) override;
  void Count(const rpc::Refusal& refusal) override;

  // Stop writes all counts. Call when no call can come any more: after the servers' Shutdown. May be called
  // twice.
  void Stop();

 private:
  NamingAudit audit_;
  const base::Clock& clock_;
  RefusalCounter counter_;
  base::PeriodicJob writer_;
};

}  // namespace raakvlak::server
