#include "server/storage/memory/memory_log.h"

#include <algorithm>
#include <map>

#include "base/status.h"

namespace raakvlak::storage {

MemoryLog::Entries::const_iterator MemoryLog::From(EntryId id) const {
  return std::lower_bound(entries_.begin(), entries_.end(), id,
                          [](const auto& stored, EntryId wanted) { return stored->id < wanted; });
}

Logged MemoryLog::Append(const LogCodec& codec, const AuditEntry& entry) {
  std::optional<LogHead> head;
  if (!entries_.empty()) head = LogHead{entries_.back()->id, entries_.back()->time_ms};
  std::vector<Logged> sequence = codec.Sequence(head, entry);
  for (const Logged& logged : sequence) {
    // By way of the codec, so that what is read is what another store would read.
    absl::StatusOr<StoredEntry> stored = codec.Open(logged.id, LeafOf(logged), codec.Seal(logged));
    RAAKVLAK_CHECK(stored.ok(), "what was sealed opens");
    entries_.push_back(std::make_shared<const StoredEntry>(*std::move(stored)));
  }
  return std::move(sequence.back());
}

MemoryAuditLog::MemoryAuditLog(std::string urn, Access access)
    : codec_(std::move(urn), base::SecretBytes::Generate(random_, 32), random_), access_(std::move(access)) {}

absl::StatusOr<std::vector<LogSize>> MemoryAuditLog::Logs() {
  std::vector<LogSize> logs;
  access_([&](MemoryLog& log) {
    for (const auto& stored : log.entries_) {
      if (logs.empty() || logs.back().year != stored->id.year) logs.push_back({stored->id.year, 0});
      ++logs.back().size;
    }
  });
  return logs;
}

absl::StatusOr<std::vector<std::string>> MemoryAuditLog::ReadLeaves(uint32_t year, uint64_t from,
                                                                    size_t limit) {
  std::vector<std::string> leaves;
  access_([&](MemoryLog& log) {
    for (auto it = log.From({year, from}); it != log.entries_.end() && leaves.size() < limit; ++it) {
      if ((*it)->id.year == year) leaves.push_back((*it)->leaf);
    }
  });
  return leaves;
}

absl::StatusOr<std::optional<StoredEntry>> MemoryAuditLog::Find(EntryId id) {
  std::optional<StoredEntry> found;
  access_([&](MemoryLog& log) {
    const auto it = log.From(id);
    if (it != log.entries_.end() && (*it)->id == id) found = **it;
  });
  return found;
}

absl::StatusOr<AuditPage> MemoryAuditLog::ReadAudit(const AuditFilter& filter, EntryId start, size_t limit) {
  AuditPage page;
  const auto take = [&](const StoredEntry& stored) {
    if (page.entries.size() == limit) page.next = stored.id;
    if (page.next.has_value()) return false;
    if (Matches(filter, stored)) page.entries.push_back(stored);
    return true;
  };
  access_([&](MemoryLog& log) {
    const auto& all = log.entries_;
    auto it = log.From(start);
    if (filter.newest_first) {
      if (it != all.end() && (*it)->id == start) ++it;
      while (it != all.begin() && take(**--it)) {
      }
    } else {
      while (it != all.end() && take(**it)) ++it;
    }
  });
  return page;
}

absl::StatusOr<uint64_t> MemoryAuditLog::EraseDetails(int64_t before_ms, const AuditEntry& proof) {
  uint64_t count = 0;
  access_([&](MemoryLog& log) {
    std::map<uint32_t, std::vector<std::shared_ptr<const StoredEntry>>> years;
    for (auto& stored : log.entries_) {
      if (stored->erased || stored->time_ms >= before_ms) continue;
      years[stored->id.year].push_back(stored);
      absl::StatusOr<StoredEntry> left = codec_.OpenErased(stored->id, stored->leaf);
      RAAKVLAK_CHECK(left.ok(), "it was a leaf");
      stored = std::make_shared<const StoredEntry>(*std::move(left));
    }
    for (const auto& [year, erased] : years) {
      log.Append(codec_, codec_.Erasure(proof, erased.front()->id, erased.back()->id, erased.front()->time_ms,
                                        erased.back()->time_ms));
      count += erased.size();
    }
  });
  return count;
}

}  // namespace raakvlak::storage
