#include "base/executor.h"

#include <atomic>

#include "gtest/gtest.h"

namespace raakvlak::base {
namespace {

TEST(ExecutorTest, DrainRunsAllThatWasPosted) {
  std::atomic<int> done = 0;
  Executor executor(3, 1000);
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(executor.Post([&] { ++done; }));
  executor.Drain();
  EXPECT_EQ(done, 500);
}

TEST(ExecutorTest, FullQueueRefusesWork) {
  Mutex gate;
  gate.Lock();
  std::atomic<bool> started = false;
  Executor executor(1, 2);
  ASSERT_TRUE(executor.Post([&] {
    started = true;
    MutexLock wait(gate);
  }));
  while (!started) std::this_thread::yield();
  EXPECT_TRUE(executor.Post([] {}));
  EXPECT_TRUE(executor.Post([] {}));
  EXPECT_FALSE(executor.Post([] {}));
  gate.Unlock();
}

TEST(ExecutorTest, DrainedExecutorRefusesWork) {
  Executor executor(1, 10);
  executor.Drain();
  EXPECT_FALSE(executor.Post([] {}));
}

}  // namespace
}  // namespace raakvlak::base
