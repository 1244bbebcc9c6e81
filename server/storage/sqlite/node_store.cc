#include "server/storage/sqlite/node_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/storage/sqlite/node_ceremonies.h"
#include "server/storage/sqlite/process_tables.h"

namespace raakvlak::storage {
namespace {

constexpr int kSchemaVersion = 4;
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
  expiry_day       INTEGER NOT NULL,
  received_ms      INTEGER NOT NULL,
  changed_ms       INTEGER NOT NULL,
  record_digest    BLOB NOT NULL,
  record           BLOB NOT NULL,
  envelope         BLOB NOT NULL,
  receipt          BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE INDEX signals_queued ON signals (purpose, sequence) WHERE state = 1;
CREATE INDEX signals_live ON signals (expiry_day) WHERE state IN (1, 2);

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

-- One row: the check value of the vault key.
CREATE TABLE key_check (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  value BLOB NOT NULL
) STRICT;
)sql";

constexpr char kFindByReference[] =
    "SELECT sequence, signal_id, reference_digest, reference, purpose, state, reason, expiry_day, "
    "received_ms, "
    "changed_ms, record_digest, record, envelope, receipt FROM signals WHERE reference_digest = ?";

NodeSignal ReadSignal(const Statement& row, bool whole) {
  NodeSignal signal;
  signal.sequence = static_cast<uint64_t>(row.Int(0));
  signal.signal_id = row.Bytes(1);
  signal.reference_digest = row.Bytes(2);
  signal.reference = row.Bytes(3);
  signal.purpose = row.Bytes(4);
  signal.state = static_cast<NodeSignalState>(row.Int(5));
  signal.reason = row.Bytes(6);
  signal.expiry_day = row.Uint32(7);
  signal.received_ms = row.Int(8);
  signal.changed_ms = row.Int(9);
  if (whole) {
    signal.record_digest = row.Bytes(10);
    signal.record = row.Bytes(11);
    signal.envelope = row.Bytes(12);
    signal.receipt = row.Bytes(13);
  }
  return signal;
}

absl::StatusOr<std::optional<NodeSignal>> Find(Connection& connection, absl::string_view reference_digest) {
  Statement row = connection.Query(kFindByReference);
  row.BindBlob(reference_digest);
  RAAKVLAK_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return std::optional<NodeSignal>();
  return std::optional<NodeSignal>(ReadSignal(row, true));
}

class Transaction final : public NodeTransaction {
 public:
  Transaction(Connection& connection, const SqliteAuditLog& log) : connection_(connection), log_(log) {}

  absl::StatusOr<std::optional<NodeSignal>> FindByReference(absl::string_view reference_digest) override {
    return Find(connection_, reference_digest);
  }

  absl::Status Insert(const NodeSignal& signal) override {
    return connection_
        .Query(
            "INSERT INTO signals (signal_id, reference_digest, reference, purpose, state, reason, "
            "expiry_day, "
            "received_ms, changed_ms, record_digest, record, envelope) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
            "?, ?)")
        .BindBlob(signal.signal_id)
        .BindBlob(signal.reference_digest)
        .BindBlob(signal.reference)
        .BindText(signal.purpose)
        .Bind(static_cast<int>(signal.state))
        .BindText(signal.reason)
        .Bind(signal.expiry_day)
        .Bind(signal.received_ms)
        .Bind(signal.changed_ms)
        .BindBlob(signal.record_digest)
        .BindBlob(signal.record)
        .BindBlob(signal.envelope)
        .Run();
  }

  absl::Status Remove(absl::string_view signal_id) override {
    return connection_.Query("DELETE FROM signals WHERE signal_id = ? AND state = 3")
        .BindBlob(signal_id)
        .Run();
  }

  absl::StatusOr<bool> PutEnvelope(absl::string_view signal_id, absl::string_view envelope,
                                   uint32_t expiry_day) override {
    return Changed(connection_
                       .Query("UPDATE signals SET envelope = ?, expiry_day = ? "
                              "WHERE signal_id = ? AND state = 1 AND length(envelope) = 0")
                       .BindBlob(envelope)
                       .Bind(expiry_day)
                       .BindBlob(signal_id)
                       .Run());
  }

