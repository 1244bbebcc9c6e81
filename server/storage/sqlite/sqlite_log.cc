#include "server/storage/sqlite/sqlite_log.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::storage {
namespace {

constexpr int kIndexBits = 40;
constexpr uint64_t kMaxIndex = (uint64_t{1} << kIndexBits) - 1;
constexpr uint32_t kMaxYear = 9999;
// What one call may look at, and erase in one transaction: some tens of milliseconds.
constexpr size_t kMaxScan = 10'000;
constexpr uint64_t kEraseBatch = 10'000;

int64_t KeyOf(EntryId id) { return static_cast<int64_t>(uint64_t{id.year} << kIndexBits | id.index); }

EntryId IdOf(int64_t key) {
  return {static_cast<uint32_t>(key >> kIndexBits), static_cast<uint64_t>(key) & kMaxIndex};
}

// The key of the first entry that may be at or behind `id`, and of the last at or before it.
int64_t KeyFrom(EntryId id) {
  if (id.year > kMaxYear) return std::numeric_limits<int64_t>::max();
  return id.index > kMaxIndex ? KeyOf({id.year + 1, 0}) : KeyOf(id);
}
int64_t KeyUntil(EntryId id) { return KeyOf({std::min(id.year, kMaxYear), std::min(id.index, kMaxIndex)}); }

absl::Status Missing(const LogCodec& codec, EntryId id) {
  return base::Error(absl::StatusCode::kDataLoss, base::reason::kLogDamaged,
                     absl::StrCat("entry ", id.index, " of ", codec.Origin(id.year), " is missing"));
}

// LOG_DAMAGED when an entry is missing between `before` (nothing: the start of the log) and `next`, rows that
// follow each other.
absl::Status CheckNoGap(const LogCodec& codec, std::optional<EntryId> before, EntryId next) {
  const uint64_t index = before.has_value() && before->year == next.year ? before->index + 1 : 0;
  return next.index == index ? absl::OkStatus() : Missing(codec, {next.year, index});
}

absl::StatusOr<std::optional<LogHead>> HeadOf(Connection& connection, const LogCodec& codec) {
  Statement query = connection.Query("SELECT entry, leaf FROM log_leaf ORDER BY entry DESC LIMIT 1");
  RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
  if (!row) return std::optional<LogHead>();
  RAAKVLAK_ASSIGN_OR_RETURN(const StoredEntry last, codec.OpenErased(IdOf(query.Int(0)), query.Bytes(1)));
  return std::optional<LogHead>(LogHead{last.id, last.time_ms});
}

absl::StatusOr<std::vector<LogSize>> SizesOf(Connection& connection) {
  std::vector<LogSize> logs;
  int64_t before = std::numeric_limits<int64_t>::max();
  while (true) {
    Statement query =
        connection.Query("SELECT entry FROM log_leaf WHERE entry < ? ORDER BY entry DESC LIMIT 1");
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Bind(before).Step());
    if (!row) break;
    const EntryId last = IdOf(query.Int(0));
    logs.push_back({last.year, last.index + 1});
    before = KeyOf({last.year, 0});
  }
  std::reverse(logs.begin(), logs.end());
  return logs;
}

absl::StatusOr<int64_t> TimeOf(Connection& connection, const LogCodec& codec, EntryId id) {
  Statement query = connection.Query("SELECT leaf FROM log_leaf WHERE entry = ?");
  RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Bind(KeyOf(id)).Step());
  RAAKVLAK_ASSIGN_OR_RETURN(const StoredEntry stored, codec.OpenErased(id, row ? query.Bytes(0) : ""));
  return stored.time_ms;
}

// The first index of the log from `low` on with a time of `time_ms` or later; its size when there is none.
// Times never go back, so it halves.
absl::StatusOr<uint64_t> FirstSince(Connection& connection, const LogCodec& codec, LogSize log, uint64_t low,
                                    int64_t time_ms) {
  uint64_t high = log.size;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    RAAKVLAK_ASSIGN_OR_RETURN(const int64_t found, TimeOf(connection, codec, {log.year, middle}));
    if (found < time_ms) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// The id of the first entry at `time_ms` or later, of all logs; behind all when there is none.
absl::StatusOr<EntryId> FirstSince(Connection& connection, const LogCodec& codec, int64_t time_ms) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<LogSize> logs, SizesOf(connection));
  for (const LogSize& log : logs) {
    RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t index, FirstSince(connection, codec, log, 0, time_ms));
    if (index < log.size) return EntryId{log.year, index};
  }
  return kLastEntry;
}

// Up to where details of that year were erased, exclusive.
absl::StatusOr<uint64_t> ErasedUntil(Connection& connection, uint32_t year) {
  Statement query = connection.Query("SELECT until FROM log_erased WHERE year = ?");
  RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Bind(year).Step());
  return row ? static_cast<uint64_t>(query.Int(0)) : 0;
}

