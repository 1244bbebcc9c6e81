#include "server/storage/sqlite/process_tables.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::storage {
namespace {

// Row ids start at 1, indices at 0.
constexpr int64_t kFirstRow = 1;

bool Matches(const AuditFilter& filter, const AuditEntry& entry) {
  const auto fits = [](const std::string& wanted, const std::string& found) {
    return wanted.empty() || wanted == found;
  };
  return fits(filter.actor, entry.actor) && fits(filter.action, entry.action) &&
         fits(filter.purpose, entry.purpose) && fits(filter.case_reference, entry.case_reference) &&
         fits(filter.result, entry.result) && (filter.from_ms == 0 || entry.time_ms >= filter.from_ms) &&
         (filter.until_ms == 0 || entry.time_ms < filter.until_ms);
}

AuditEntry EntryOf(const Statement& row) {
  AuditEntry entry;
  entry.index = static_cast<uint64_t>(row.Int(0) - kFirstRow);
  entry.time_ms = row.Int(1);
  int column = 2;
  for (std::string* field : {&entry.actor, &entry.role, &entry.action, &entry.object, &entry.purpose,
                             &entry.legal_basis, &entry.case_reference, &entry.reason, &entry.result}) {
    *field = row.Bytes(column++);
  }
  entry.count = static_cast<uint64_t>(row.Int(11));
  entry.order_hash = row.Bytes(12);
  entry.policy = row.Bytes(13);
  return entry;
}

}  // namespace

absl::StatusOr<uint64_t> AppendAuditRow(Connection& connection, const AuditEntry& entry) {
  // max() of the primary key is one step in the tree; the table has one writer and loses no row, so there are
  // no gaps.
  Statement last = connection.Query("SELECT coalesce(max(entry), 0) FROM audit");
  RAAKVLAK_ASSIGN_OR_RETURN(const bool row, last.Step());
  RAAKVLAK_CHECK(row, "an aggregate has a row");
  const int64_t next = last.Int(0) + 1;
  Statement insert = connection.Query(
      "INSERT INTO audit(entry, time_ms, actor, role, action, object, purpose, legal_basis, case_reference, "
      "reason,"
      " result, count, order_hash, policy) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  insert.Bind(next).Bind(entry.time_ms);
  for (const std::string* field : {&entry.actor, &entry.role, &entry.action, &entry.object, &entry.purpose,
                                   &entry.legal_basis, &entry.case_reference, &entry.reason, &entry.result}) {
    insert.BindText(*field);
  }
  insert.Bind(entry.count).BindBlob(entry.order_hash).BindText(entry.policy);
  RAAKVLAK_RETURN_IF_ERROR(insert.Run());
  return static_cast<uint64_t>(next - kFirstRow);
}

absl::StatusOr<std::vector<AuditEntry>> ReadAuditRows(Connection& connection, const AuditFilter& filter,
                                                      uint64_t start, size_t limit) {
  const uint64_t last = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) - kFirstRow;
  Statement rows = connection.Query(
      filter.newest_first ? "SELECT entry, time_ms, actor, role, action, object, purpose, legal_basis,"
                            " case_reference, reason, result, count, order_hash, policy FROM audit"
                            " WHERE entry <= ? ORDER BY entry DESC"
                          : "SELECT entry, time_ms, actor, role, action, object, purpose, legal_basis,"
                            " case_reference, reason, result, count, order_hash, policy FROM audit"
                            " WHERE entry >= ? ORDER BY entry");
  rows.Bind(static_cast<int64_t>(std::min(start, last)) + kFirstRow);
  std::vector<AuditEntry> entries;
  while (entries.size() < limit) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, rows.Step());
    if (!row) break;
    AuditEntry entry = EntryOf(rows);
    if (Matches(filter, entry)) entries.push_back(std::move(entry));
  }
  return entries;
}

absl::StatusOr<policy::Newest> LoadNewestRow(Connection& connection) {
  policy::Newest newest;
  Statement query =
      connection.Query("SELECT covenant_id, covenant_version, roster_number FROM newest_policy");
  RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
  if (row) {
    newest.covenant_id = query.Bytes(0);
    newest.covenant_version = query.Uint32(1);
    newest.roster_number = static_cast<uint64_t>(query.Int(2));
  }
  return newest;
}

absl::Status StoreNewestRow(Connection& connection, const policy::Newest& newest) {
  // The WHERE is the guard against rollback: a restored file or a second process cannot lower what was seen.
  RAAKVLAK_RETURN_IF_ERROR(
      connection
          .Query("INSERT INTO newest_policy(one, covenant_id, covenant_version, roster_number) VALUES(1, ?, "
                 "?, ?)"
                 " ON CONFLICT(one) DO UPDATE SET covenant_id = excluded.covenant_id,"
                 " covenant_version = excluded.covenant_version, roster_number = excluded.roster_number"
                 " WHERE excluded.covenant_version >= covenant_version AND excluded.roster_number >= "
                 "roster_number")
          .BindBlob(newest.covenant_id)
          .Bind(newest.covenant_version)
          .Bind(newest.roster_number)
          .Run());
  if (connection.Changes() == 1) return absl::OkStatus();
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kStorageFailed,
                     "a newer covenant or roster was stored before");
}

}  // namespace raakvlak::storage
