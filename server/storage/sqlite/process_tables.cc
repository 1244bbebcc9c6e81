#include "server/storage/sqlite/process_tables.h"

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::storage {
absl::StatusOr<policy::Newest> LoadNewestRow(Connection& connection) {
  policy::Newest newest;
  Statement query =
      connection.Query("SELECT covenant_id, covenant_version, roster_number, roster_id FROM newest_policy");
  RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
  if (row) {
    newest.covenant_id = query.Bytes(0);
    newest.covenant_version = query.Uint32(1);
    newest.roster_number = static_cast<uint64_t>(query.Int(2));
    newest.roster_id = query.Bytes(3);
  }
  return newest;
}

absl::Status StoreNewestRow(Connection& connection, const policy::Newest& newest) {
  // The WHERE is the guard against rollback: a restored file or a second process cannot lower what was seen.
  RAAKVLAK_RETURN_IF_ERROR(
      connection
          .Query("INSERT INTO newest_policy(one, covenant_id, covenant_version, roster_number, roster_id)"
                 " VALUES(1, ?, ?, ?, ?)"
                 " ON CONFLICT(one) DO UPDATE SET covenant_id = excluded.covenant_id,"
                 " covenant_version = excluded.covenant_version, roster_number = excluded.roster_number,"
                 " roster_id = excluded.roster_id"
                 " WHERE (excluded.covenant_version > covenant_version OR (excluded.covenant_version ="
                 " covenant_version AND excluded.covenant_id = covenant_id))"
                 " AND (excluded.roster_number > roster_number OR (excluded.roster_number = roster_number AND"
                 " excluded.roster_id = roster_id))")
          .BindBlob(newest.covenant_id)
          .Bind(newest.covenant_version)
          .Bind(newest.roster_number)
          .BindBlob(newest.roster_id)
          .Run());
  if (connection.Changes() == 1) return absl::OkStatus();
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kStorageFailed,
                     "a newer covenant or roster was stored before");
}

}  // namespace raakvlak::storage
