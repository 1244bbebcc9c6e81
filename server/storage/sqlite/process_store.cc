#include "server/storage/process_store.h"

#include <utility>

#include "base/status.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/sqlite/process_tables.h"
#include "server/storage/sqlite/sqlite_log.h"

namespace raakvlak::storage {
namespace {

constexpr int kSchemaVersion = 3;
constexpr int kApplicationId = 0x52564b48;  // "RVKH"

class SqliteProcessStore final : public ProcessStore {
 public:
  SqliteProcessStore(std::unique_ptr<Database> database, std::unique_ptr<SqliteAuditLog> log)
      : database_(std::move(database)), log_(std::move(log)) {}

  absl::StatusOr<Logged> AppendAudit(const AuditEntry& entry) override {
    Logged logged;
    RAAKVLAK_RETURN_IF_ERROR(database_->Write("audit", [&](Connection& connection) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(logged, log_->Append(connection, entry));
      return absl::OkStatus();
    }));
    return logged;
  }

  AuditLog& audit_log() override { return *log_; }

  absl::StatusOr<policy::Newest> Load() override {
    policy::Newest newest;
    RAAKVLAK_RETURN_IF_ERROR(database_->Read("load newest", [&](Connection& connection) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(newest, LoadNewestRow(connection));
      return absl::OkStatus();
    }));
    return newest;
  }

  absl::Status Store(const policy::Newest& newest) override {
    return database_->Write("store newest",
                            [&](Connection& connection) { return StoreNewestRow(connection, newest); });
  }

 private:
  const std::unique_ptr<Database> database_;
  const std::unique_ptr<SqliteAuditLog> log_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessStore>> OpenProcessStore(const std::string& path, LogCodec codec) {
  RAAKVLAK_ASSIGN_OR_RETURN(auto database,
                            Database::Open(path, kProcessSchema, kSchemaVersion, kApplicationId));
  RAAKVLAK_ASSIGN_OR_RETURN(auto log, SqliteAuditLog::Open(*database, std::move(codec)));
  return std::make_unique<SqliteProcessStore>(std::move(database), std::move(log));
}

}  // namespace raakvlak::storage
