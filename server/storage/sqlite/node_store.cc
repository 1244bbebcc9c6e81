#include "server/storage/sqlite/node_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/storage/sqlite/node_ceremonies.h"
#include "server/storage/sqlite/node_transaction.h"
#include "server/storage/sqlite/process_tables.h"

namespace raakvlak::storage {
namespace {

constexpr int kSchemaVersion = 5;
constexpr int kApplicationId = 0x52764e31;  // "RvN1"

constexpr char kSchema[] = R"sql(
-- One row for each signal of this partner. reference, record, envelope and receipt are encrypted under a key that is not in this file; the
-- digests are HMACs under it. record, record_digest and envelope are empty once the signal has ended.
CREATE TABLE signals (
  sequence         INTEGER PRIMARY KEY AUTOINCREMENT,
  signal_id        BLOB NOT NULL UNIQUE,
  reference_digest BLOB NOT NULL UNIQUE,
  reference        BLOB NOT NULL,
  purpose          TEXT NOT NULL,
  state            INTEGER NOT NULL,  -- 1 queued, 2 submitted, 3 refused, 4 withdrawn, 5 expired
  reason           TEXT NOT NULL,
  submitted_day    INTEGER NOT NULL,
  expiry_day       INTEGER NOT NULL,
  epoch            INTEGER NOT NULL,  -- of what the broker took last
  settled_epoch    INTEGER NOT NULL,  -- up to here nothing is to be done to bring it to a later epoch
  received_ms      INTEGER NOT NULL,
  changed_ms       INTEGER NOT NULL,
  record_digest    BLOB NOT NULL,
  record           BLOB NOT NULL,
  envelope         BLOB NOT NULL,
  receipt          BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE INDEX signals_queued ON signals (purpose, sequence) WHERE state = 1;
CREATE INDEX signals_live ON signals (expiry_day) WHERE state IN (1, 2);
CREATE INDEX signals_rotation ON signals (purpose, settled_epoch, sequence, epoch) WHERE state = 2;

-- Withdrawals that the broker has not acknowledged yet.
CREATE TABLE withdrawals (
  sequence  INTEGER PRIMARY KEY AUTOINCREMENT,
  signal_id BLOB NOT NULL UNIQUE,
  reason    INTEGER NOT NULL,
  time_ms   INTEGER NOT NULL
) STRICT;

-- What the key share was asked: each request once, and elements counted by day.
CREATE TABLE requests (
  partner    TEXT NOT NULL,
  request_id BLOB NOT NULL,
  time_ms    INTEGER NOT NULL,
  PRIMARY KEY (partner, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_time ON requests (time_ms);
CREATE TABLE quotas (
  day              INTEGER NOT NULL,
  partner          TEXT NOT NULL,
  purpose          TEXT NOT NULL,
  identifier_class INTEGER NOT NULL,
  used             INTEGER NOT NULL,
  PRIMARY KEY (day, partner, purpose, identifier_class)
) STRICT, WITHOUT ROWID;

-- What partners may have evaluated once for a new epoch, beside their quotas.
CREATE TABLE allowances (
  purpose          TEXT NOT NULL,
  epoch            INTEGER NOT NULL,
  partner          TEXT NOT NULL,  -- empty: the row that says that it was granted
  identifier_class INTEGER NOT NULL,
  granted          INTEGER NOT NULL,
  used             INTEGER NOT NULL,
  PRIMARY KEY (purpose, epoch, partner, identifier_class)
) STRICT, WITHOUT ROWID;

-- One row: the check value of the vault key.
CREATE TABLE key_check (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  value BLOB NOT NULL
) STRICT;
)sql";

absl::Status ReadAll(Statement& row, bool whole, std::vector<NodeSignal>& out) {
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool more, row.Step());
    if (!more) return absl::OkStatus();
    out.push_back(ReadSignal(row, whole));
  }
}

// One seek for each purpose: DISTINCT would walk all signals of that state.
absl::Status AddPurposes(Connection& connection, const char* next, std::vector<std::string>& out) {
  std::string last;
  while (true) {
    Statement row = connection.Query(next);
    row.BindText(last);
    RAAKVLAK_ASSIGN_OR_RETURN(const bool more, row.Step());
    if (!more) return absl::OkStatus();
    last = row.Bytes(0);
    out.push_back(last);
  }
}

constexpr char kNextQueued[] =
    "SELECT purpose FROM signals WHERE state = 1 AND purpose > ? ORDER BY purpose LIMIT 1";
constexpr char kNextSubmitted[] =
    "SELECT purpose FROM signals WHERE state = 2 AND purpose > ? ORDER BY purpose LIMIT 1";

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteNodeStore>> SqliteNodeStore::Open(const std::string& path,
                                                                       LogCodec codec) {
  RAAKVLAK_ASSIGN_OR_RETURN(
      auto database, Database::Open(path, absl::StrCat(kProcessSchema, kSchema, kCeremoniesSchema).c_str(),
                                    kSchemaVersion, kApplicationId));
  RAAKVLAK_ASSIGN_OR_RETURN(auto log, SqliteAuditLog::Open(*database, std::move(codec)));
  return std::unique_ptr<SqliteNodeStore>(new SqliteNodeStore(std::move(database), std::move(log)));
}

absl::Status SqliteNodeStore::Write(absl::string_view name,
                                    absl::FunctionRef<absl::Status(NodeTransaction&)> body) {
  return database_->Write(name, [&](Connection& connection) {
    SqliteNodeTransaction transaction(connection, *log_);
    return body(transaction);
  });
}

absl::StatusOr<std::optional<NodeSignal>> SqliteNodeStore::FindByReference(
    absl::string_view reference_digest) {
  std::optional<NodeSignal> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("find_by_reference", [&](Connection& connection) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(out, FindSignal(connection, reference_digest));
    return absl::OkStatus();
  }));
  return out;
}

