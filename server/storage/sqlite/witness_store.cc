#include "server/storage/witness_store.h"

#include "base/bytes.h"
#include "base/status.h"
#include "server/storage/sqlite/database.h"

namespace raakvlak::storage {
namespace {

constexpr int kSchemaVersion = 1;
constexpr int kApplicationId = 0x52564b57;  // "RVKW"

constexpr char kSchema[] = R"sql(
-- The newest checkpoint of each log that this process cosigned.
CREATE TABLE witnessed(
  origin_hash BLOB PRIMARY KEY CHECK(length(origin_hash) = 32),
  origin TEXT NOT NULL,
  size INTEGER NOT NULL CHECK(size >= 0),
  root BLOB NOT NULL CHECK(length(root) = 32),
  time INTEGER NOT NULL CHECK(time >= 0),
  note BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- What was cosigned stays known.
CREATE TRIGGER witnessed_no_delete BEFORE DELETE ON witnessed
  BEGIN SELECT RAISE(ABORT, 'a witness does not forget'); END;
)sql";

class SqliteWitnessStore final : public WitnessStore {
 public:
  explicit SqliteWitnessStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  absl::StatusOr<std::optional<Witnessed>> FindWitnessed(absl::string_view origin) override {
    return FindWitnessedByHash(base::Sha256(origin));
  }

  absl::StatusOr<std::optional<Witnessed>> FindWitnessedByHash(absl::string_view origin_hash) override {
    std::optional<Witnessed> found;
    RAAKVLAK_RETURN_IF_ERROR(database_->Read("find witnessed", [&](Connection& connection) -> absl::Status {
      Statement query =
          connection.Query("SELECT origin, size, root, time, note FROM witnessed WHERE origin_hash = ?");
      query.BindBlob(origin_hash);
      RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (row) {
        found = Witnessed{query.Bytes(0), static_cast<uint64_t>(query.Int(1)), query.Bytes(2),
                          static_cast<uint64_t>(query.Int(3)), query.Bytes(4)};
      }
      return absl::OkStatus();
    }));
    return found;
  }

  absl::StatusOr<bool> AdvanceWitnessed(uint64_t old_size, const Witnessed& next) override {
    bool advanced = false;
    const absl::Status written = database_->Write("advance witnessed", [&](Connection& connection) {
      const absl::StatusOr<bool> result = Advance(connection, old_size, next);
      advanced = result.ok() && *result;
      return result.status();
    });
    if (!written.ok()) return written;
    return advanced;
  }

 private:
  static absl::StatusOr<bool> Advance(Connection& connection, uint64_t old_size, const Witnessed& next) {
    if (old_size == 0) {
      RAAKVLAK_RETURN_IF_ERROR(Insert(connection, next));
      if (connection.Changes() == 1) return true;
    }
    // The WHERE is the guard against rollback: the row changes only if it still is what the proof started
    // from, whatever another request or another process did since it was read.
    RAAKVLAK_RETURN_IF_ERROR(connection
                                 .Query("UPDATE witnessed SET size = ?1, root = ?2, time = ?3, note = ?4"
                                        " WHERE origin_hash = ?5 AND size = ?6 AND time <= ?3"
                                        " AND (size < ?1 OR (size = ?1 AND root = ?2))")
                                 .Bind(next.size)
                                 .BindBlob(next.root)
                                 .Bind(next.time)
                                 .BindBlob(next.note)
                                 .BindBlob(base::Sha256(next.origin))
                                 .Bind(old_size)
                                 .Run());
    return connection.Changes() == 1;
  }

  static absl::Status Insert(Connection& connection, const Witnessed& next) {
    return connection
        .Query(
            "INSERT INTO witnessed(origin_hash, origin, size, root, time, note) VALUES(?, ?, ?, ?, ?, ?)"
            " ON CONFLICT(origin_hash) DO NOTHING")
        .BindBlob(base::Sha256(next.origin))
        .BindText(next.origin)
        .Bind(next.size)
        .BindBlob(next.root)
        .Bind(next.time)
        .BindBlob(next.note)
        .Run();
  }

  const std::unique_ptr<Database> database_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WitnessStore>> OpenWitnessStore(const std::string& path) {
  RAAKVLAK_ASSIGN_OR_RETURN(auto database, Database::Open(path, kSchema, kSchemaVersion, kApplicationId));
  return std::make_unique<SqliteWitnessStore>(std::move(database));
}

}  // namespace raakvlak::storage
