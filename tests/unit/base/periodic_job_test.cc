#include "base/periodic_job.h"

#include <gtest/gtest.h>

#include <atomic>

namespace raakvlak::base {
namespace {

TEST(NextRunTest, RunsStayOnTheGridHoweverLongTheyTake) {
  const absl::Time start = absl::FromUnixSeconds(1000);
  const absl::Duration interval = absl::Seconds(10);
  const auto next = [&](double after) {
    return absl::ToDoubleSeconds(NextRun(start, interval, start + absl::Seconds(after)) - start);
  };
  EXPECT_EQ(next(0), 10);
  EXPECT_EQ(next(0.001), 10);
  EXPECT_EQ(next(9.999), 10);
  EXPECT_EQ(next(10), 20) << "a run that takes exactly the interval is not repeated at once";
  EXPECT_EQ(next(25), 30) << "a run that was missed is not made up for";
  EXPECT_EQ(next(1'000'000'003), 1'000'000'010);
}

// A counter that can be waited for.
class Runs {
 public:
  void Count() {
    MutexLock lock(mutex_);
    ++runs_;
    changed_.NotifyAll();
  }
  void WaitFor(int runs) {
    MutexLock lock(mutex_);
    while (runs_ < runs) changed_.Wait(mutex_);
  }
  int count() {
    MutexLock lock(mutex_);
    return runs_;
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  int runs_ ABSL_GUARDED_BY(mutex_) = 0;
};

TEST(PeriodicJobTest, RunsAtOnceAndAgain) {
  Runs runs;
  PeriodicJob job([] { return absl::Milliseconds(1); }, [&] { runs.Count(); });
  runs.WaitFor(3);
}

TEST(PeriodicJobTest, StopDoesNotWaitForTheInterval) {
  Runs runs;
  PeriodicJob job([] { return absl::Hours(1000); }, [&] { runs.Count(); });
  runs.WaitFor(1);
  job.Stop();
  job.Stop();
  EXPECT_EQ(runs.count(), 1);
}

// A job in the middle of its first run.
struct LongRun {
  LongRun() { started.WaitFor(1); }
  Runs started;
  Runs may_finish;
  std::atomic<bool> finished = false;
  PeriodicJob job{[] { return absl::Hours(1000); },
                  [this] {
                    started.Count();
                    may_finish.WaitFor(1);
                    finished = true;
                  }};
};

TEST(PeriodicJobTest, StopLetsARunThatIsUnderWayFinish) {
  LongRun run;
  std::thread releaser([&] { run.may_finish.Count(); });
  run.job.Stop();
  EXPECT_TRUE(run.finished);
  releaser.join();
}

TEST(PeriodicJobTest, TwoMayStopItAtOnce) {
  LongRun run;
  Runs stopping;
  const auto stop = [&] {
    stopping.Count();
    run.job.Stop();
    EXPECT_TRUE(run.finished);
  };
  std::thread one(stop);
  std::thread other(stop);
  stopping.WaitFor(2);
  run.may_finish.Count();
  one.join();
  other.join();
}

TEST(PeriodicJobTest, IntervalOfZeroDoesNotSpinInPlace) {
  Runs runs;
  PeriodicJob job([] { return absl::ZeroDuration(); }, [&] { runs.Count(); });
  runs.WaitFor(2);
}

}  // namespace
}  // namespace raakvlak::base
