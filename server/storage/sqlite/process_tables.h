// The tables that every process's database has: its logs (server/storage/sqlite/sqlite_log.h), and the newest
// covenant and roster seen (policy::HighWater).
//
// A store puts kProcessSchema in its own schema and passes calls on to these functions. Errors:
// STORAGE_FAILED. Thread safety: as the Connection handed in.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "policy/authority.h"
#include "server/storage/sqlite/database.h"

namespace raakvlak::storage {

inline constexpr char kProcessSchema[] = R"sql(
-- The logs (sqlite_log.h). entry = year * 2^40 + index.
CREATE TABLE log_leaf(
  entry INTEGER PRIMARY KEY,
  leaf BLOB NOT NULL CHECK(length(leaf) = 41)) STRICT;
-- Append only: what is written stays.
CREATE TRIGGER log_leaf_no_update BEFORE UPDATE ON log_leaf
  BEGIN SELECT RAISE(ABORT, 'the log is append only'); END;
CREATE TRIGGER log_leaf_no_delete BEFORE DELETE ON log_leaf
  BEGIN SELECT RAISE(ABORT, 'the log is append only'); END;
-- Salt and details, encrypted under a key that is not in this file.
CREATE TABLE log_detail(
  entry INTEGER PRIMARY KEY REFERENCES log_leaf(entry),
  sealed BLOB NOT NULL) STRICT;
-- Up to where the details of a year were erased, exclusive; it never goes back.
CREATE TABLE log_erased(
  year INTEGER PRIMARY KEY,
  until INTEGER NOT NULL) STRICT;
CREATE TRIGGER log_detail_no_update BEFORE UPDATE ON log_detail
  BEGIN SELECT RAISE(ABORT, 'details are never changed'); END;
CREATE TRIGGER log_detail_no_delete BEFORE DELETE ON log_detail
  WHEN NOT EXISTS (SELECT 1 FROM log_erased WHERE year = OLD.entry >> 40 AND (OLD.entry & 0xFFFFFFFFFF) < until)
  BEGIN SELECT RAISE(ABORT, 'details go by erasure only'); END;
-- One row: the check value of the details key.
CREATE TABLE log_key(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  value BLOB NOT NULL) STRICT;
CREATE TABLE newest_policy(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  covenant_id BLOB NOT NULL,
  covenant_version INTEGER NOT NULL,
  roster_number INTEGER NOT NULL,
  roster_id BLOB NOT NULL) STRICT;
)sql";

absl::StatusOr<policy::Newest> LoadNewestRow(Connection& connection);
// Never goes back: a lower covenant version or roster number than stored, or another covenant or roster of
// the same, changes nothing and is STORAGE_FAILED.
absl::Status StoreNewestRow(Connection& connection, const policy::Newest& newest);

}  // namespace raakvlak::storage
