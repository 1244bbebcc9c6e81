// Executor: a fixed pool of threads with a bounded queue. gRPC's callback handlers hand their work to one,
// because a callback may not block. Thread safety: all methods may be called from any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace raakvlak::base {

class Executor {
 public:
  // REQUIRES: threads >= 1.
  Executor(int threads, size_t max_queued);
  // Runs what is queued, then joins.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Post queues `work`. Returns false, and does not run it, when the queue is full or Drain was called.
  [[nodiscard]] bool Post(std::function<void()> work);

  // Drain stops accepting work and returns when all that was queued has run. May be called again, also while
  // another thread drains. REQUIRES: not called by work that this executor runs.
  void Drain();

 private:
  void Run();

  const size_t max_queued_;
  Mutex mutex_;
  ConditionVariable wakeup_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  // Held while joining: who drains at the same time waits for that, because a thread is joined once.
  Mutex join_mutex_;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(join_mutex_);
};

}  // namespace raakvlak::base
