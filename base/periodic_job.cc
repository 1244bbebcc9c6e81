#include "base/periodic_job.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"

namespace raakvlak::base {

absl::Time NextRun(absl::Time start, absl::Duration interval, absl::Time now) {
  return start + absl::Floor(now - start, interval) + interval;
}

PeriodicJob::PeriodicJob(std::function<absl::Duration()> interval, std::function<void()> body)
    : interval_(std::move(interval)), body_(std::move(body)), thread_([this] { Run(); }) {}

PeriodicJob::~PeriodicJob() { Stop(); }

void PeriodicJob::Stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_wanted_.NotifyAll();
  MutexLock lock(joining_);
  if (thread_.joinable()) thread_.join();
}

void PeriodicJob::Run() {
  absl::Time start = absl::Now();
  while (true) {
    body_();
    const absl::Time done = absl::Now();
    // The machine's clock was set back: a grid that begins in the future would stand still until then.
    start = std::min(start, done);
    const absl::Time next = NextRun(start, std::max(interval_(), absl::Milliseconds(1)), done);
    MutexLock lock(mutex_);
    for (absl::Time now = done; !stopping_ && now < next && now >= start; now = absl::Now()) {
      stop_wanted_.WaitFor(mutex_, next - now);
    }
    if (stopping_) return;
  }
}

}  // namespace raakvlak::base
