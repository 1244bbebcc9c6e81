// RefusalCounter: refusals that may come in floods, as one audit entry per (actor, reason code, minute).
//
// Counting touches memory only, so that a caller who is refused for nothing cannot make the disk work. The
// entry {action "refuse", object the RPC, origin, result the code, count} is written when its minute has
// ended, or when the program ends. Its object or origin is "several" when there was more than one of them.
// Memory is bounded: actors beyond a number of (actor, code) pairs in one minute are counted together, as
// "others".
//
// It does NOT survive kill -9 or a power cut: up to a minute of counts is then lost. These callers got
// nothing but their refusal. While the log cannot be written minutes run together; the counts stay right.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "server/storage/audit.h"

namespace raakvlak::server {

class RefusalCounter {
 public:
  static constexpr char kOthers[] = "others";
  static constexpr char kSeveral[] = "several";
  static constexpr size_t kMaxPairs = 1000;

  // `audit` and `clock` outlive this.
  RefusalCounter(storage::AuditAppender& audit, const base::Clock& clock, size_t max_pairs = kMaxPairs)
      : audit_(audit), clock_(clock), max_pairs_(max_pairs) {}

  // Never blocks on storage. `actor` is a URN or a network; never a whole address.
  void Count(absl::string_view actor, absl::string_view role, absl::string_view method,
             absl::string_view origin, absl::string_view code);

  // WriteEnded writes the entries of minutes that have ended, WriteAll those of this one too. Durable when
  // they return. On an error (STORAGE_FAILED) what was not written is kept.
  absl::Status WriteEnded();
  absl::Status WriteAll();

 private:
  struct Calls {
    std::string role;
    std::string method;
    std::string origin;
    uint64_t count = 0;
  };
  // By actor and code.
  using Minute = std::map<std::pair<std::string, std::string>, Calls>;

  void EndMinute(int64_t now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(writing_);
  int64_t MinuteNow() const;

  storage::AuditAppender& audit_;
  const base::Clock& clock_;
  const size_t max_pairs_;
  // Held across the appends; taken before mutex_, which is not.
  base::Mutex writing_;
  base::Mutex mutex_;
  int64_t minute_ ABSL_GUARDED_BY(mutex_) = 0;
  Minute current_ ABSL_GUARDED_BY(mutex_);
  Minute ended_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::server
