// Logs in tests: a codec, and what stands in a log. For tests only.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/secret.h"
#include "base/status.h"
#include "server/storage/audit.h"
#include "server/storage/log_codec.h"

namespace raakvlak::storage::testing {

// WARNING: everybody knows the key.
inline LogCodec TestCodec(const std::string& urn = "urn:raakvlak:maastricht:broker:test") {
  static base::SystemRandom random;
  return LogCodec(urn, base::SecretBytes(std::string(32, 'd')), random);
}

// All entries that `filter` finds, read in pages. Aborts when the log cannot be read.
inline std::vector<StoredEntry> StoredEntries(AuditLog& log, const AuditFilter& filter = {}) {
  std::vector<StoredEntry> found;
  std::optional<EntryId> next = filter.newest_first ? kLastEntry : kFirstEntry;
  while (next.has_value()) {
    auto page = log.ReadAudit(filter, *next, 1000);
    RAAKVLAK_CHECK(page.ok(), "the log can be read");
    for (StoredEntry& stored : page->entries) found.push_back(std::move(stored));
    next = page->next;
  }
  return found;
}

inline std::vector<AuditEntry> Entries(AuditLog& log, const AuditFilter& filter = {}) {
  std::vector<AuditEntry> entries;
  for (StoredEntry& stored : StoredEntries(log, filter)) entries.push_back(std::move(stored.entry));
  return entries;
}

}  // namespace raakvlak::storage::testing
