#include "server/storage/process_store.h"

#include <utility>

#include "base/status.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/sqlite/process_tables.h"

namespace raakvlak::storage {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kApplicationId = 0x52564b48;  // "RVKH"

class SqliteProcessStore final : public ProcessStore {
 public:
  explicit SqliteProcessStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  absl::StatusOr<uint64_t> AppendAudit(const AuditEntry& entry) override {
    uint64_t index = 0;
    RAAKVLAK_RETURN_IF_ERROR(database_->Write("audit", [&](Connection& connection) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(index, AppendAuditRow(connection, entry));
      return absl::OkStatus();
    }));
    return index;
  }

  absl::StatusOr<std::vector<AuditEntry>> ReadAudit(const AuditFilter& filter, uint64_t start,
                                                    size_t limit) override {
    std::vector<AuditEntry> entries;
    RAAKVLAK_RETURN_IF_ERROR(database_->Read("read audit", [&](Connection& connection) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(entries, ReadAuditRows(connection, filter, start, limit));
      return absl::OkStatus();
    }));
    return entries;
  }

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
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessStore>> OpenProcessStore(const std::string& path) {
  RAAKVLAK_ASSIGN_OR_RETURN(auto database,
                            Database::Open(path, kProcessSchema, kSchemaVersion, kApplicationId));
  return std::make_unique<SqliteProcessStore>(std::move(database));
}

}  // namespace raakvlak::storage
