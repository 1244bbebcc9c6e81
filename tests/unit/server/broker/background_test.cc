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

TEST(BackgroundTest, EpochThatIsNoLongerServedIsMatchedAndDestroyedLongBeforeTheNextMatchingRun) {
  testing::BrokerRegion region([](v1::Covenant& covenant) { covenant.set_matching_interval_seconds(3600); });
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
  const std::string seal_key = region.Snapshot().covenant->FindSealKey(testing::kListPurpose, 2)->id();
  *request.mutable_envelopes(0) =
      region.MakeEnvelope("politie", testing::kListPurpose, [&](v1::SignalHeader& header, v1::EnvelopeBody&) {
        header.set_epoch(2);
        header.set_seal_key_id(seal_key);
      });
  ASSERT_THAT(exchange.Submit(region.Node("politie"), request), IsOk());
  region.clock().Advance(absl::Hours(49));
  ASSERT_TRUE(WaitForEntry(store, "tags_destroyed"));
  EXPECT_EQ(store.LiveSignals(), 1u);
  EXPECT_EQ(store.Audit("tags_destroyed").at(0).object, "epoch 1");
  ASSERT_EQ(store.Audit("match_run").size(), 2u);
  EXPECT_EQ(store.Audit("match_run").at(1).count, 1u) << "what came since is matched before anything goes";
  EXPECT_EQ(store.Audit().back().action, "tags_destroyed");
}

}  // namespace
}  // namespace raakvlak::broker
