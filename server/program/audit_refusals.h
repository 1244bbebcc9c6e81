// AuditRefusals: writes each refusal of a caller into the process's audit log.
// Thread safety: all methods may be called from any thread.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "rpc/call.h"
#include "server/storage/audit.h"

namespace raakvlak::server {

class AuditRefusals final : public rpc::RefusalLog {
 public:
  // Both outlive this. `audit` makes the entry durable before it returns.
  AuditRefusals(storage::AuditAppender& audit, const base::Clock& clock) : audit_(audit), clock_(clock) {}
  absl::Status Refused(absl::string_view actor, absl::string_view role, absl::string_view method,
                       const absl::Status& why) override;

 private:
  storage::AuditAppender& audit_;
  const base::Clock& clock_;
};

}  // namespace raakvlak::server
