// What every store must do, run for each kind. Matches, dirty sets: broker_store_match_conformance.cc.
#include "tests/unit/server/storage/broker_store_conformance.h"

#include <thread>

#include "base/reason.h"
#include "gmock/gmock.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace reason = base::reason;

INSTANTIATE_TEST_SUITE_P(All, BrokerStoreTest, ::testing::ValuesIn(BrokerStoreKinds()), NameOfKind);

StoredSignal TwoRules(const std::string& partner, const std::string& word, const std::string& person) {
  return MakeSignal(
      partner, word,
      {MakeToken("surname-initial-birthdate", person, v1::STRONG), MakeToken("bsn", person, v1::EXACT)});
}

TEST_P(BrokerStoreTest, EmptyStoreKnowsNothing) {
  EXPECT_FALSE(Find("politie", "a").has_value());
  EXPECT_FALSE(Match("m").has_value());
  EXPECT_EQ(Count(), 0u);
  EXPECT_THAT(Dirty(), IsEmpty());
  EXPECT_THAT(DirtyMatches(), IsEmpty());
  EXPECT_THAT(List({"onaantastbaren", true}), IsEmpty());
  EXPECT_THAT(Audit(), IsEmpty());
  EXPECT_EQ(store_->Load()->covenant_id, "");
}

TEST_P(BrokerStoreTest, InsertedSignalIsLiveWithAllThatWasGiven) {
  StoredSignal signal = TwoRules("politie", "a", "jan");
  signal.counts_as_case = true;
  signal.epoch = 3;
  ASSERT_THAT(Insert(signal), IsOk());

  const auto status = Find("politie", "a");
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->state, SignalState::kLive);
  EXPECT_EQ(status->envelope_hash, signal.envelope_hash);
  EXPECT_EQ(status->accepted_ms, signal.accepted_ms);
  EXPECT_EQ(status->ended_ms, 0);
  EXPECT_EQ(status->expiry_day, 20100u);

  const auto envelope = Get([](BrokerReader& reader) { return reader.FindEnvelope(1); });
  ASSERT_TRUE(envelope.has_value());
  EXPECT_EQ(envelope->body, "body of a");
  EXPECT_EQ(envelope->signature, "signature of a");

  const auto facts = Get([](BrokerReader& reader) { return reader.FindFacts(1); });
  ASSERT_TRUE(facts.has_value());
  EXPECT_EQ(facts->number, 1u);
  EXPECT_EQ(facts->partner, "politie");
  EXPECT_EQ(facts->organisation, signal.organisation);
  EXPECT_EQ(facts->purpose, "onaantastbaren");
  EXPECT_EQ(facts->epoch, 3u);
  EXPECT_TRUE(facts->counts_as_case);
  ASSERT_EQ(facts->tokens.size(), 2u);
  EXPECT_EQ(facts->tokens[0].rule, "bsn");
  EXPECT_EQ(facts->tokens[0].quality, v1::EXACT);
  EXPECT_EQ(facts->tokens[0].subject, v1::PERSON_SUBJECT);
  EXPECT_EQ(facts->tokens[0].tag, signal.tokens[1].tag);
  EXPECT_EQ(facts->tokens[0].commitments_hash, signal.tokens[1].commitments_hash);
  EXPECT_EQ(facts->tokens[1].rule, "surname-initial-birthdate");
  EXPECT_EQ(facts->tokens[1].quality, v1::STRONG);

  EXPECT_EQ(Count(), 1u);
  EXPECT_EQ(Count("politie"), 1u);
  EXPECT_EQ(Count("gemeente"), 0u);
}

TEST_P(BrokerStoreTest, TagsAreOfOnePurposeRuleAndEpoch) {
  ASSERT_THAT(Insert(TwoRules("politie", "a", "jan")), IsOk());
  ASSERT_THAT(Insert(TwoRules("gemeente", "b", "jan")), IsOk());
  StoredSignal later = TwoRules("gemeente", "c", "jan");
  later.epoch = 2;
  ASSERT_THAT(Insert(later), IsOk());
  StoredSignal elsewhere = TwoRules("gemeente", "d", "jan");
  elsewhere.purpose = "risicojeugd";
  ASSERT_THAT(Insert(elsewhere), IsOk());
  ASSERT_THAT(Insert(MakeSignal("gemeente", "e", {MakeToken("phone", "jan", v1::SUPPORTING)})), IsOk());

  EXPECT_THAT(Tagged("bsn", "jan"), ElementsAre(1, 2));
  EXPECT_THAT(Tagged("bsn", "jan", 2), ElementsAre(3));
  EXPECT_THAT(Tagged("phone", "jan"), ElementsAre(5));
  EXPECT_THAT(Tagged("bsn", "piet"), IsEmpty());
  EXPECT_THAT(Tagged("address", "jan"), IsEmpty());
}

