// Outbox: hands out the queued signals, purpose by purpose and oldest first, and knows what waits and why.
//
// Signals lie in the store; this holds only where each purpose stands, so a restart loses nothing and starts
// from the oldest. Workers Claim units and say how each went: after a failure the purpose rests (0.2 s,
// doubling to 30 s) and is then walked through again from its oldest signal, once no unit of it is under way,
// so that no two workers ever have one signal.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "server/storage/node_store.h"

namespace raakvlak::node {

// Backoff: how long to rest after failures. Thread safety: none of its own.
class Backoff {
 public:
  void Failed(absl::Time now);
  void Succeeded() { failures_ = 0, rest_until_ = absl::InfinitePast(); }
  bool MayTry(absl::Time now) const;

 private:
  int failures_ = 0;
  absl::Time rest_until_ = absl::InfinitePast();
};

class Outbox {
 public:
  // Both outlive the outbox.
  Outbox(storage::NodeStore& store, const base::Clock& clock) : store_(store), clock_(clock) {}

  struct Unit {
    std::string purpose;
    std::vector<storage::NodeSignal> signals;
  };
  // Claim takes up to `limit` signals of one purpose, nothing when all that is queued is claimed or rests.
  // Every unit must be handed back by Done. STORAGE_FAILED.
  absl::StatusOr<std::optional<Unit>> Claim(size_t limit);
  // Done ends a unit. An error says that some of it is still queued, and why.
  void Done(const Unit& unit, const absl::Status& outcome);

  // Why the signals of `purpose` wait: the reason of the last failure; empty when they do not.
  std::string WaitingReason(absl::string_view purpose) const;

  // Whether some purpose rests after a failure.
  bool IsResting() const;

  // Notify wakes the workers: there is something new. Wait returns when Notify was called since `seen` (what
  // Generation said), or after `timeout`.
  void Notify();
  uint64_t Generation() const;
  void Wait(uint64_t seen, absl::Duration timeout);

 private:
  struct Lane {
    uint64_t claimed_up_to = 0;
    int under_way = 0;
    bool again = false;
    Backoff backoff;
    std::string reason;
  };

  storage::NodeStore& store_;
  const base::Clock& clock_;
  mutable base::Mutex mutex_;
  base::ConditionVariable wakeup_;
  std::map<std::string, Lane, std::less<>> lanes_ ABSL_GUARDED_BY(mutex_);
  std::string last_purpose_ ABSL_GUARDED_BY(mutex_);
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace raakvlak::node
