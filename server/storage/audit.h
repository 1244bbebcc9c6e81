// The audit log as the processes see it: append inside a transaction, read by place.
//
// A log belongs to one process and one calendar year (UTC); its origin is the process's URN, "/" and the year
// ("urn:raakvlak:maastricht:broker:centrum/2026"). Entries are numbered from 0 without gaps, in the order in
// which they were committed, and their times never go back. An entry is appended in the transaction of the
// effect it records, and an answer leaves only after that transaction is durable.
//
// What the log commits to is a leaf of 41 bytes (crypto/tlog/leaf.h), which stays for ever. Details and salt
// stand apart, encrypted, and go when their term ends: an erased entry still has its place, time and leaf.
//
// The first entry of a later year is preceded, in the same transaction, by "log_end" in the old log (object:
// the next origin; time: the last millisecond of its year) and "log_start" in the new one (object: the
// previous origin, a blank, and its final size). A clock that goes back never reopens an old log: such an
// entry gets the time of the entry before it.
//
// Entries hold no identifier and no content. Every method may return STORAGE_FAILED; only further reasons are
// named.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::storage {

// The place of an entry in the logs of one process.
struct EntryId {
  uint32_t year = 0;
  uint64_t index = 0;
  auto operator<=>(const EntryId&) const = default;
};

// Before and behind every entry.
inline constexpr EntryId kFirstEntry = {0, 0};
inline constexpr EntryId kLastEntry = {std::numeric_limits<uint32_t>::max(),
                                       std::numeric_limits<uint64_t>::max()};

// As raakvlak.v1.AuditDetails, which documents the fields.
struct AuditEntry {
  int64_t time_ms = 0;
  std::string actor;
  std::string role;
  std::string action;
  std::string object;
  std::string purpose;
  std::string legal_basis;
  std::string case_reference;
  std::string reason;
  std::string result = "OK";
  uint64_t count = 0;
  std::string order_hash;  // 32 bytes, or empty
  std::string batch_root;  // 32 bytes, or empty
  std::string policy;
  std::string origin;    // address prefix that the call came from, "127.0.0.0/24"; empty for jobs
  std::string trace_id;  // W3C trace id, 32 lower-case hexadecimal digits; empty for jobs
};

// An entry as it was appended: what a receipt needs. leaf = crypto::tlog::MakeLeaf(time_ms, salt, details).
struct Logged {
  EntryId id;
  int64_t time_ms = 0;
  std::string salt;     // 32 bytes
  std::string details;  // serialised raakvlak.v1.AuditDetails; never serialise it again
};

struct StoredEntry {
  EntryId id;
  int64_t time_ms = 0;
  std::string leaf;  // 41 bytes
  // Salt and details are gone; of `entry` only the time is there.
  bool erased = false;
  std::string salt;
  std::string details;
  AuditEntry entry;
};

// Equal to all that is set; empty strings and zeros match everything. Of erased entries only the time is left
// to compare: a filter with any word finds none of them.
struct AuditFilter {
  std::string actor;
  std::string action;
  std::string purpose;
  std::string case_reference;
  std::string result;
  int64_t from_ms = 0;
  int64_t until_ms = 0;  // exclusive
  bool newest_first = false;
};

bool Matches(const AuditFilter& filter, const StoredEntry& stored);

struct LogSize {
  uint32_t year = 0;
  uint64_t size = 0;
};

struct AuditPage {
  std::vector<StoredEntry> entries;
  // Where to go on. Set although the page is short (even empty) when a call has looked at all it may; not set
  // when nothing is left.
  std::optional<EntryId> next;
};

class AuditAppender {
 public:
  virtual ~AuditAppender() = default;
  // After an error the transaction must not commit.
  virtual absl::StatusOr<Logged> AppendAudit(const AuditEntry& entry) = 0;
};

// The reading side. Thread safety: all methods may be called from any thread.
class AuditLog {
 public:
  virtual ~AuditLog() = default;

  // "urn:raakvlak:maastricht:broker:centrum/2026".
  virtual std::string Origin(uint32_t year) const = 0;
  // Oldest first. Cost does not depend on the sizes.
  virtual absl::StatusOr<std::vector<LogSize>> Logs() = 0;
  // Up to `limit` leaves from index `from` on, without looking at details. LOG_DAMAGED when one is missing.
  virtual absl::StatusOr<std::vector<std::string>> ReadLeaves(uint32_t year, uint64_t from, size_t limit) = 0;
  // VERIFICATION_FAILED when the details are not what the leaf commits to, do not decrypt, or are gone
  // without having been erased.
  virtual absl::StatusOr<std::optional<StoredEntry>> Find(EntryId id) = 0;
  // Up to `limit` matching entries with id >= `start` (newest_first: <= `start`), in that order. Errors of
  // Find and ReadLeaves. One call looks at no more than some thousand entries.
  virtual absl::StatusOr<AuditPage> ReadAudit(const AuditFilter& filter, EntryId start, size_t limit) = 0;

  // EraseDetails deletes salt and details of all entries before `before_ms`, and returns how many. Leaves
  // stay. Each transaction of it appends `proof`, with its count, and as object the origin, the first and the
  // last index erased and their period: "urn:.../2026 0-99 2026-01-01T00:00:00Z/2026-01-31T23:59:59Z".
  virtual absl::StatusOr<uint64_t> EraseDetails(int64_t before_ms, const AuditEntry& proof) = 0;
};

}  // namespace raakvlak::storage
