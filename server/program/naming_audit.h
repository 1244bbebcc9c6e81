// NamingAudit: adds to each audit entry that names no policy the one in force.
// Thread safety: all methods may be called from any thread.
#pragma once

#include "policy/authority.h"
#include "server/storage/audit.h"

namespace raakvlak::server {

class NamingAudit final : public storage::AuditAppender {
 public:
  // Both outlive this.
  NamingAudit(storage::AuditAppender& audit, policy::Authority& authority)
      : audit_(audit), authority_(authority) {}
  // With nothing in force the entry goes without. Errors, and durability, of `audit`.
  absl::StatusOr<storage::Logged> AppendAudit(const storage::AuditEntry& entry) override;

 private:
  storage::AuditAppender& audit_;
  policy::Authority& authority_;
};

}  // namespace raakvlak::server
