// FakeAudit: an audit log in memory that can be told to fail.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/storage/audit.h"

namespace raakvlak::server {

class FakeAudit final : public storage::AuditAppender {
 public:
  absl::StatusOr<storage::Logged> AppendAudit(const storage::AuditEntry& entry) override {
    base::MutexLock lock(mutex_);
    if (room == 0)
      return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed, "disk full");
    --room;
    entries_.push_back(entry);
    return storage::Logged{{2026, entries_.size() - 1}, entry.time_ms, "", ""};
  }
  std::vector<storage::AuditEntry> entries() {
    base::MutexLock lock(mutex_);
    return entries_;
  }
  // "actor role action object result count", of all entries since the last call.
  std::vector<std::string> TakeLines() {
    base::MutexLock lock(mutex_);
    std::vector<std::string> lines;
    for (; taken_ < entries_.size(); ++taken_) {
      const storage::AuditEntry& entry = entries_[taken_];
      lines.push_back(absl::StrCat(entry.actor, " ", entry.role, " ", entry.action, " ", entry.object, " ",
                                   entry.result, " ", entry.count));
    }
    return lines;
  }
  // How many more entries it takes.
  std::atomic<int> room = 1'000'000;

 private:
  base::Mutex mutex_;
  std::vector<storage::AuditEntry> entries_ ABSL_GUARDED_BY(mutex_);
  size_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace raakvlak::server