TEST_P(BrokerStoreTest, SameIdOfAnotherPartnerIsAnotherSignal) {
  ASSERT_THAT(Insert(TwoRules("politie", "a", "jan")), IsOk());
  EXPECT_THAT(Insert(TwoRules("gemeente", "a", "jan")), IsOk());
  EXPECT_EQ(Count(), 2u);
  Withdraw("politie", "a");
  EXPECT_EQ(Find("gemeente", "a")->state, SignalState::kLive);
}

TEST_P(BrokerStoreTest, LiveIdIsNotInsertedTwice) {
  ASSERT_THAT(Insert(TwoRules("politie", "a", "jan")), IsOk());
  EXPECT_THAT(Insert(TwoRules("politie", "a", "jan")), HasReason(reason::kEnvelopeConflict));
  EXPECT_EQ(Count(), 1u);
  EXPECT_THAT(Tagged("bsn", "jan"), ElementsAre(1));
}

TEST_P(BrokerStoreTest, WithdrawnSignalLeavesOnlyATombstone) {
  ASSERT_THAT(Insert(TwoRules("politie", "a", "jan")), IsOk());
  const SignalStatus status = Withdraw("politie", "a", 5000);
  EXPECT_EQ(status.state, SignalState::kWithdrawn);
  EXPECT_EQ(status.envelope_hash, base::Sha256("envelope a"));
  EXPECT_EQ(status.accepted_ms, 1'700'000'000'000);
  EXPECT_EQ(status.ended_ms, 5000);
  EXPECT_EQ(status.reason, "RISK_OVER");
  EXPECT_EQ(status.expiry_day, 20100u);

  EXPECT_EQ(Find("politie", "a")->state, SignalState::kWithdrawn);
  EXPECT_FALSE(Get([](BrokerReader& reader) { return reader.FindEnvelope(1); }).has_value());
  EXPECT_FALSE(Get([](BrokerReader& reader) { return reader.FindFacts(1); }).has_value());
  EXPECT_THAT(Tagged("bsn", "jan"), IsEmpty());
  EXPECT_EQ(Count(), 0u);
}

TEST_P(BrokerStoreTest, SecondWithdrawalAnswersAsTheFirst) {
  ASSERT_THAT(Insert(TwoRules("politie", "a", "jan")), IsOk());
  Withdraw("politie", "a", 5000);
  EXPECT_EQ(Withdraw("politie", "a", 9000).ended_ms, 5000);
}

TEST_P(BrokerStoreTest, EndedSignalDoesNotComeBack) {
  ASSERT_THAT(Insert(TwoRules("politie", "a", "jan")), IsOk());
  Withdraw("politie", "a");
  EXPECT_THAT(Insert(TwoRules("politie", "a", "jan")), HasReason(reason::kSignalEnded));
  ASSERT_THAT(Insert(TwoRules("politie", "b", "jan")), IsOk());
  EXPECT_EQ(Expire(20100), 1u);
  EXPECT_THAT(Insert(TwoRules("politie", "b", "jan")), HasReason(reason::kSignalEnded));
}

TEST_P(BrokerStoreTest, WithdrawalBeforeSubmitKeepsTheSignalOut) {
  const SignalStatus status = Withdraw("politie", "a", 5000);
  EXPECT_EQ(status.state, SignalState::kWithdrawn);
  EXPECT_EQ(status.envelope_hash, "");
  EXPECT_EQ(status.accepted_ms, 0);
  EXPECT_EQ(status.expiry_day, 20200u);
  EXPECT_THAT(Insert(TwoRules("politie", "a", "jan")), HasReason(reason::kSignalEnded));
  EXPECT_EQ(Withdraw("politie", "a", 9000).ended_ms, 5000);
}

