// StoreAudit: appends audit entries of the node that stand by themselves, each in a transaction of its own:
// refusals at the gate, and each covenant and roster that comes in force. Durable when it returns. Thread
// safety: all methods may be called from any thread.
#pragma once

#include "server/storage/audit.h"
#include "server/storage/node_store.h"

namespace raakvlak::node {

class StoreAudit final : public storage::AuditAppender {
 public:
  // `store` outlives this.
  explicit StoreAudit(storage::NodeStore& store) : store_(store) {}
  absl::StatusOr<storage::Logged> AppendAudit(const storage::AuditEntry& entry) override;

 private:
  storage::NodeStore& store_;
};

}  // namespace raakvlak::node