absl::StatusOr<std::vector<NodeSignal>> SqliteNodeStore::List(uint64_t after, size_t limit,
                                                              std::optional<NodeSignalState> state) {
  std::vector<NodeSignal> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("list", [&](Connection& connection) {
    Statement row = connection.Query(
        "SELECT " RAAKVLAK_SIGNAL_COLUMNS
        " FROM signals WHERE sequence > ?1 AND (?2 = 0 OR state = ?2) ORDER BY sequence LIMIT ?3");
    row.Bind(after).Bind(state.has_value() ? static_cast<int>(*state) : 0).Bind(static_cast<uint64_t>(limit));
    return ReadAll(row, false, out);
  }));
  return out;
}

absl::StatusOr<std::vector<std::string>> SqliteNodeStore::QueuedPurposes() {
  std::vector<std::string> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read(
      "queued_purposes", [&](Connection& connection) { return AddPurposes(connection, kNextQueued, out); }));
  return out;
}

absl::StatusOr<std::vector<std::string>> SqliteNodeStore::LivePurposes() {
  std::vector<std::string> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("live_purposes", [&](Connection& connection) -> absl::Status {
    const absl::Status queued = AddPurposes(connection, kNextQueued, out);
    return queued.ok() ? AddPurposes(connection, kNextSubmitted, out) : queued;
  }));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

absl::StatusOr<std::vector<NodeSignal>> SqliteNodeStore::Queued(absl::string_view purpose, uint64_t after,
                                                                size_t limit) {
  std::vector<NodeSignal> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("queued", [&](Connection& connection) {
    Statement row = connection.Query("SELECT " RAAKVLAK_WHOLE_SIGNAL
                                     " FROM signals WHERE state = 1 AND purpose = ? AND sequence > ? "
                                     "ORDER BY sequence LIMIT ?");
    row.BindText(purpose).Bind(after).Bind(static_cast<uint64_t>(limit));
    return ReadAll(row, true, out);
  }));
  return out;
}

absl::StatusOr<std::vector<NodeSignal>> SqliteNodeStore::RotationDue(absl::string_view purpose,
                                                                     uint32_t epoch, RotationPlace after,
                                                                     size_t limit) {
  std::vector<NodeSignal> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("rotation_due", [&](Connection& connection) {
    Statement row = connection.Query("SELECT " RAAKVLAK_WHOLE_SIGNAL
                                     " FROM signals WHERE state = 2 AND purpose = ? AND settled_epoch < ? "
                                     "AND (settled_epoch, sequence) > (?, ?) "
                                     "ORDER BY settled_epoch, sequence LIMIT ?");
    row.BindText(purpose).Bind(epoch).Bind(after.settled_epoch).Bind(after.sequence);
    row.Bind(static_cast<uint64_t>(limit));
    return ReadAll(row, true, out);
  }));
  return out;
}

