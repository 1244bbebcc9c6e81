#include "server/node/outbox.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "server/storage/memory/node_store.h"

namespace raakvlak::node {
namespace {

class OutboxTest : public ::testing::Test {
 protected:
  void Queue(const std::string& purpose, int count) {
    for (int i = 0; i < count; ++i) {
      storage::NodeSignal signal;
      signal.signal_id = std::string(8, 0) + base::BigEndian(++last_, 8);
      signal.reference_digest = std::string(24, 0) + base::BigEndian(last_, 8);
      signal.purpose = purpose;
      ASSERT_TRUE(
          store_
              .Write("test",
                     [&](storage::NodeTransaction& transaction) { return transaction.Insert(signal); })
              .ok());
    }
  }
  // Sequences of the unit that is claimed next; empty when there is none.
  std::vector<uint64_t> Claim(size_t limit = 10) {
    auto unit = outbox_.Claim(limit);
    EXPECT_TRUE(unit.ok());
    std::vector<uint64_t> sequences;
    if (!unit->has_value()) return sequences;
    for (const auto& signal : (*unit)->signals) sequences.push_back(signal.sequence);
    units_.push_back(**std::move(unit));
    return sequences;
  }
  void Fail(size_t unit) {
    outbox_.Done(units_[unit],
                 base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "away"));
  }
  void Succeed(size_t unit) { outbox_.Done(units_[unit], absl::OkStatus()); }

  using Sequences = std::vector<uint64_t>;
  base::testing::FakeClock clock_;
  storage::MemoryNodeStore store_;
  Outbox outbox_{store_, clock_};
  std::vector<Outbox::Unit> units_;
  uint64_t last_ = 0;
};

TEST_F(OutboxTest, EachSignalIsClaimedOnceOldestFirst) {
  Queue("p", 5);
  EXPECT_EQ(Claim(2), (Sequences{1, 2}));
  EXPECT_EQ(Claim(2), (Sequences{3, 4}));
  EXPECT_EQ(Claim(2), (Sequences{5}));
  EXPECT_EQ(Claim(2), Sequences{});
  Queue("p", 1);
  EXPECT_EQ(Claim(2), (Sequences{6}));
}

TEST_F(OutboxTest, PurposesTakeTurns) {
  Queue("a", 3);
  Queue("b", 3);
  EXPECT_EQ(Claim(1), (Sequences{1}));
  EXPECT_EQ(Claim(1), (Sequences{4}));
  EXPECT_EQ(Claim(1), (Sequences{2}));
  EXPECT_EQ(Claim(1), (Sequences{5}));
}

TEST_F(OutboxTest, AFailureRestsItsPurposeAndThenBeginsAgain) {
  Queue("a", 2);
  Queue("b", 1);
  Claim(1);
  Fail(0);
  EXPECT_EQ(outbox_.WaitingReason("a"), "UNAVAILABLE");
  EXPECT_TRUE(outbox_.IsResting());
  EXPECT_EQ(Claim(1), (Sequences{3})) << "other purposes go on";
  EXPECT_EQ(Claim(1), Sequences{});
  clock_.Advance(absl::Milliseconds(199));
  EXPECT_EQ(Claim(1), Sequences{});
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_EQ(Claim(1), (Sequences{1}));
  Succeed(2);
  EXPECT_EQ(outbox_.WaitingReason("a"), "");
}

TEST_F(OutboxTest, NoSignalIsClaimedWhileAnotherUnitOfItsPurposeIsUnderWay) {
  Queue("p", 2);
  Claim(1);
  Claim(1);
  Fail(0);
  clock_.Advance(absl::Seconds(60));
  EXPECT_EQ(Claim(10), Sequences{}) << "the second unit still has signal 2";
  Succeed(1);
  EXPECT_EQ(Claim(10), (Sequences{1, 2}));
}

TEST_F(OutboxTest, ARestartBeginsWithTheOldest) {
  Queue("p", 2);
  Claim(10);
  Outbox after(store_, clock_);
  EXPECT_EQ((*after.Claim(10))->signals.front().sequence, 1u);
}

TEST_F(OutboxTest, ANotificationBeforeWaitingIsNotLost) {
  const uint64_t seen = outbox_.Generation();
  outbox_.Notify();
  outbox_.Wait(seen, absl::Hours(1));
}

TEST(BackoffTest, AClockThatIsSetBackDoesNotLengthenTheRest) {
  Backoff backoff;
  const absl::Time now = absl::FromUnixSeconds(100'000);
  backoff.Failed(now);
  EXPECT_FALSE(backoff.MayTry(now));
  EXPECT_TRUE(backoff.MayTry(now - absl::Hours(1)));
}

TEST(BackoffTest, RestsDoubleUpToHalfAMinute) {
  Backoff backoff;
  absl::Time now = absl::FromUnixSeconds(1000);
  EXPECT_TRUE(backoff.MayTry(now));
  absl::Duration expected = absl::Milliseconds(200);
  for (int i = 0; i < 12; ++i) {
    backoff.Failed(now);
    backoff.Failed(now);
    EXPECT_FALSE(backoff.MayTry(now + expected - absl::Milliseconds(1))) << i;
    now += expected;
    EXPECT_TRUE(backoff.MayTry(now)) << i;
    expected = std::min(expected * 2, absl::Seconds(30));
  }
  backoff.Failed(now);
  backoff.Succeeded();
  EXPECT_TRUE(backoff.MayTry(now));
  backoff.Failed(now);
  EXPECT_TRUE(backoff.MayTry(now + absl::Milliseconds(200)));
}

}  // namespace
}  // namespace raakvlak::node
