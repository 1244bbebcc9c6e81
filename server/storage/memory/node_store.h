// MemoryNodeStore: a NodeStore that forgets everything when it goes; for tests.
//
// A transaction works on a copy of the whole state, so a failing one leaves no trace: simple, and slow for
// more than some thousand rows.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "server/storage/memory/memory_log.h"
#include "server/storage/node_store.h"

namespace raakvlak::storage {

class MemoryNodeStore final : public NodeStore {
 public:
  explicit MemoryNodeStore(std::string urn = "urn:raakvlak:memory:node:memory");
  ~MemoryNodeStore() override;

  absl::Status Write(absl::string_view name, absl::FunctionRef<absl::Status(NodeTransaction&)> body) override;
  absl::StatusOr<std::optional<NodeSignal>> FindByReference(absl::string_view reference_digest) override;
  absl::StatusOr<std::vector<NodeSignal>> List(uint64_t after, size_t limit,
                                               std::optional<NodeSignalState> state) override;
  absl::StatusOr<std::vector<std::string>> QueuedPurposes() override;
  absl::StatusOr<std::vector<NodeSignal>> Queued(absl::string_view purpose, uint64_t after,
                                                 size_t limit) override;
  absl::StatusOr<std::vector<NodeCeremony>> Ceremonies() override;
  absl::StatusOr<std::vector<SeenKeyset>> SeenKeysets() override;
  absl::StatusOr<uint64_t> UsedQuota(const EvaluationQuota& key) override;
  absl::StatusOr<std::vector<std::string>> LivePurposes() override;
  absl::StatusOr<std::vector<NodeSignal>> RotationDue(absl::string_view purpose, uint32_t epoch,
                                                      RotationPlace after, size_t limit) override;
  absl::StatusOr<RotationProgress> Progress(absl::string_view purpose, uint32_t epoch) override;
  absl::StatusOr<bool> IsAllowanceGranted(absl::string_view purpose, uint32_t epoch) override;
  absl::StatusOr<std::vector<NodeWithdrawal>> Withdrawals(size_t limit) override;
  absl::StatusOr<std::string> KeyCheck(absl::string_view check) override;
  AuditLog& audit_log() override { return log_; }
  absl::StatusOr<policy::Newest> Load() override;
  absl::Status Store(const policy::Newest& newest) override;

 private:
  struct State;
  class Transaction;
  base::Mutex mutex_;
  std::unique_ptr<State> state_ ABSL_GUARDED_BY(mutex_);
  MemoryAuditLog log_;
};

}  // namespace raakvlak::storage
