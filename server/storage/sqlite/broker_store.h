// SqliteBrokerStore: the broker's store in one SQLite file (server/storage/sqlite/database.h: one writer,
// group commit, snapshots).
//
// What ended is overwritten in the file (secure_delete); copies of it may stay in the WAL until that is
// written over, after the next checkpoint. Cost: each operation touches a number of rows that does not depend
// on how much is stored. Thread safety: see BrokerStore.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "server/storage/broker_store.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/sqlite/sqlite_log.h"

namespace raakvlak::storage {

class SqliteBrokerStore final : public BrokerStore {
 public:
  // Opens or makes the file. SCHEMA_UNKNOWN; VERIFICATION_FAILED (another details key or process than the
  // file's); STORAGE_FAILED.
  static absl::StatusOr<std::unique_ptr<SqliteBrokerStore>> Open(const std::string& path, LogCodec codec);

  absl::Status Write(absl::string_view name,
                     absl::FunctionRef<absl::Status(BrokerTransaction&)> body) override;
  absl::Status Read(absl::string_view name, absl::FunctionRef<absl::Status(BrokerReader&)> body) override;

  AuditLog& audit_log() override { return *log_; }
  absl::StatusOr<policy::Newest> Load() override;
  absl::Status Store(const policy::Newest& newest) override;

 private:
  SqliteBrokerStore(std::unique_ptr<Database> database, std::unique_ptr<SqliteAuditLog> log)
      : database_(std::move(database)), log_(std::move(log)) {}
  const std::unique_ptr<Database> database_;
  const std::unique_ptr<SqliteAuditLog> log_;
};

}  // namespace raakvlak::storage