TEST_P(BrokerStoreTest, SignalsExpireOnTheirDayAndNotBefore) {
  for (const char* word : {"a", "b", "c"}) {
    StoredSignal signal = TwoRules("politie", word, "jan");
    signal.expiry_day = 20100 + static_cast<uint32_t>(*word - 'a');
    ASSERT_THAT(Insert(signal), IsOk());
  }
  EXPECT_EQ(Expire(20099), 0u);
  EXPECT_EQ(Expire(20101), 2u);
  EXPECT_EQ(Find("politie", "a")->state, SignalState::kExpired);
  EXPECT_EQ(Find("politie", "a")->ended_ms, 6000);
  EXPECT_EQ(Find("politie", "b")->state, SignalState::kExpired);
  EXPECT_EQ(Find("politie", "c")->state, SignalState::kLive);
  EXPECT_THAT(Tagged("bsn", "jan"), ElementsAre(3));
  EXPECT_EQ(Withdraw("politie", "a").state, SignalState::kExpired);
}

TEST_P(BrokerStoreTest, ExpiryStopsAtItsLimit) {
  for (const char* word : {"a", "b", "c"}) ASSERT_THAT(Insert(TwoRules("politie", word, "jan")), IsOk());
  EXPECT_EQ(Expire(20100, 2), 2u);
  EXPECT_EQ(Count(), 1u);
  EXPECT_EQ(Expire(20100, 2), 1u);
}

TEST_P(BrokerStoreTest, FailingTransactionHasNoEffectAtAll) {
  ASSERT_THAT(Insert(TwoRules("politie", "a", "jan")), IsOk());
  const uint64_t match = PutMatch("m", {1});
  ClearDirty();
  const absl::Status status = Write([&](BrokerTransaction& transaction) -> absl::Status {
    EXPECT_THAT(transaction.InsertSignal(TwoRules("politie", "b", "jan")), IsOk());
    EXPECT_THAT(transaction.MarkWithdrawn({"politie", Id("a"), "UNJUST", 1, 20200}), IsOk());
    EXPECT_THAT(transaction.CountSubmitted("politie", 20000, 5), IsOk());
    EXPECT_THAT(transaction.RememberOrder(Id("order"), 1), IsOk());
    EXPECT_THAT(transaction.SetPartnersInForce({"politie"}), IsOk());
    EXPECT_THAT(transaction.CloseMatch(match, 1), IsOk());
    EXPECT_THAT(transaction.AppendAudit({}), IsOk());
    return base::Error(absl::StatusCode::kAborted, reason::kQuotaExceeded, "changed our mind");
  });
  EXPECT_THAT(status, HasReason(reason::kQuotaExceeded));
  EXPECT_EQ(Find("politie", "a")->state, SignalState::kLive);
  EXPECT_FALSE(Find("politie", "b").has_value());
  EXPECT_THAT(Tagged("bsn", "jan"), ElementsAre(1));
  EXPECT_EQ(Match("m")->state, MatchState::kOpen);
  EXPECT_EQ(Match("m")->members.size(), 1u);
  EXPECT_THAT(Dirty(), IsEmpty());
  EXPECT_THAT(DirtyMatches(), IsEmpty());
  EXPECT_THAT(Audit(), IsEmpty());
  EXPECT_THAT(Get([](BrokerReader& reader) { return reader.PartnersInForce(); }), IsEmpty());
  EXPECT_TRUE(Do([](BrokerTransaction& transaction) { return transaction.RememberOrder(Id("order"), 1); }));
  EXPECT_EQ(
      Do([](BrokerTransaction& transaction) { return transaction.CountSubmitted("politie", 20000, 1); }), 1u);
}

TEST_P(BrokerStoreTest, TransactionSeesItsOwnWrites) {
  EXPECT_THAT(Write([&](BrokerTransaction& transaction) -> absl::Status {
                RAAKVLAK_RETURN_IF_ERROR(transaction.InsertSignal(TwoRules("politie", "a", "jan")));
                RAAKVLAK_ASSIGN_OR_RETURN(const auto found, transaction.FindSignal("politie", Id("a")));
                EXPECT_TRUE(found.has_value());
                EXPECT_THAT(transaction.InsertSignal(TwoRules("politie", "a", "jan")),
                            HasReason(reason::kEnvelopeConflict));
                return absl::OkStatus();
              }),
              IsOk());
  EXPECT_EQ(Count(), 1u);
}