  absl::StatusOr<bool> DropEnvelope(absl::string_view signal_id) override {
    return Changed(connection_.Query("UPDATE signals SET envelope = x'' WHERE signal_id = ? AND state = 1")
                       .BindBlob(signal_id)
                       .Run());
  }

  absl::StatusOr<bool> MarkSubmitted(absl::string_view signal_id, absl::string_view receipt,
                                     int64_t now_ms) override {
    return Changed(connection_
                       .Query("UPDATE signals SET state = 2, envelope = x'', receipt = ?, changed_ms = ? "
                              "WHERE signal_id = ? AND state = 1")
                       .BindBlob(receipt)
                       .Bind(now_ms)
                       .BindBlob(signal_id)
                       .Run());
  }

  absl::StatusOr<bool> End(absl::string_view signal_id, NodeSignalState state, absl::string_view reason,
                           int64_t now_ms) override {
    // REFUSED (3) is the broker's answer to what was queued; a late one must not end what was submitted
    // meanwhile.
    return Changed(
        connection_
            .Query("UPDATE signals SET state = ?1, reason = ?2, changed_ms = ?3, record_digest = x'', "
                   "record = x'', envelope = x'' "
                   "WHERE signal_id = ?4 AND (state = 1 OR (state = 2 AND ?1 <> 3))")
            .Bind(static_cast<int>(state))
            .BindText(reason)
            .Bind(now_ms)
            .BindBlob(signal_id)
            .Run());
  }

  absl::StatusOr<uint64_t> ExpireUntil(uint32_t day, int64_t now_ms, size_t limit) override {
    RAAKVLAK_RETURN_IF_ERROR(
        connection_
            .Query("UPDATE signals SET state = 5, reason = '', changed_ms = ?, record_digest = x'', record = "
                   "x'', "
                   "envelope = x'' WHERE sequence IN (SELECT sequence FROM signals WHERE state IN (1, 2) "
                   "AND expiry_day <= ? LIMIT ?)")
            .Bind(now_ms)
            .Bind(day)
            .Bind(static_cast<uint64_t>(limit))
            .Run());
    return static_cast<uint64_t>(connection_.Changes());
  }

  absl::Status AddWithdrawal(const NodeWithdrawal& withdrawal) override {
    return connection_
        .Query("INSERT INTO withdrawals (signal_id, reason, time_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
        .BindBlob(withdrawal.signal_id)
        .Bind(withdrawal.reason)
        .Bind(withdrawal.time_ms)
        .Run();
  }

  absl::Status RemoveWithdrawal(absl::string_view signal_id) override {
    return connection_.Query("DELETE FROM withdrawals WHERE signal_id = ?").BindBlob(signal_id).Run();
  }

  absl::StatusOr<bool> RememberRequest(absl::string_view partner, absl::string_view request_id,
                                       int64_t time_ms) override {
    return Changed(connection_
                       .Query("INSERT INTO requests (partner, request_id, time_ms) VALUES (?, ?, ?) "
                              "ON CONFLICT DO NOTHING")
                       .BindText(partner)
                       .BindBlob(request_id)
                       .Bind(time_ms)
                       .Run());
  }

  absl::Status ForgetRequests(int64_t time_ms) override {
    return connection_.Query("DELETE FROM requests WHERE time_ms < ?").Bind(time_ms).Run();
  }

  absl::StatusOr<bool> TakeQuota(const EvaluationQuota& key, uint64_t elements, uint64_t limit) override {
    // SQLite's integers are signed: a limit above them is no limit that could be reached.
    limit = std::min<uint64_t>(limit, INT64_MAX);
    if (elements > limit) return false;
    // The WHERE is the guard: a day's count never passes the limit, whoever else is counting.
    return Changed(connection_
                       .Query("INSERT INTO quotas (day, partner, purpose, identifier_class, used) "
                              "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET used = used + ?5 "
                              "WHERE used <= ?6 - ?5")
                       .Bind(key.day)
                       .BindText(key.partner)
                       .BindText(key.purpose)
                       .Bind(static_cast<int>(key.identifier_class))
                       .Bind(elements)
                       .Bind(limit)
                       .Run());
  }

  absl::Status ForgetQuotas(uint32_t day) override {
    return connection_.Query("DELETE FROM quotas WHERE day < ?").Bind(day).Run();
  }

  absl::StatusOr<bool> PutCeremony(const NodeCeremony& ceremony) override {
    return PutCeremonyRow(connection_, ceremony);
  }

  absl::StatusOr<bool> SeeKeyset(const SeenKeyset& seen) override { return SeeKeysetRow(connection_, seen); }

  absl::StatusOr<Logged> AppendAudit(const AuditEntry& entry) override {
    return log_.Append(connection_, entry);
  }

 private:
  absl::StatusOr<bool> Changed(const absl::Status& run) {
    RAAKVLAK_RETURN_IF_ERROR(run);
    return connection_.Changes() > 0;
  }

  Connection& connection_;
  const SqliteAuditLog& log_;
};

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
    Transaction transaction(connection, *log_);
    return body(transaction);
  });
}