// Of a row with entry, leaf and sealed.
absl::StatusOr<StoredEntry> OpenRow(Connection& connection, const LogCodec& codec, const Statement& row) {
  const EntryId id = IdOf(row.Int(0));
  if (!row.IsNull(2)) return codec.Open(id, row.Bytes(1), row.Bytes(2));
  RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t until, ErasedUntil(connection, id.year));
  // Gone without an erasure: as what fits no leaf.
  if (id.index >= until) return codec.Open(id, row.Bytes(1), "");
  return codec.OpenErased(id, row.Bytes(1));
}

absl::Status InsertRow(Connection& connection, const LogCodec& codec, const Logged& logged) {
  if (logged.id.index > kMaxIndex) {
    return base::Error(absl::StatusCode::kResourceExhausted, base::reason::kStorageFailed, "the log is full");
  }
  const int64_t key = KeyOf(logged.id);
  RAAKVLAK_RETURN_IF_ERROR(connection.Query("INSERT INTO log_leaf(entry, leaf) VALUES(?, ?)")
                               .Bind(key)
                               .BindBlob(LeafOf(logged))
                               .Run());
  return connection.Query("INSERT INTO log_detail(entry, sealed) VALUES(?, ?)")
      .Bind(key)
      .BindBlob(codec.Seal(logged))
      .Run();
}

absl::Status CheckKey(Connection& connection, const LogCodec& codec) {
  RAAKVLAK_RETURN_IF_ERROR(
      connection.Query("INSERT INTO log_key(one, value) VALUES(1, ?) ON CONFLICT DO NOTHING")
          .BindBlob(codec.KeyCheck())
          .Run());
  Statement query = connection.Query("SELECT value FROM log_key");
  RAAKVLAK_RETURN_IF_ERROR(query.Step().status());
  return codec.CheckKey(query.Bytes(0));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteAuditLog>> SqliteAuditLog::Open(Database& database, LogCodec codec) {
  RAAKVLAK_RETURN_IF_ERROR(
      database.Write("log_key", [&](Connection& connection) { return CheckKey(connection, codec); }));
  return std::unique_ptr<SqliteAuditLog>(new SqliteAuditLog(database, std::move(codec)));
}

absl::StatusOr<Logged> SqliteAuditLog::Append(Connection& connection, const AuditEntry& entry) const {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<LogHead> head, HeadOf(connection, codec_));
  std::vector<Logged> sequence = codec_.Sequence(head, entry);
  for (const Logged& logged : sequence) RAAKVLAK_RETURN_IF_ERROR(InsertRow(connection, codec_, logged));
  return std::move(sequence.back());
}

absl::StatusOr<std::vector<LogSize>> SqliteAuditLog::Logs() {
  std::vector<LogSize> logs;
  RAAKVLAK_RETURN_IF_ERROR(database_.Read("logs", [&](Connection& connection) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(logs, SizesOf(connection));
    return absl::OkStatus();
  }));
  return logs;
}

absl::StatusOr<std::vector<std::string>> SqliteAuditLog::ReadLeaves(uint32_t year, uint64_t from,
                                                                    size_t limit) {
  std::vector<std::string> leaves;
  RAAKVLAK_RETURN_IF_ERROR(database_.Read("read_leaves", [&](Connection& connection) -> absl::Status {
    Statement query =
        connection.Query("SELECT entry, leaf FROM log_leaf WHERE entry >= ? AND entry < ? ORDER BY entry");
    query.Bind(KeyFrom({year, from})).Bind(KeyFrom({std::min(year, kMaxYear) + 1, 0}));
    while (leaves.size() < limit) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) break;
      const EntryId expected = {year, from + leaves.size()};
      if (IdOf(query.Int(0)) != expected) return Missing(codec_, expected);
      leaves.push_back(query.Bytes(1));
    }
    return absl::OkStatus();
  }));
  return leaves;
}

absl::StatusOr<std::optional<StoredEntry>> SqliteAuditLog::Find(EntryId id) {
  std::optional<StoredEntry> found;
  if (id.year > kMaxYear || id.index > kMaxIndex) return found;
  RAAKVLAK_RETURN_IF_ERROR(database_.Read("find_entry", [&](Connection& connection) -> absl::Status {
    Statement query = connection.Query(
        "SELECT entry, leaf, sealed FROM log_leaf LEFT JOIN log_detail USING (entry) WHERE entry = ?");
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Bind(KeyOf(id)).Step());
    if (!row) return absl::OkStatus();
    RAAKVLAK_ASSIGN_OR_RETURN(found, OpenRow(connection, codec_, query));
    return absl::OkStatus();
  }));
  return found;
}