TEST_P(BrokerStoreTest, OrderIdIsTakenOnceUntilPruned) {
  const auto remember = [&](int64_t time_ms) {
    return Do(
        [&](BrokerTransaction& transaction) { return transaction.RememberOrder(Id("order"), time_ms); });
  };
  const auto prune = [&](int64_t before) {
    PruneBounds bounds;
    bounds.orders_before_ms = before;
    return Do([&](BrokerTransaction& transaction) { return transaction.Prune(bounds, 100); });
  };
  EXPECT_TRUE(remember(1000));
  EXPECT_FALSE(remember(2000));
  EXPECT_EQ(prune(1000), 0u);
  EXPECT_FALSE(remember(1000));
  EXPECT_EQ(prune(1001), 1u);
  EXPECT_TRUE(remember(1000));
}

TEST_P(BrokerStoreTest, SubmitsAreCountedPerPartnerAndDay) {
  const auto count = [&](const std::string& partner, uint32_t day, uint64_t signals) {
    return Do(
        [&](BrokerTransaction& transaction) { return transaction.CountSubmitted(partner, day, signals); });
  };
  EXPECT_EQ(count("politie", 20000, 100), 100u);
  EXPECT_EQ(count("politie", 20000, 50), 150u);
  EXPECT_EQ(count("politie", 20001, 7), 7u);
  EXPECT_EQ(count("gemeente", 20000, 3), 3u);
  PruneBounds bounds;
  bounds.counters_before_day = 20001;
  EXPECT_EQ(Do([&](BrokerTransaction& transaction) { return transaction.Prune(bounds, 100); }), 2u);
  EXPECT_EQ(count("politie", 20001, 1), 8u);
  EXPECT_EQ(count("politie", 20000, 1), 1u);
}

TEST_P(BrokerStoreTest, TombstonesArePrunedPastTheirDayAndWithinTheLimit) {
  for (const char* word : {"a", "b", "c"}) {
    ASSERT_THAT(Insert(TwoRules("politie", word, "jan")), IsOk());
    Withdraw("politie", word);
  }
  const auto prune = [&](uint32_t before, size_t limit) {
    PruneBounds bounds;
    bounds.tombstones_before_day = before;
    return Do([&](BrokerTransaction& transaction) { return transaction.Prune(bounds, limit); });
  };
  EXPECT_EQ(prune(20100, 10), 0u);
  EXPECT_EQ(prune(20101, 2), 2u);
  EXPECT_EQ(prune(20101, 2), 1u);
  EXPECT_FALSE(Find("politie", "a").has_value());
}

TEST_P(BrokerStoreTest, SignalsOfABatchLeadToItsEntryUntilTheDayOfTheLast) {
  const auto put = [&](EntryId entry, const std::vector<std::string>& words, uint32_t expiry_day) {
    return Write([&](BrokerTransaction& transaction) -> absl::Status {
      std::vector<std::string> hashes;
      for (const std::string& word : words) {
        const StoredSignal signal = TwoRules("politie", word, word);
        RAAKVLAK_RETURN_IF_ERROR(transaction.InsertSignal(signal));
        hashes.push_back(signal.envelope_hash);
      }
      return transaction.PutBatch(entry, hashes, expiry_day);
    });
  };
  const auto batch_of = [&](uint64_t number) {
    return Get([&](BrokerReader& reader) { return reader.FindBatch(number); });
  };
  ASSERT_THAT(Insert(TwoRules("politie", "alone", "jan")), IsOk());
  ASSERT_THAT(put({2026, 7}, {"a", "b"}, 20100), IsOk());
  ASSERT_THAT(put({2027, 0}, {"c"}, 20101), IsOk());
  EXPECT_FALSE(batch_of(1).has_value()) << "came without one";
  EXPECT_FALSE(batch_of(5).has_value()) << "is not there";
  for (const char* word : {"a", "b", "c"}) {
    const uint64_t number = Find("politie", word)->number;
    const auto batch = batch_of(number);
    ASSERT_TRUE(batch.has_value()) << word;
    EXPECT_EQ(batch->entry, word[0] == 'c' ? (EntryId{2027, 0}) : (EntryId{2026, 7})) << word;
    EXPECT_EQ(batch->hashes.at(number - batch->first_number), Find("politie", word)->envelope_hash) << word;
  }
  Withdraw("politie", "a");
  EXPECT_EQ(Find("politie", "a")->number, 0u);
  EXPECT_TRUE(batch_of(3).has_value()) << "of those that are left";
  const auto prune = [&](uint32_t before) {
    PruneBounds bounds;
    bounds.tombstones_before_day = before;
    return Do([&](BrokerTransaction& transaction) { return transaction.Prune(bounds, 10); });
  };
  EXPECT_EQ(prune(20100), 0u);
  EXPECT_EQ(prune(20101), 2u) << "the batch, and the tombstone";
  EXPECT_FALSE(batch_of(3).has_value());
  EXPECT_TRUE(batch_of(4).has_value());
}

