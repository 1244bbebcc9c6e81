// SqliteAuditLog: the logs of one process in its SQLite file, beside what else it keeps there.
//
// An entry is one row in log_leaf and one in log_detail, both keyed by year * 2^40 + index, so that appending
// is at the end of both tables and costs the same however much is stored. log_leaf never changes; rows of
// log_detail go only through EraseDetails, which says up to where in log_erased. The details key is not in
// the file. secure_delete overwrites what is erased; a copy may stay in the WAL until that is
// written over, after the next checkpoint.
//
// Thread safety: see AuditLog; Append as the connection handed in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/storage/audit.h"
#include "server/storage/log_codec.h"
#include "server/storage/sqlite/database.h"

namespace raakvlak::storage {

class SqliteAuditLog final : public AuditLog {
 public:
  // `database` has kProcessSchema and outlives the log. VERIFICATION_FAILED when its entries were made with
  // another details key or by another process; STORAGE_FAILED.
  static absl::StatusOr<std::unique_ptr<SqliteAuditLog>> Open(Database& database, LogCodec codec);

  // Within a Write of the database.
  absl::StatusOr<Logged> Append(Connection& connection, const AuditEntry& entry) const;

  const LogCodec& codec() const { return codec_; }

  std::string Origin(uint32_t year) const override { return codec_.Origin(year); }
  absl::StatusOr<std::vector<LogSize>> Logs() override;
  absl::StatusOr<std::vector<std::string>> ReadLeaves(uint32_t year, uint64_t from, size_t limit) override;
  absl::StatusOr<std::optional<StoredEntry>> Find(EntryId id) override;
  absl::StatusOr<AuditPage> ReadAudit(const AuditFilter& filter, EntryId start, size_t limit) override;
  absl::StatusOr<uint64_t> EraseDetails(int64_t before_ms, const AuditEntry& proof) override;

 private:
  SqliteAuditLog(Database& database, LogCodec codec) : database_(database), codec_(std::move(codec)) {}
  absl::StatusOr<uint64_t> EraseBatch(Connection& connection, int64_t before_ms, EntryId end,
                                      const AuditEntry& proof) const;

  Database& database_;
  const LogCodec codec_;
};

}  // namespace raakvlak::storage
