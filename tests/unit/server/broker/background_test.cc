#include "server/broker/background.h"

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "base/testing/status_matchers.h"
#include "server/broker/exchange.h"
#include "tests/unit/server/broker/broker_region.h"

namespace raakvlak::broker {
namespace {

using base::testing::IsOk;

// The jobs run in threads of their own, so what they do is waited for.
bool WaitForEntry(testing::FailingStore& store, const std::string& action) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (store.Audit(action).empty()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(5));
  }
  return true;
}

TEST(BackgroundTest, SignalThatEndsAtMidnightIsExpiredByTheNextMatchingRun) {
  testing::BrokerRegion region;
  testing::FailingStore store;
  Exchange exchange(store, region.clock());
  v1::SubmitRequest request;
  *request.add_envelopes() = region.MakeEnvelope("politie", testing::kCasePurpose);
  ASSERT_THAT(exchange.Submit(region.Node("politie"), request), IsOk());
  // Retention is 30 days, and a roster lives 31 at most.
  region.clock().Advance(absl::Hours(24 * 28));
  region.region().roster().set_number(2);
  region.region().roster().set_issued("2027-02-01T00:00:00Z");
  region.region().roster().set_expires("2027-02-28T00:00:00Z");
  region.region().Write();

  base::testing::SeededRandom random(3);
  Background background(store, region.region().authority(), region.clock(), random, region.Snapshot());
  ASSERT_TRUE(WaitForEntry(store, "match_run"));
  EXPECT_EQ(store.LiveSignals(), 1u);
  region.clock().Advance(absl::Hours(24 * 2));
  EXPECT_TRUE(WaitForEntry(store, "expire"));
  EXPECT_EQ(store.LiveSignals(), 0u);
}

TEST(BackgroundTest, EpochThatIsNoLongerServedIsDestroyedByTheNextMatchingRun) {
  testing::BrokerRegion region;
  testing::FailingStore store;
  Exchange exchange(store, region.clock());
  v1::SubmitRequest request;
  *request.add_envelopes() = region.MakeEnvelope("politie", testing::kListPurpose);
  ASSERT_THAT(exchange.Submit(region.Node("politie"), request), IsOk());
  region.region().NextCovenant();
  region.region().RaiseEpoch(testing::kListPurpose, absl::Hours(48));
  region.region().roster().set_number(2);
  region.region().Write();

  base::testing::SeededRandom random(3);
  Background background(store, region.region().authority(), region.clock(), random, region.Snapshot());
  ASSERT_TRUE(WaitForEntry(store, "match_run"));
  EXPECT_EQ(store.LiveSignals(), 1u);
  region.clock().Advance(absl::Hours(49));
  ASSERT_TRUE(WaitForEntry(store, "tags_destroyed"));
  EXPECT_EQ(store.LiveSignals(), 0u);
  EXPECT_EQ(store.Audit("tags_destroyed").at(0).object, "epoch 1");
}

}  // namespace
}  // namespace raakvlak::broker