absl::StatusOr<RotationProgress> SqliteNodeStore::Progress(absl::string_view purpose, uint32_t epoch) {
  RotationProgress progress;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("rotation_progress", [&](Connection& connection) -> absl::Status {
    Statement row = connection.Query(
        "SELECT count(*), count(*) FILTER (WHERE epoch >= ?) FROM signals WHERE state = 2 AND purpose = ?");
    row.Bind(epoch).BindText(purpose);
    RAAKVLAK_ASSIGN_OR_RETURN(const bool found, row.Step());
    RAAKVLAK_CHECK(found, "an aggregate has a row");
    progress = {static_cast<uint64_t>(row.Int(0)), static_cast<uint64_t>(row.Int(1))};
    return absl::OkStatus();
  }));
  return progress;
}

absl::StatusOr<bool> SqliteNodeStore::IsAllowanceGranted(absl::string_view purpose, uint32_t epoch) {
  bool granted = false;
  RAAKVLAK_RETURN_IF_ERROR(
      database_->Read("is_allowance_granted", [&](Connection& connection) -> absl::Status {
        Statement row =
            connection.Query("SELECT 1 FROM allowances WHERE purpose = ? AND epoch = ? AND partner = ''");
        row.BindText(purpose).Bind(epoch);
        RAAKVLAK_ASSIGN_OR_RETURN(granted, row.Step());
        return absl::OkStatus();
      }));
  return granted;
}

absl::StatusOr<std::vector<NodeCeremony>> SqliteNodeStore::Ceremonies() {
  std::vector<NodeCeremony> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("ceremonies", [&](Connection& connection) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(out, CeremonyRows(connection));
    return absl::OkStatus();
  }));
  return out;
}

absl::StatusOr<std::vector<SeenKeyset>> SqliteNodeStore::SeenKeysets() {
  std::vector<SeenKeyset> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("seen_keysets", [&](Connection& connection) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(out, SeenKeysetRows(connection));
    return absl::OkStatus();
  }));
  return out;
}

absl::StatusOr<uint64_t> SqliteNodeStore::UsedQuota(const EvaluationQuota& key) {
  uint64_t used = 0;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("used_quota", [&](Connection& connection) -> absl::Status {
    Statement row = connection.Query(
        "SELECT used FROM quotas WHERE day = ? AND partner = ? AND purpose = ? AND identifier_class = ?");
    row.Bind(key.day)
        .BindText(key.partner)
        .BindText(key.purpose)
        .Bind(static_cast<int>(key.identifier_class));
    RAAKVLAK_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (found) used = static_cast<uint64_t>(row.Int(0));
    return absl::OkStatus();
  }));
  return used;
}

absl::StatusOr<std::vector<NodeWithdrawal>> SqliteNodeStore::Withdrawals(size_t limit) {
  std::vector<NodeWithdrawal> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("withdrawals", [&](Connection& connection) -> absl::Status {
    Statement row =
        connection.Query("SELECT signal_id, reason, time_ms FROM withdrawals ORDER BY sequence LIMIT ?");
    row.Bind(static_cast<uint64_t>(limit));
    while (true) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool more, row.Step());
      if (!more) return absl::OkStatus();
      out.push_back({row.Bytes(0), static_cast<int>(row.Int(1)), row.Int(2)});
    }
  }));
  return out;
}

absl::StatusOr<std::string> SqliteNodeStore::KeyCheck(absl::string_view check) {
  std::string out;
  const absl::Status written = database_->Write("key_check", [&](Connection& connection) -> absl::Status {
    RAAKVLAK_RETURN_IF_ERROR(
        connection.Query("INSERT INTO key_check (one, value) VALUES (1, ?) ON CONFLICT DO NOTHING")
            .BindBlob(check)
            .Run());
    Statement row = connection.Query("SELECT value FROM key_check");
    RAAKVLAK_RETURN_IF_ERROR(row.Step().status());
    out = row.Bytes(0);
    return absl::OkStatus();
  });
  if (!written.ok()) return written;
  return out;
}

absl::StatusOr<policy::Newest> SqliteNodeStore::Load() {
  policy::Newest newest;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("load_newest", [&](Connection& connection) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(newest, LoadNewestRow(connection));
    return absl::OkStatus();
  }));
  return newest;
}

absl::Status SqliteNodeStore::Store(const policy::Newest& newest) {
  return database_->Write("store_newest",
                          [&](Connection& connection) { return StoreNewestRow(connection, newest); });
}

}  // namespace raakvlak::storage
