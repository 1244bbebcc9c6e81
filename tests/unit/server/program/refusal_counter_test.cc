#include "server/program/refusal_counter.h"

#include <numeric>
#include <thread>

#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/server/program/audit_fake.h"

namespace raakvlak::server {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kMaxPairs = 4;
constexpr char kPolitie[] = "urn:raakvlak:maastricht:node:politie";

class RefusalCounterTest : public ::testing::Test {
 protected:
  void Count(const std::string& actor, const std::string& code = "NOT_ALLOWED",
             const std::string& method = "/A/B", const std::string& origin = "192.0.2.0/24") {
    counter_.Count(actor, actor == kPolitie ? "node" : "", method, origin, code);
  }
  void ToNextMinute() { clock_.Advance(absl::Minutes(1)); }

  // A whole minute, so that a test knows where it ends.
  base::testing::FakeClock clock_{absl::FromUnixSeconds(1'800'000'000)};
  FakeAudit audit_;
  RefusalCounter counter_{audit_, clock_, kMaxPairs};
};

TEST_F(RefusalCounterTest, NothingIsWrittenUntilTheMinuteEnds) {
  Count(kPolitie);
  clock_.Advance(absl::Milliseconds(59'999));
  Count(kPolitie);
  ASSERT_THAT(counter_.WriteEnded(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), IsEmpty());
  clock_.Advance(absl::Milliseconds(1));
  ASSERT_THAT(counter_.WriteEnded(), IsOk());
  EXPECT_THAT(audit_.TakeLines(),
              ElementsAre("urn:raakvlak:maastricht:node:politie node refuse /A/B NOT_ALLOWED 2"));
  EXPECT_EQ(audit_.entries()[0].time_ms, absl::ToUnixMillis(clock_.Now()));
}

TEST_F(RefusalCounterTest, OneEntryForEachActorAndCodeInAMinute) {
  for (int i = 0; i < 1000; ++i) Count("192.0.2.0/24");
  Count("192.0.2.0/24", "UNAUTHENTICATED");
  Count("198.51.100.0/24");
  ToNextMinute();
  ASSERT_THAT(counter_.WriteEnded(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("192.0.2.0/24  refuse /A/B NOT_ALLOWED 1000",
                                              "192.0.2.0/24  refuse /A/B UNAUTHENTICATED 1",
                                              "198.51.100.0/24  refuse /A/B NOT_ALLOWED 1"));
}

TEST_F(RefusalCounterTest, EachMinuteHasItsOwnEntryAlsoWhenNobodyWroteInBetween) {
  Count("a");
  Count("a");
  ToNextMinute();
  Count("a");
  ASSERT_THAT(counter_.WriteEnded(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("a  refuse /A/B NOT_ALLOWED 2"));
  ToNextMinute();
  ASSERT_THAT(counter_.WriteEnded(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("a  refuse /A/B NOT_ALLOWED 1"));
}

TEST_F(RefusalCounterTest, QuietMinutesLeaveNoEntries) {
  for (int i = 0; i < 5; ++i) {
    ToNextMinute();
    ASSERT_THAT(counter_.WriteEnded(), IsOk());
  }
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), IsEmpty());
}

TEST_F(RefusalCounterTest, CallsToSeveralRpcsAreNamedSo) {
  Count("a", "NOT_ALLOWED", "/A/B");
  Count("a", "NOT_ALLOWED", "/A/C");
  Count("a", "NOT_ALLOWED", "/A/B");
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("a  refuse several NOT_ALLOWED 3"));
  EXPECT_EQ(audit_.entries()[0].origin, "192.0.2.0/24");
}

TEST_F(RefusalCounterTest, CallsFromSeveralNetworksAreNamedSo) {
  Count("a", "NOT_ALLOWED", "/A/B", "192.0.2.0/24");
  Count("a", "NOT_ALLOWED", "/A/B", "2001:db8::/48");
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  EXPECT_EQ(audit_.entries()[0].origin, "several");
  EXPECT_EQ(audit_.entries()[0].count, 2u);
}

TEST_F(RefusalCounterTest, TheEndOfTheProgramWritesTheMinuteThatRuns) {
  Count("a");
  ToNextMinute();
  Count("b");
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  EXPECT_THAT(audit_.TakeLines(),
              ElementsAre("a  refuse /A/B NOT_ALLOWED 1", "b  refuse /A/B NOT_ALLOWED 1"));
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), IsEmpty());
}

TEST_F(RefusalCounterTest, ActorsBeyondTheBoundAreCountedTogether) {
  for (int i = 0; i < 100; ++i) Count(absl::StrCat("actor", i));
  for (int i = 0; i < 50; ++i) Count(absl::StrCat("actor", i), "OVERLOADED");
  // Those who are in keep their own count.
  Count("actor0");
  ToNextMinute();
  ASSERT_THAT(counter_.WriteEnded(), IsOk());
  EXPECT_THAT(audit_.TakeLines(),
              ElementsAre("actor0  refuse /A/B NOT_ALLOWED 2", "actor1  refuse /A/B NOT_ALLOWED 1",
                          "actor2  refuse /A/B NOT_ALLOWED 1", "actor3  refuse /A/B NOT_ALLOWED 1",
                          "others  refuse /A/B NOT_ALLOWED 96", "others  refuse /A/B OVERLOADED 50"));
  // The next minute has its own bound.
  Count("actor99");
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("actor99  refuse /A/B NOT_ALLOWED 1"));
}

TEST_F(RefusalCounterTest, OthersHaveNoRole) {
  for (int i = 0; i < 4; ++i) Count(absl::StrCat("actor", i));
  Count(kPolitie);
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  EXPECT_EQ(audit_.TakeLines().back(), "others  refuse /A/B NOT_ALLOWED 1");
}

TEST_F(RefusalCounterTest, WhatCannotBeWrittenIsKeptAndCountedOnce) {
  Count("a");
  Count("b");
  ToNextMinute();
  audit_.room = 1;
  EXPECT_THAT(counter_.WriteEnded(), HasReason(base::reason::kStorageFailed));
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("a  refuse /A/B NOT_ALLOWED 1"));
  // Minutes run together while the log is full, and stay within the bound.
  for (int minute = 0; minute < 10; ++minute) {
    Count("a");
    ToNextMinute();
    EXPECT_THAT(counter_.WriteEnded(), HasReason(base::reason::kStorageFailed));
  }
  EXPECT_THAT(counter_.WriteAll(), HasReason(base::reason::kStorageFailed));
  audit_.room = 100;
  ASSERT_THAT(counter_.WriteEnded(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("b  refuse /A/B NOT_ALLOWED 1"));
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  EXPECT_THAT(audit_.TakeLines(), ElementsAre("a  refuse /A/B NOT_ALLOWED 10"));
}

TEST_F(RefusalCounterTest, NothingIsLostOrCountedTwiceAmongThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < 1000; ++i) Count(absl::StrCat("actor", i % 7));
    });
  }
  for (int i = 0; i < 50; ++i) {
    ToNextMinute();
    ASSERT_THAT(counter_.WriteEnded(), IsOk());
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_THAT(counter_.WriteAll(), IsOk());
  uint64_t sum = 0;
  for (const storage::AuditEntry& entry : audit_.entries()) sum += entry.count;
  EXPECT_EQ(sum, 4000u);
}

}  // namespace
}  // namespace raakvlak::server
