// SqliteNodeStore: the NodeStore in one SQLite file (server/storage/sqlite/database.h says how it is made
// durable).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/storage/node_store.h"
#include "server/storage/sqlite/database.h"

namespace raakvlak::storage {

class SqliteNodeStore final : public NodeStore {
 public:
  // Opens or makes the file. SCHEMA_UNKNOWN, STORAGE_FAILED.
  static absl::StatusOr<std::unique_ptr<SqliteNodeStore>> Open(const std::string& path);

  absl::Status Write(absl::string_view name, absl::FunctionRef<absl::Status(NodeTransaction&)> body) override;
  absl::StatusOr<std::optional<NodeSignal>> FindByReference(absl::string_view reference_digest) override;
  absl::StatusOr<std::vector<NodeSignal>> List(uint64_t after, size_t limit,
                                               std::optional<NodeSignalState> state) override;
  absl::StatusOr<std::vector<std::string>> QueuedPurposes() override;
  absl::StatusOr<std::vector<NodeSignal>> Queued(absl::string_view purpose, uint64_t after,
                                                 size_t limit) override;
  absl::StatusOr<std::vector<NodeWithdrawal>> Withdrawals(size_t limit) override;
  absl::StatusOr<std::string> KeyCheck(absl::string_view check) override;
  absl::StatusOr<std::vector<AuditEntry>> ReadAudit(const AuditFilter& filter, uint64_t start,
                                                    size_t limit) override;
  absl::StatusOr<policy::Newest> Load() override;
  absl::Status Store(const policy::Newest& newest) override;

 private:
  explicit SqliteNodeStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
  const std::unique_ptr<Database> database_;
};

}  // namespace raakvlak::storage