absl::StatusOr<std::optional<NodeSignal>> SqliteNodeStore::FindByReference(
    absl::string_view reference_digest) {
  std::optional<NodeSignal> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("find_by_reference", [&](Connection& connection) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(out, Find(connection, reference_digest));
    return absl::OkStatus();
  }));
  return out;
}

absl::StatusOr<std::vector<NodeSignal>> SqliteNodeStore::List(uint64_t after, size_t limit,
                                                              std::optional<NodeSignalState> state) {
  std::vector<NodeSignal> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("list", [&](Connection& connection) -> absl::Status {
    Statement row = connection.Query(
        "SELECT sequence, signal_id, reference_digest, reference, purpose, state, reason, expiry_day, "
        "received_ms, "
        "changed_ms FROM signals WHERE sequence > ?1 AND (?2 = 0 OR state = ?2) ORDER BY sequence LIMIT ?3");
    row.Bind(after).Bind(state.has_value() ? static_cast<int>(*state) : 0).Bind(static_cast<uint64_t>(limit));
    while (true) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool more, row.Step());
      if (!more) return absl::OkStatus();
      out.push_back(ReadSignal(row, false));
    }
  }));
  return out;
}

absl::StatusOr<std::vector<std::string>> SqliteNodeStore::QueuedPurposes() {
  std::vector<std::string> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("queued_purposes", [&](Connection& connection) -> absl::Status {
    // One seek for each purpose: DISTINCT would walk the whole queue.
    while (true) {
      Statement row = connection.Query(
          "SELECT purpose FROM signals WHERE state = 1 AND purpose > ? ORDER BY purpose LIMIT 1");
      row.BindText(out.empty() ? absl::string_view() : absl::string_view(out.back()));
      RAAKVLAK_ASSIGN_OR_RETURN(const bool more, row.Step());
      if (!more) return absl::OkStatus();
      out.push_back(row.Bytes(0));
    }
  }));
  return out;
}

absl::StatusOr<std::vector<NodeSignal>> SqliteNodeStore::Queued(absl::string_view purpose, uint64_t after,
                                                                size_t limit) {
  std::vector<NodeSignal> out;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("queued", [&](Connection& connection) -> absl::Status {
    Statement row = connection.Query(
        "SELECT sequence, signal_id, reference_digest, reference, purpose, state, reason, expiry_day, "
        "received_ms, "
        "changed_ms, record_digest, record, envelope, receipt FROM signals "
        "WHERE state = 1 AND purpose = ? AND sequence > ? ORDER BY sequence LIMIT ?");
    row.BindText(purpose).Bind(after).Bind(static_cast<uint64_t>(limit));
    while (true) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool more, row.Step());
      if (!more) return absl::OkStatus();
      out.push_back(ReadSignal(row, true));
    }
  }));
  return out;
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
