// SqliteNodeStore: the NodeStore in one SQLite file (server/storage/sqlite/database.h says how it is made
// durable).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/storage/node_store.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/sqlite/sqlite_log.h"

namespace raakvlak::storage {

class SqliteNodeStore final : public NodeStore {
 public:
  // Opens or makes the file. SCHEMA_UNKNOWN; VERIFICATION_FAILED (another details key or process than the
  // file's); STORAGE_FAILED.
  static absl::StatusOr<std::unique_ptr<SqliteNodeStore>> Open(const std::string& path, LogCodec codec);

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
  AuditLog& audit_log() override { return *log_; }
  absl::StatusOr<policy::Newest> Load() override;
  absl::Status Store(const policy::Newest& newest) override;

 private:
  SqliteNodeStore(std::unique_ptr<Database> database, std::unique_ptr<SqliteAuditLog> log)
      : database_(std::move(database)), log_(std::move(log)) {}
  const std::unique_ptr<Database> database_;
  const std::unique_ptr<SqliteAuditLog> log_;
};

}  // namespace raakvlak::storage
