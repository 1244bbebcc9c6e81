// PolicyLog: an entry "policy_load" in the audit log for each covenant and roster that comes in force.
//
// It stands between policy::Authority and the store. The entry is durable before the store takes the new high
// water mark, so nothing comes in force without one; after a crash in between there may be two. Thread
// safety: all methods may be called from any thread.
#pragma once

#include <string>
#include <utility>

#include "base/clock.h"
#include "policy/authority.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class PolicyLog final : public policy::HighWater {
 public:
  // Both outlive the PolicyLog. `actor` is this process.
  PolicyLog(storage::BrokerStore& store, const base::Clock& clock, std::string actor)
      : store_(store), clock_(clock), actor_(std::move(actor)) {}

  // STORAGE_FAILED.
  absl::StatusOr<policy::Newest> Load() override { return store_.Load(); }
  absl::Status Store(const policy::Newest& newest) override;

 private:
  storage::BrokerStore& store_;
  const base::Clock& clock_;
  const std::string actor_;
};

}  // namespace raakvlak::broker
