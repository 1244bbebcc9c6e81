// PolicyLog: an entry "policy_load" in the audit log for each covenant and roster that comes in force.
//
// It stands between policy::Authority and what keeps the newest policy. The entry is durable before the new
// high-water mark is kept, so nothing comes in force without one; after a crash in between there may be two.
// Thread safety: all methods may be called from any thread.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "policy/authority.h"
#include "server/storage/audit.h"

namespace raakvlak::server {

class PolicyLog final : public policy::HighWater {
 public:
  // `kept`, `audit` (durable when it returns) and `clock` outlive this. `actor` is this process in `role`.
  PolicyLog(policy::HighWater& kept, storage::AuditAppender& audit, const base::Clock& clock,
            std::string actor, std::string role)
      : kept_(kept), audit_(audit), clock_(clock), actor_(std::move(actor)), role_(std::move(role)) {}

  absl::StatusOr<policy::Newest> Load() override { return kept_.Load(); }
  absl::Status Store(const policy::Newest& newest) override;

 private:
  policy::HighWater& kept_;
  storage::AuditAppender& audit_;
  const base::Clock& clock_;
  const std::string actor_;
  const std::string role_;
};

}  // namespace raakvlak::server
