// PeriodicJob: one background thread that runs a body at set times, from its start on, until it is stopped.
//
// Runs lie on a grid (start, start + interval, start + 2 * interval ...): a slow run delays none of the later
// ones, and runs that were missed are not made up for. The interval is asked anew before each wait, so that a
// new covenant works. The times are those of the machine, not of an injected clock: they decide when work is
// done, never what it does.
//
// Thread safety: Stop may be called from any thread; the body runs in one thread only.
#pragma once

#include <functional>
#include <thread>

#include "absl/time/time.h"
#include "base/mutex.h"

namespace raakvlak::base {

// NextRun is the first time of the grid that lies after `now`. REQUIRES: start <= now, interval > 0.
absl::Time NextRun(absl::Time start, absl::Duration interval, absl::Time now);

class PeriodicJob {
 public:
  // The first run is at once.
  PeriodicJob(std::function<absl::Duration()> interval, std::function<void()> body);
  // Stops.
  ~PeriodicJob();
  PeriodicJob(const PeriodicJob&) = delete;
  PeriodicJob& operator=(const PeriodicJob&) = delete;

  // Stop lets a run that is under way finish, and returns when the thread has ended. May be called again,
  // also at the same time.
  void Stop();

 private:
  void Run();

  const std::function<absl::Duration()> interval_;
  const std::function<void()> body_;
  Mutex mutex_;
  ConditionVariable stop_wanted_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Held by who waits for the thread: std::thread takes one at a time.
  Mutex joining_;
  std::thread thread_ ABSL_GUARDED_BY(joining_);
};

}  // namespace raakvlak::base
