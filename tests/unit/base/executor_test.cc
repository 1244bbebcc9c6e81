#include "base/executor.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

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

TEST(ExecutorTest, ThreadsThatDrainAtOnceAllReturnWhenTheWorkIsDone) {
  for (int round = 0; round < 50; ++round) {
    std::promise<void> gate;
    const std::shared_future<void> opened = gate.get_future().share();
    std::atomic<int> done = 0;
    std::atomic<int> arrived = 0;
    Executor executor(2, 10);
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(executor.Post([&done, opened] {
        opened.wait();
        ++done;
      }));
    }
    std::vector<std::thread> drainers;
    for (int i = 0; i < 3; ++i) {
      drainers.emplace_back([&] {
        ++arrived;
        executor.Drain();
        EXPECT_EQ(done, 4);
      });
    }
    while (arrived < 3) std::this_thread::yield();
    gate.set_value();
    for (std::thread& drainer : drainers) drainer.join();
  }
}

}  // namespace
}  // namespace raakvlak::base
