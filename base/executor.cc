#include "base/executor.h"

#include <utility>

#include "base/status.h"

namespace raakvlak::base {

Executor::Executor(int threads, size_t max_queued) : max_queued_(max_queued) {
  RAAKVLAK_CHECK(threads >= 1, "an executor has a thread");
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

Executor::~Executor() { Drain(); }

bool Executor::Post(std::function<void()> work) {
  MutexLock lock(mutex_);
  if (draining_ || queue_.size() >= max_queued_) return false;
  queue_.push_back(std::move(work));
  wakeup_.NotifyOne();
  return true;
}

void Executor::Drain() {
  {
    MutexLock lock(mutex_);
    draining_ = true;
    wakeup_.NotifyAll();
  }
  MutexLock lock(join_mutex_);
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

void Executor::Run() {
  while (true) {
    std::function<void()> work;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !draining_) wakeup_.Wait(mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace raakvlak::base
