// MemoryLog: the logs of one process in memory; a plain value that memory stores keep in their state, so that
// it is copied and rolled back with it. MemoryAuditLog: the AuditLog on top. Nothing is encrypted.
//
// Thread safety: MemoryLog has none of its own; MemoryAuditLog as AuditLog.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/random.h"
#include "server/storage/audit.h"
#include "server/storage/log_codec.h"

namespace raakvlak::storage {

class MemoryLog {
 public:
  Logged Append(const LogCodec& codec, const AuditEntry& entry);

 private:
  friend class MemoryAuditLog;
  using Entries = std::vector<std::shared_ptr<const StoredEntry>>;
  // The first entry at or behind `id`.
  Entries::const_iterator From(EntryId id) const;

  Entries entries_;  // in order
};

class MemoryAuditLog final : public AuditLog {
 public:
  // Calls its argument with the log, under the store's lock.
  using Access = std::function<void(absl::FunctionRef<void(MemoryLog&)>)>;
  MemoryAuditLog(std::string urn, Access access);

  const LogCodec& codec() const { return codec_; }

  std::string Origin(uint32_t year) const override { return codec_.Origin(year); }
  absl::StatusOr<std::vector<LogSize>> Logs() override;
  absl::StatusOr<std::vector<std::string>> ReadLeaves(uint32_t year, uint64_t from, size_t limit) override;
  absl::StatusOr<std::optional<StoredEntry>> Find(EntryId id) override;
  absl::StatusOr<AuditPage> ReadAudit(const AuditFilter& filter, EntryId start, size_t limit) override;
  absl::StatusOr<uint64_t> EraseDetails(int64_t before_ms, const AuditEntry& proof) override;

 private:
  base::SystemRandom random_;
  const LogCodec codec_;
  const Access access_;
};

}  // namespace raakvlak::storage
