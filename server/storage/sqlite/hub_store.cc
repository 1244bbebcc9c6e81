#include "server/storage/hub_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/sqlite/process_tables.h"
#include "server/storage/sqlite/sqlite_log.h"

namespace raakvlak::storage {
namespace {

constexpr int kSchemaVersion = 5;
constexpr int kApplicationId = 0x52564b48;  // "RVKH"

constexpr char kOpeningSchema[] = R"sql(
-- What proves each opening: a v1.KeptOpening, sealed for this row. time_ms is that of the entry in the broker's log.
CREATE TABLE opening(
  order_hash BLOB PRIMARY KEY CHECK(length(order_hash) = 32),
  time_ms INTEGER NOT NULL,
  sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX opening_time ON opening(time_ms);
CREATE TRIGGER opening_no_update BEFORE UPDATE ON opening
  BEGIN SELECT RAISE(ABORT, 'a kept opening is never changed'); END;
)sql";

std::string PlaceOf(absl::string_view order_hash, int64_t time_ms) {
  return absl::StrCat("opening", base::LengthPrefixed(order_hash),
                      base::BigEndian(static_cast<uint64_t>(time_ms), 8));
}

class SqliteHubStore final : public HubStore {
 public:
  SqliteHubStore(std::unique_ptr<Database> database, std::unique_ptr<SqliteAuditLog> log)
      : database_(std::move(database)), log_(std::move(log)) {}

  absl::StatusOr<Logged> AppendAudit(const AuditEntry& entry) override {
    Logged logged;
    RAAKVLAK_RETURN_IF_ERROR(database_->Write("audit", [&](Connection& connection) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(logged, log_->Append(connection, entry));
      return absl::OkStatus();
    }));
    return logged;
  }

  absl::StatusOr<Logged> AppendOpening(const AuditEntry& entry, const v1::KeptOpening& opening) override {
    const int64_t time_ms = opening.logged().time_ms();
    const std::string sealed =
        log_->codec().SealBeside(PlaceOf(opening.order_hash(), time_ms), opening.SerializeAsString());
    Logged logged;
    const auto keep = [&](Connection& connection) -> absl::Status {
      RAAKVLAK_RETURN_IF_ERROR(
          connection
              .Query(
                  "INSERT INTO opening(order_hash, time_ms, sealed) VALUES(?, ?, ?) ON CONFLICT DO NOTHING")
              .BindBlob(opening.order_hash())
              .Bind(time_ms)
              .BindBlob(sealed)
              .Run());
      if (connection.Changes() == 0) {
        return base::Error(absl::StatusCode::kAlreadyExists, base::reason::kReplayed,
                           "an order is taken once");
      }
      RAAKVLAK_ASSIGN_OR_RETURN(logged, log_->Append(connection, entry));
      return absl::OkStatus();
    };
    RAAKVLAK_RETURN_IF_ERROR(database_->Write("opening", keep));
    return logged;
  }

  absl::StatusOr<std::optional<v1::KeptOpening>> FindOpening(absl::string_view order_hash) override {
    std::optional<v1::KeptOpening> found;
    RAAKVLAK_RETURN_IF_ERROR(database_->Read("find opening", [&](Connection& connection) -> absl::Status {
      Statement query = connection.Query("SELECT time_ms, sealed FROM opening WHERE order_hash = ?");
      RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.BindBlob(order_hash).Step());
      if (!row) return absl::OkStatus();
      RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes,
                                log_->codec().OpenBeside(PlaceOf(order_hash, query.Int(0)), query.Bytes(1)));
      RAAKVLAK_CHECK(found.emplace().ParseFromString(bytes), "it was sealed as it was serialised");
      return absl::OkStatus();
    }));
    return found;
  }

  absl::StatusOr<uint64_t> EraseOpenings(int64_t before_ms, const AuditEntry& proof) override {
    uint64_t erased = 0;
    const auto erase = [&](Connection& connection) -> absl::Status {
      RAAKVLAK_RETURN_IF_ERROR(
          connection.Query("DELETE FROM opening WHERE time_ms < ?").Bind(before_ms).Run());
      erased = static_cast<uint64_t>(connection.Changes());
      if (erased == 0) return absl::OkStatus();
      AuditEntry entry = proof;
      entry.action = "erase";
      entry.object = "openings";
      entry.count = erased;
      return log_->Append(connection, entry).status();
    };
    RAAKVLAK_RETURN_IF_ERROR(database_->Write("erase openings", erase));
    return erased;
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

absl::StatusOr<std::unique_ptr<HubStore>> OpenHubStore(const std::string& path, LogCodec codec) {
  const std::string schema = absl::StrCat(kProcessSchema, kOpeningSchema);
  RAAKVLAK_ASSIGN_OR_RETURN(auto database,
                            Database::Open(path, schema.c_str(), kSchemaVersion, kApplicationId));
  RAAKVLAK_ASSIGN_OR_RETURN(auto log, SqliteAuditLog::Open(*database, std::move(codec)));
  return std::make_unique<SqliteHubStore>(std::move(database), std::move(log));
}

}  // namespace raakvlak::storage
