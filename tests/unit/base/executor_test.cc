#include "base/executor.h"

#include <atomic>
#include <future>

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
  std::promise<void> gate;
  const std::shared_future<void> opened = gate.get_future().share();
  std::atomic<bool> started = false;
  Executor executor(1, 2);
  ASSERT_TRUE(executor.Post([&started, opened] {
    started = true;
    opened.wait();
  }));
  while (!started) std::this_thread::yield();
  EXPECT_TRUE(executor.Post([] {}));
  EXPECT_TRUE(executor.Post([] {}));
  EXPECT_FALSE(executor.Post([] {}));
  gate.set_value();
}

TEST(ExecutorTest, DrainedExecutorRefusesWork) {
  Executor executor(1, 10);
  executor.Drain();
  EXPECT_FALSE(executor.Post([] {}));
}

}  // namespace
}  // namespace raakvlak::base
