// MemoryBrokerStore: the broker's store in memory, for tests and as the reading of BrokerStore that needs no
// SQL.
//
// A transaction works on a copy that replaces the whole when it succeeds: easy to see right, and a cost that
// grows with the store. It is NOT durable. Thread safety: see BrokerStore.
#pragma once

#include <memory>
#include <string>

#include "base/mutex.h"
#include "server/storage/broker_store.h"
#include "server/storage/memory/memory_log.h"

namespace raakvlak::storage {

class MemoryBrokerStore final : public BrokerStore {
 public:
  struct State;

  explicit MemoryBrokerStore(std::string urn = "urn:raakvlak:memory:broker:memory");
  ~MemoryBrokerStore() override;

  absl::Status Write(absl::string_view name,
                     absl::FunctionRef<absl::Status(BrokerTransaction&)> body) override;
  absl::Status Read(absl::string_view name, absl::FunctionRef<absl::Status(BrokerReader&)> body) override;

  AuditLog& audit_log() override { return log_; }
  absl::StatusOr<policy::Newest> Load() override;
  absl::Status Store(const policy::Newest& newest) override;

 private:
  base::Mutex mutex_;
  std::unique_ptr<State> state_ ABSL_GUARDED_BY(mutex_);
  MemoryAuditLog log_;
};

}  // namespace raakvlak::storage
