// StoreAudit and PolicyLog: audit entries of the node that stand by themselves: refusals at the gate, and
// each covenant and roster that comes in force. Durable when they return. Thread safety: all methods may be
// called from any thread.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "policy/authority.h"
#include "server/storage/audit.h"
#include "server/storage/node_store.h"

namespace raakvlak::node {

class StoreAudit final : public storage::AuditAppender {
 public:
  // `store` outlives this.
  explicit StoreAudit(storage::NodeStore& store) : store_(store) {}
  absl::StatusOr<uint64_t> AppendAudit(const storage::AuditEntry& entry) override;

 private:
  storage::NodeStore& store_;
};

// Between policy::Authority and the store. The entry is durable before the new high-water mark, so nothing
// comes in force without one; after a crash in between there may be two.
class PolicyLog final : public policy::HighWater {
 public:
  // Both outlive this. `actor` is this process.
  PolicyLog(storage::NodeStore& store, const base::Clock& clock, std::string actor)
      : store_(store), clock_(clock), actor_(std::move(actor)) {}
  absl::StatusOr<policy::Newest> Load() override { return store_.Load(); }
  absl::Status Store(const policy::Newest& newest) override;

 private:
  storage::NodeStore& store_;
  const base::Clock& clock_;
  const std::string actor_;
};

}  // namespace raakvlak::node
