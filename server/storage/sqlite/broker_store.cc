#include "server/storage/sqlite/broker_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "server/storage/sqlite/broker_transaction.h"
#include "server/storage/sqlite/ceremonies.h"
#include "server/storage/sqlite/process_tables.h"

namespace raakvlak::storage {
namespace {

constexpr int kApplicationId = 0x52564b42;  // "RVKB"
constexpr int kSchemaVersion = 4;

// AUTOINCREMENT: a number is never used twice, because dirty rows outlive the signals they name.
constexpr char kBrokerSchema[] = R"sql(
-- One row for each version of a signal: it has one in each epoch that it was sealed in.
CREATE TABLE signals (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  partner TEXT NOT NULL,
  organisation INTEGER NOT NULL,
  signal_id BLOB NOT NULL,
  envelope_hash BLOB NOT NULL,
  purpose TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  counts_as_case INTEGER NOT NULL,
  submitted_day INTEGER NOT NULL,
  expiry_day INTEGER NOT NULL,
  accepted_ms INTEGER NOT NULL,
  UNIQUE (partner, signal_id, epoch)
) STRICT;
CREATE INDEX signals_by_expiry ON signals (expiry_day);
CREATE INDEX signals_by_epoch ON signals (purpose, epoch);

-- Which entry of the log says that the signals first_number, first_number + 1 ... came: their envelope hashes, side by side.
CREATE TABLE batches (
  first_number INTEGER PRIMARY KEY,
  year INTEGER NOT NULL,
  entry INTEGER NOT NULL,
  hashes BLOB NOT NULL,
  expiry_day INTEGER NOT NULL
) STRICT;
CREATE INDEX batches_by_expiry ON batches (expiry_day);

-- Apart, so that the rows that matching reads stay small.
CREATE TABLE envelopes (
  signal INTEGER PRIMARY KEY REFERENCES signals (number),
  body BLOB NOT NULL,
  signature BLOB NOT NULL
) STRICT;

-- Ordered by signal, so that a batch is written side by side; only the index by tag is hit at random places.
CREATE TABLE tokens (
  signal INTEGER NOT NULL REFERENCES signals (number),
  rule TEXT NOT NULL,
  subject INTEGER NOT NULL,
  quality INTEGER NOT NULL,
  purpose TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  tag BLOB NOT NULL,
  commitments_hash BLOB NOT NULL,
  PRIMARY KEY (signal, rule)
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_by_tag ON tokens (tag, purpose, epoch);

-- How many rows of tokens there are, kept with each that comes and goes: key holders are asked for as many evaluations in a new epoch.
CREATE TABLE token_counts (
  purpose TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  partner TEXT NOT NULL,
  rule TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  PRIMARY KEY (purpose, epoch, partner, rule)
) STRICT, WITHOUT ROWID;

-- What has ended: nothing with such an id comes to life until the expiry day.
CREATE TABLE tombstones (
  partner TEXT NOT NULL,
  signal_id BLOB NOT NULL,
  envelope_hash BLOB NOT NULL,  -- empty: never submitted
  state INTEGER NOT NULL,
  reason TEXT NOT NULL,
  accepted_ms INTEGER NOT NULL,
  ended_ms INTEGER NOT NULL,
  expiry_day INTEGER NOT NULL,
  PRIMARY KEY (partner, signal_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_by_expiry ON tombstones (expiry_day);

CREATE TABLE matches (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  purpose TEXT NOT NULL,
  subject INTEGER NOT NULL,
  quality INTEGER NOT NULL,
  rules TEXT NOT NULL,  -- sorted, separated by blanks
  conflict INTEGER NOT NULL,
  state INTEGER NOT NULL,  -- 1 open, 2 closed, 3 merged
  merged_into INTEGER REFERENCES matches (number),
  changed_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX matches_open ON matches (purpose, number) WHERE state = 1;
CREATE INDEX matches_listed ON matches (purpose, number) WHERE state <> 3;
CREATE INDEX matches_closed ON matches (changed_ms) WHERE state = 2;
CREATE INDEX matches_merged ON matches (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE match_members (
  match INTEGER NOT NULL REFERENCES matches (number),
  signal INTEGER NOT NULL REFERENCES signals (number),
  PRIMARY KEY (match, signal)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_members_by_signal ON match_members (signal);

-- For the matcher. No foreign key: a signal that ended stays dirty until the matcher has looked.
CREATE TABLE dirty_signals (signal INTEGER PRIMARY KEY, changed INTEGER NOT NULL) STRICT;
CREATE TABLE dirty_matches (match INTEGER PRIMARY KEY) STRICT;
CREATE TABLE partners_in_force (partner TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE orders (order_id BLOB PRIMARY KEY, time_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX orders_by_time ON orders (time_ms);
CREATE TABLE submit_counts (
  day INTEGER NOT NULL,
  partner TEXT NOT NULL,
  signals INTEGER NOT NULL,
  PRIMARY KEY (day, partner)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteBrokerStore>> SqliteBrokerStore::Open(const std::string& path,
                                                                           LogCodec codec) {
  const std::string schema = absl::StrCat(kProcessSchema, kBrokerSchema, kCeremonySchema);
  RAAKVLAK_ASSIGN_OR_RETURN(std::unique_ptr<Database> database,
                            Database::Open(path, schema.c_str(), kSchemaVersion, kApplicationId));
  RAAKVLAK_ASSIGN_OR_RETURN(auto log, SqliteAuditLog::Open(*database, std::move(codec)));
  return std::unique_ptr<SqliteBrokerStore>(new SqliteBrokerStore(std::move(database), std::move(log)));
}

absl::Status SqliteBrokerStore::Write(absl::string_view name,
                                      absl::FunctionRef<absl::Status(BrokerTransaction&)> body) {
  return database_->Write(name, [&](Connection& connection) {
    SqliteBrokerTransaction transaction(connection, *log_);
    return body(transaction);
  });
}

absl::Status SqliteBrokerStore::Read(absl::string_view name,
                                     absl::FunctionRef<absl::Status(BrokerReader&)> body) {
  return database_->Read(name, [&](Connection& connection) {
    SqliteBrokerTransaction transaction(connection, *log_);
    return body(transaction);
  });
}

absl::StatusOr<policy::Newest> SqliteBrokerStore::Load() {
  policy::Newest newest;
  RAAKVLAK_RETURN_IF_ERROR(database_->Read("load_policy", [&](Connection& connection) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(newest, LoadNewestRow(connection));
    return absl::OkStatus();
  }));
  return newest;
}

absl::Status SqliteBrokerStore::Store(const policy::Newest& newest) {
  return database_->Write("store_policy",
                          [&](Connection& connection) { return StoreNewestRow(connection, newest); });
}

}  // namespace raakvlak::storage