absl::StatusOr<AuditPage> SqliteAuditLog::ReadAudit(const AuditFilter& filter, EntryId start, size_t limit) {
  AuditPage page;
  RAAKVLAK_RETURN_IF_ERROR(database_.Read("read_audit", [&](Connection& connection) -> absl::Status {
    int64_t first = KeyFrom(kFirstEntry);
    int64_t last = KeyUntil(kLastEntry);
    if (filter.from_ms != 0) {
      RAAKVLAK_ASSIGN_OR_RETURN(const EntryId since, FirstSince(connection, codec_, filter.from_ms));
      first = KeyFrom(since);
    }
    if (filter.until_ms != 0) {
      RAAKVLAK_ASSIGN_OR_RETURN(const EntryId until, FirstSince(connection, codec_, filter.until_ms));
      last = std::min(last, KeyFrom(until) - 1);
    }
    if (filter.newest_first) {
      last = std::min(last, KeyUntil(start));
    } else {
      first = std::max(first, KeyFrom(start));
    }
    Statement rows = connection.Query(
        filter.newest_first ? "SELECT entry, leaf, sealed FROM log_leaf LEFT JOIN log_detail USING (entry)"
                              " WHERE entry BETWEEN ? AND ? ORDER BY entry DESC"
                            : "SELECT entry, leaf, sealed FROM log_leaf LEFT JOIN log_detail USING (entry)"
                              " WHERE entry BETWEEN ? AND ? ORDER BY entry");
    rows.Bind(first).Bind(last);
    const bool from_start = first == KeyFrom(kFirstEntry);
    std::optional<EntryId> previous;
    for (size_t scanned = 0;; ++scanned) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) {
        const bool reached_start = filter.newest_first && from_start && previous.has_value();
        return reached_start ? CheckNoGap(codec_, std::nullopt, *previous) : absl::OkStatus();
      }
      const EntryId id = IdOf(rows.Int(0));
      absl::Status whole;
      if (previous.has_value()) {
        whole = filter.newest_first ? CheckNoGap(codec_, id, *previous) : CheckNoGap(codec_, previous, id);
      } else if (from_start && !filter.newest_first) {
        whole = CheckNoGap(codec_, std::nullopt, id);
      }
      if (!whole.ok()) return whole;
      previous = id;
      if (page.entries.size() == limit || scanned == kMaxScan) {
        page.next = id;
        return absl::OkStatus();
      }
      RAAKVLAK_ASSIGN_OR_RETURN(StoredEntry stored, OpenRow(connection, codec_, rows));
      if (Matches(filter, stored)) page.entries.push_back(std::move(stored));
    }
  }));
  return page;
}

absl::StatusOr<uint64_t> SqliteAuditLog::EraseBatch(Connection& connection, int64_t before_ms, EntryId end,
                                                    const AuditEntry& proof) const {
  Statement oldest = connection.Query("SELECT entry FROM log_detail ORDER BY entry LIMIT 1");
  RAAKVLAK_ASSIGN_OR_RETURN(const bool row, oldest.Step());
  if (!row) return 0;
  const EntryId first = IdOf(oldest.Int(0));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<LogSize> logs, SizesOf(connection));
  const auto log =
      std::find_if(logs.begin(), logs.end(), [&](LogSize each) { return each.year == first.year; });
  if (log == logs.end()) return codec_.Open(first, "", "").status();
  RAAKVLAK_ASSIGN_OR_RETURN(uint64_t until, FirstSince(connection, codec_, *log, first.index, before_ms));
  until = std::min(until, first.index + kEraseBatch);
  if (first.year == end.year) until = std::min(until, end.index);
  if (first.year > end.year || until <= first.index) return 0;

  const EntryId last = {first.year, until - 1};
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t first_ms, TimeOf(connection, codec_, first));
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t last_ms, TimeOf(connection, codec_, last));
  RAAKVLAK_RETURN_IF_ERROR(
      connection
          .Query("INSERT INTO log_erased(year, until) VALUES(?, ?)"
                 " ON CONFLICT(year) DO UPDATE SET until = excluded.until WHERE excluded.until > until")
          .Bind(first.year)
          .Bind(until)
          .Run());
  RAAKVLAK_RETURN_IF_ERROR(connection.Query("DELETE FROM log_detail WHERE entry BETWEEN ? AND ?")
                               .Bind(KeyOf(first))
                               .Bind(KeyOf(last))
                               .Run());
  const uint64_t count = static_cast<uint64_t>(connection.Changes());
  RAAKVLAK_RETURN_IF_ERROR(
      Append(connection, codec_.Erasure(proof, first, last, first_ms, last_ms)).status());
  return count;
}

absl::StatusOr<uint64_t> SqliteAuditLog::EraseDetails(int64_t before_ms, const AuditEntry& proof) {
  // What is there now; not the entries that erasing itself adds.
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<LogSize> logs, Logs());
  if (logs.empty()) return 0;
  const EntryId end = {logs.back().year, logs.back().size};
  uint64_t total = 0;
  while (true) {
    uint64_t count = 0;
    RAAKVLAK_RETURN_IF_ERROR(database_.Write("erase_details", [&](Connection& connection) -> absl::Status {
      RAAKVLAK_ASSIGN_OR_RETURN(count, EraseBatch(connection, before_ms, end, proof));
      return absl::OkStatus();
    }));
    if (count == 0) return total;
    total += count;
  }
}

}  // namespace raakvlak::storage
