// The tables that every process's database has: the audit entries, and the newest covenant and roster seen
// (policy::HighWater).
//
// A store puts kProcessSchema in its own schema and passes calls on to these functions. The entry's index is
// the row id, given by the one writer, so the sequence has no gaps. Errors: STORAGE_FAILED. Thread safety: as
// the Connection handed in.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "policy/authority.h"
#include "server/storage/audit.h"
#include "server/storage/sqlite/database.h"

namespace raakvlak::storage {

inline constexpr char kProcessSchema[] = R"sql(
CREATE TABLE audit(
  entry INTEGER PRIMARY KEY,
  time_ms INTEGER NOT NULL,
  actor TEXT NOT NULL,
  role TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  purpose TEXT NOT NULL,
  legal_basis TEXT NOT NULL,
  case_reference TEXT NOT NULL,
  reason TEXT NOT NULL,
  result TEXT NOT NULL,
  count INTEGER NOT NULL,
  order_hash BLOB NOT NULL,
  policy TEXT NOT NULL) STRICT;
-- Append only: what is written stays.
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append only'); END;
CREATE TABLE newest_policy(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  covenant_id BLOB NOT NULL,
  covenant_version INTEGER NOT NULL,
  roster_number INTEGER NOT NULL) STRICT;
)sql";

// Returns the entry's index, from 0.
absl::StatusOr<uint64_t> AppendAuditRow(Connection& connection, const AuditEntry& entry);

// As AuditReader::ReadAudit.
absl::StatusOr<std::vector<AuditEntry>> ReadAuditRows(Connection& connection, const AuditFilter& filter,
                                                      uint64_t start, size_t limit);

absl::StatusOr<policy::Newest> LoadNewestRow(Connection& connection);
// Never goes back: a lower covenant version or roster number than stored changes nothing and is
// STORAGE_FAILED.
absl::Status StoreNewestRow(Connection& connection, const policy::Newest& newest);

}  // namespace raakvlak::storage