// What a log does is in log_test.cc.
TEST_P(BrokerStoreTest, EntriesOfTransactionsAndEntriesAloneAreInOneLog) {
  AuditEntry entry;
  entry.time_ms = 1;
  entry.action = "open";
  EXPECT_EQ(Do([&](BrokerTransaction& transaction) { return transaction.AppendAudit(entry); }).id.index, 0u);
  EXPECT_EQ(Do([&](BrokerTransaction& transaction) { return transaction.AppendAudit(entry); }).id.index, 1u);
  auto alone = store_->AppendAudit(entry);
  ASSERT_THAT(alone, IsOk());
  EXPECT_EQ(alone->id.index, 2u);
  EXPECT_EQ(Audit().size(), 3u);
}

TEST_P(BrokerStoreTest, NewestPolicyNeverGoesBack) {
  EXPECT_THAT(store_->Store({base::Sha256("c2"), 2, 7, "r7"}), IsOk());
  EXPECT_THAT(store_->Store({base::Sha256("x2"), 2, 8, "r8"}), HasReason(reason::kStorageFailed));
  EXPECT_THAT(store_->Store({base::Sha256("c2"), 2, 7, "x7"}), HasReason(reason::kStorageFailed));
  EXPECT_THAT(store_->Store({base::Sha256("c1"), 1, 8}), HasReason(reason::kStorageFailed));
  EXPECT_THAT(store_->Store({base::Sha256("c2"), 2, 6}), HasReason(reason::kStorageFailed));
  auto newest = store_->Load();
  ASSERT_THAT(newest, IsOk());
  EXPECT_EQ(newest->covenant_id, base::Sha256("c2"));
  EXPECT_EQ(newest->covenant_version, 2u);
  EXPECT_EQ(newest->roster_number, 7u);
  EXPECT_EQ(newest->roster_id, "r7");
  EXPECT_THAT(store_->Store({base::Sha256("c3"), 3, 8}), IsOk());
  EXPECT_EQ(store_->Load()->covenant_id, base::Sha256("c3"));
}

TEST_P(BrokerStoreTest, WritesOfManyThreadsAreAllKeptOnce) {
  constexpr int kThreads = 6;
  constexpr int kEach = 20;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        const std::string word = absl::StrCat(thread, "/", i);
        EXPECT_THAT(Write([&](BrokerTransaction& transaction) -> absl::Status {
                      RAAKVLAK_RETURN_IF_ERROR(transaction.InsertSignal(TwoRules("politie", word, "jan")));
                      RAAKVLAK_RETURN_IF_ERROR(transaction.CountSubmitted("politie", 20000, 1).status());
                      AuditEntry entry;
                      entry.object = word;
                      return transaction.AppendAudit(entry).status();
                    }),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Count(), uint64_t{kThreads} * kEach);
  EXPECT_EQ(Dirty().size(), size_t{kThreads} * kEach);
  const std::vector<StoredEntry> entries = testing::StoredEntries(store_->audit_log());
  ASSERT_EQ(entries.size(), size_t{kThreads} * kEach);
  std::set<std::string> objects;
  for (uint64_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].id.index, i);
    objects.insert(entries[i].entry.object);
  }
  EXPECT_EQ(objects.size(), entries.size());
  EXPECT_EQ(
      Do([](BrokerTransaction& transaction) { return transaction.CountSubmitted("politie", 20000, 0); }),
      uint64_t{kThreads} * kEach);
}

}  // namespace
}  // namespace raakvlak::storage
