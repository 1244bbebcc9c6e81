#include "server/broker/expiry.h"

#include "gmock/gmock.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::broker {
namespace {

using base::testing::IsOk;
using storage::AuditEntry;
using storage::MakeSignal;
using storage::MakeToken;
using storage::SignalState;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ExpiryTest : public storage::BrokerStoreTest {
 protected:
  ExpiryRun Run(uint32_t today, size_t batch = Expiry::kBatch) {
    auto run =
        Expiry(*store_, clock_, "urn:raakvlak:maastricht:broker:centre", batch).Run({today, 30, "c1/r1"});
    EXPECT_THAT(run, IsOk());
    return run.ok() ? *run : ExpiryRun();
  }
  void Submit(const std::string& word, uint32_t expiry_day) {
    storage::StoredSignal signal = MakeSignal("politie", word, {MakeToken("bsn", "jan", v1::EXACT)});
    signal.expiry_day = expiry_day;
    ASSERT_THAT(Insert(signal), IsOk());
  }

  base::testing::FakeClock clock_;
};

INSTANTIATE_TEST_SUITE_P(All, ExpiryTest, ::testing::ValuesIn(storage::BrokerStoreKinds()),
                         storage::NameOfKind);

TEST_P(ExpiryTest, NothingToDoLeavesNoEntry) {
  Submit("a", 20100);
  EXPECT_EQ(Run(20099).expired, 0u);
  EXPECT_EQ(Find("politie", "a")->state, SignalState::kLive);
  EXPECT_THAT(Audit(), IsEmpty());
}

TEST_P(ExpiryTest, SignalEndsOnItsExpiryDayWithOneEntry) {
  Submit("a", 20100);
  Submit("b", 20100);
  Submit("c", 20101);
  ClearDirty();
  EXPECT_EQ(Run(20100).expired, 2u);
  EXPECT_EQ(Find("politie", "a")->state, SignalState::kExpired);
  EXPECT_EQ(Find("politie", "c")->state, SignalState::kLive);
  EXPECT_THAT(Tagged("bsn", "jan"), ElementsAre(3));
  EXPECT_FALSE(Dirty().empty());
  const std::vector<AuditEntry> entries = Audit();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].action, "expire");
  EXPECT_EQ(entries[0].actor, "urn:raakvlak:maastricht:broker:centre");
  EXPECT_EQ(entries[0].role, "broker");
  EXPECT_EQ(entries[0].count, 2u);
  EXPECT_EQ(entries[0].policy, "c1/r1");
  EXPECT_EQ(entries[0].time_ms, absl::ToUnixMillis(clock_.Now()));
  EXPECT_EQ(Run(20100).expired, 0u);
  EXPECT_EQ(Audit().size(), 1u);
}

TEST_P(ExpiryTest, BatchesGoOnUntilAllHaveEnded) {
  for (int i = 0; i < 5; ++i) Submit(absl::StrCat(i), 20100);
  EXPECT_EQ(Run(20100, 2).expired, 5u);
  EXPECT_EQ(Count(), 0u);
  uint64_t counted = 0;
  for (const AuditEntry& entry : Audit()) counted += entry.count;
  EXPECT_EQ(counted, 5u);
  EXPECT_EQ(Audit().size(), 3u);
}

TEST_P(ExpiryTest, TombstoneGoesAWeekAfterItsDay) {
  Submit("a", 20100);
  Withdraw("politie", "a");
  EXPECT_EQ(Run(20107).pruned, 0u);
  EXPECT_TRUE(Find("politie", "a").has_value());
  EXPECT_EQ(Run(20108).pruned, 1u);
  EXPECT_FALSE(Find("politie", "a").has_value());
}

TEST_P(ExpiryTest, OrderIdsOutliveTheirWindow) {
  const auto remember = [&] {
    return Do([&](storage::BrokerTransaction& transaction) {
      return transaction.RememberOrder("0123456789abcdef", absl::ToUnixMillis(clock_.Now()));
    });
  };
  EXPECT_TRUE(remember());
  clock_.Advance(absl::Seconds(240));
  Run(20000);
  EXPECT_FALSE(remember());
  clock_.Advance(absl::Minutes(10));
  EXPECT_EQ(Run(20000).pruned, 1u);
  EXPECT_TRUE(remember());
}

TEST_P(ExpiryTest, CountsAndClosedMatchesGoInTheirTime) {
  Do([](storage::BrokerTransaction& transaction) { return transaction.CountSubmitted("politie", 20000, 9); });
  Submit("a", 20900);
  const uint64_t number = PutMatch("m", {1});
  const int64_t closed_ms = absl::ToUnixMillis(clock_.Now());
  ASSERT_THAT(Write([&](storage::BrokerTransaction& transaction) {
                return transaction.CloseMatch(number, closed_ms);
              }),
              IsOk());
  EXPECT_EQ(Run(20002).pruned, 0u);
  EXPECT_EQ(Run(20003).pruned, 1u);
  clock_.Advance(absl::Hours(24 * 30));
  EXPECT_EQ(Run(20003).pruned, 0u);
  EXPECT_TRUE(Match("m").has_value());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Run(20003).pruned, 1u);
  EXPECT_FALSE(Match("m").has_value());
}

TEST_P(ExpiryTest, EarlyDaysDoNotWrapAround) {
  Submit("a", 5);
  EXPECT_EQ(Run(5).expired, 1u);
  EXPECT_EQ(Run(6).pruned, 0u);
}

}  // namespace
}  // namespace raakvlak::broker
