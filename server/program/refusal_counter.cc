#include "server/program/refusal_counter.h"

#include "base/status.h"

namespace raakvlak::server {

int64_t RefusalCounter::MinuteNow() const { return absl::ToInt64Minutes(clock_.Now() - absl::UnixEpoch()); }

void RefusalCounter::EndMinute(int64_t now) {
  if (now == minute_) return;
  // The minute before is still being written, or cannot be: this one goes on.
  if (!ended_.empty() && !current_.empty()) return;
  if (!current_.empty()) std::swap(ended_, current_);
  minute_ = now;
}

void RefusalCounter::Count(absl::string_view actor, absl::string_view role, absl::string_view method,
                           absl::string_view origin, absl::string_view code) {
  base::MutexLock lock(mutex_);
  EndMinute(MinuteNow());
  std::pair<std::string, std::string> key(actor, code);
  if (current_.size() >= max_pairs_ && !current_.contains(key)) {
    key.first = kOthers;
    role = "";
  }
  Calls& calls = current_[key];
  if (calls.count == 0) {
    calls.role = std::string(role);
    calls.method = std::string(method);
    calls.origin = std::string(origin);
  }
  if (calls.method != method) calls.method = kSeveral;
  if (calls.origin != origin) calls.origin = kSeveral;
  ++calls.count;
}

absl::Status RefusalCounter::Write() {
  while (true) {
    storage::AuditEntry entry;
    {
      base::MutexLock lock(mutex_);
      if (ended_.empty()) return absl::OkStatus();
      const auto& [key, calls] = *ended_.begin();
      entry.actor = key.first;
      entry.result = key.second;
      entry.role = calls.role;
      entry.object = calls.method;
      entry.origin = calls.origin;
      entry.count = calls.count;
    }
    entry.time_ms = absl::ToUnixMillis(clock_.Now());
    entry.action = "refuse";
    RAAKVLAK_RETURN_IF_ERROR(audit_.AppendAudit(entry).status());
    base::MutexLock lock(mutex_);
    ended_.erase(ended_.begin());
  }
}

absl::Status RefusalCounter::WriteEnded() {
  base::MutexLock writing(writing_);
  {
    base::MutexLock lock(mutex_);
    EndMinute(MinuteNow());
  }
  return Write();
}

absl::Status RefusalCounter::WriteAll() {
  base::MutexLock writing(writing_);
  RAAKVLAK_RETURN_IF_ERROR(Write());
  {
    base::MutexLock lock(mutex_);
    if (ended_.empty()) std::swap(ended_, current_);
  }
  return Write();
}

}  // namespace raakvlak::server
