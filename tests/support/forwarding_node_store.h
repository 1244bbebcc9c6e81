// ForwardingNodeStore passes everything on to a store: a test overrides what shall go otherwise. Thread
// safety: that of the store, which outlives it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/storage/node_store.h"

namespace raakvlak::testing {

class ForwardingNodeStore : public storage::NodeStore {
 public:
  explicit ForwardingNodeStore(storage::NodeStore& store) : store_(store) {}

  absl::Status Write(absl::string_view name,
                     absl::FunctionRef<absl::Status(storage::NodeTransaction&)> body) override {
    return store_.Write(name, body);
  }
  absl::StatusOr<std::optional<storage::NodeSignal>> FindByReference(absl::string_view digest) override {
    return store_.FindByReference(digest);
  }
  absl::StatusOr<std::vector<storage::NodeSignal>> List(
      uint64_t after, size_t limit, std::optional<storage::NodeSignalState> state) override {
    return store_.List(after, limit, state);
  }
  absl::StatusOr<std::vector<std::string>> QueuedPurposes() override { return store_.QueuedPurposes(); }
  absl::StatusOr<std::vector<storage::NodeSignal>> Queued(absl::string_view purpose, uint64_t after,
                                                          size_t limit) override {
    return store_.Queued(purpose, after, limit);
  }
  absl::StatusOr<std::vector<std::string>> LivePurposes() override { return store_.LivePurposes(); }
  absl::StatusOr<std::vector<storage::NodeSignal>> RotationDue(absl::string_view purpose, uint32_t epoch,
                                                               storage::RotationPlace after,
                                                               size_t limit) override {
    return store_.RotationDue(purpose, epoch, after, limit);
  }
  absl::StatusOr<storage::RotationProgress> Progress(absl::string_view purpose, uint32_t epoch) override {
    return store_.Progress(purpose, epoch);
  }
  absl::StatusOr<bool> IsAllowanceGranted(absl::string_view purpose, uint32_t epoch) override {
    return store_.IsAllowanceGranted(purpose, epoch);
  }
  absl::StatusOr<std::vector<storage::NodeWithdrawal>> Withdrawals(size_t limit) override {
    return store_.Withdrawals(limit);
  }
  absl::StatusOr<std::vector<storage::NodeCeremony>> Ceremonies() override { return store_.Ceremonies(); }
  absl::StatusOr<std::vector<storage::SeenKeyset>> SeenKeysets() override { return store_.SeenKeysets(); }
  absl::StatusOr<uint64_t> UsedQuota(const storage::EvaluationQuota& key) override {
    return store_.UsedQuota(key);
  }
  absl::StatusOr<std::string> KeyCheck(absl::string_view check) override { return store_.KeyCheck(check); }
  storage::AuditLog& audit_log() override { return store_.audit_log(); }
  absl::StatusOr<policy::Newest> Load() override { return store_.Load(); }
  absl::Status Store(const policy::Newest& newest) override { return store_.Store(newest); }

 private:
  storage::NodeStore& store_;
};

}  // namespace raakvlak::testing
