// One suite for every NodeStore: what holds in memory holds on disk.
#include "server/storage/node_store.h"

#include <functional>
#include <memory>

#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/storage/memory/node_store.h"
#include "server/storage/sqlite/node_store.h"
#include "server/storage/testing/entries.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::TemporaryFolder;

enum class Driver { kMemory, kSqlite };

NodeSignal MakeSignal(int number, const std::string& purpose = "p1") {
  NodeSignal signal;
  signal.signal_id = std::string(15, 'i') + static_cast<char>(number);
  signal.reference_digest = std::string(31, 'r') + static_cast<char>(number);
  signal.reference = "encrypted reference";
  signal.purpose = purpose;
  signal.expiry_day = 100;
  signal.received_ms = 1000 + number;
  signal.changed_ms = 1000 + number;
  signal.record_digest = std::string(32, 'd');
  signal.record = std::string("encrypted\0record", 16);
  return signal;
}

class NodeStoreTest : public ::testing::TestWithParam<Driver> {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    store_.reset();
    if (GetParam() == Driver::kMemory) {
      store_ = std::make_unique<MemoryNodeStore>();
    } else {
      RAAKVLAK_ASSERT_OK_AND_ASSIGN(store_,
                                    SqliteNodeStore::Open(folder_.File("node.db"), testing::TestCodec()));
    }
  }

  absl::Status Do(const std::function<absl::Status(NodeTransaction&)>& body) {
    return store_->Write("test", body);
  }

  // Runs one guarded change and returns whether it took effect.
  bool Applied(const std::function<absl::StatusOr<bool>(NodeTransaction&)>& change) {
    bool applied = false;
    EXPECT_THAT(Do([&](NodeTransaction& transaction) -> absl::Status {
                  RAAKVLAK_ASSIGN_OR_RETURN(applied, change(transaction));
                  return absl::OkStatus();
                }),
                IsOk());
    return applied;
  }

  void Insert(const NodeSignal& signal) {
    ASSERT_THAT(Do([&](NodeTransaction& transaction) { return transaction.Insert(signal); }), IsOk());
  }

  NodeSignal Get(const NodeSignal& signal) {
    auto found = store_->FindByReference(signal.reference_digest);
    EXPECT_THAT(found, IsOk());
    EXPECT_TRUE(found.ok() && found->has_value());
    return found.ok() && found->has_value() ? **found : NodeSignal();
  }

  TemporaryFolder folder_;
  std::unique_ptr<NodeStore> store_;
};

NodeCeremony MakeCeremony(const std::string& name) {
  NodeCeremony ceremony;
  ceremony.ceremony_id = name + std::string(32 - name.size(), 'c');
  ceremony.parameters = "parameters of " + name;
  ceremony.proposed_by = "politie";
  ceremony.approved_ms = 5;
  ceremony.changed_ms = 5;
  ceremony.secret = std::string("encrypted\0state", 15);
  return ceremony;
}

TEST_P(NodeStoreTest, ACeremonyIsKeptAndNeverGoesBack) {
  const auto put = [this](const NodeCeremony& ceremony) {
    return Applied([&](NodeTransaction& transaction) { return transaction.PutCeremony(ceremony); });
  };
  NodeCeremony one = MakeCeremony("one");
  const NodeCeremony two = MakeCeremony("two");
  EXPECT_TRUE(put(one));
  EXPECT_TRUE(put(two));
  NodeCeremony next = one;
  next.state = NodeCeremonyState::kSigning;
  next.changed_ms = 9;
  next.secret = "";
  next.share = "encrypted share";
  next.transcript_hash = std::string(32, 't');
  next.keyset = "note";
  next.evidence = "evidence";
  next.reporter = 3;
  next.why = "because";
  next.unsent = "request";
  EXPECT_TRUE(put(next));
  EXPECT_FALSE(put(one));
  EXPECT_EQ(*store_->Ceremonies(), (std::vector<NodeCeremony>{next, two}));
  // What was agreed on at the start stays.
  NodeCeremony changed = next;
  changed.parameters = "other";
  changed.proposed_by = "gemeente";
  changed.approved_ms = 7;
  EXPECT_TRUE(put(changed));
  EXPECT_EQ(store_->Ceremonies()->front(), next);
}

TEST_P(NodeStoreTest, OnlyANewerGenerationTakesThePlaceOfAKeyset) {
  const auto see = [this](const SeenKeyset& seen) {
    return Applied([&](NodeTransaction& transaction) { return transaction.SeeKeyset(seen); });
  };
  const SeenKeyset first = {"p1", 1, 1, 1, std::string(32, 'a'), 10, 0};
  EXPECT_TRUE(see(first));
  EXPECT_TRUE(see({"p1", 2, 1, 1, std::string(32, 'b'), 11, 0})) << "another class";
  EXPECT_TRUE(see({"p1", 1, 1, 1, std::string(32, 'a'), 12, 0})) << "again";
  EXPECT_FALSE(see({"p1", 1, 1, 1, std::string(32, 'x'), 12, 0})) << "another of that generation";
  EXPECT_TRUE(see({"p1", 1, 1, 3, std::string(32, 'd'), 13, 0}));
  EXPECT_FALSE(see({"p1", 1, 1, 2, std::string(32, 'e'), 14, 0}));
  EXPECT_FALSE(see(first));
  EXPECT_EQ(*store_->SeenKeysets(), (std::vector<SeenKeyset>{{"p1", 1, 1, 3, std::string(32, 'd'), 13, 10},
                                                             {"p1", 2, 1, 1, std::string(32, 'b'), 11, 11}}));
}

INSTANTIATE_TEST_SUITE_P(Drivers, NodeStoreTest, ::testing::Values(Driver::kMemory, Driver::kSqlite),
                         [](const auto& driver) {
                           return driver.param == Driver::kMemory ? "Memory" : "Sqlite";
                         });

TEST_P(NodeStoreTest, AnInsertedSignalIsFoundWithAllItsColumns) {
  const NodeSignal signal = MakeSignal(1);
  Insert(signal);
  const NodeSignal found = Get(signal);
  EXPECT_EQ(found.sequence, 1u);
  EXPECT_EQ(found.signal_id, signal.signal_id);
  EXPECT_EQ(found.reference, signal.reference);
  EXPECT_EQ(found.purpose, "p1");
  EXPECT_EQ(found.state, NodeSignalState::kQueued);
  EXPECT_EQ(found.expiry_day, 100u);
  EXPECT_EQ(found.received_ms, 1001);
  EXPECT_EQ(found.record_digest, signal.record_digest);
  EXPECT_EQ(found.record, signal.record);
  EXPECT_EQ(found.envelope, "");
}

TEST_P(NodeStoreTest, AnUnknownReferenceIsNotFound) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto found, store_->FindByReference("nothing"));
  EXPECT_FALSE(found.has_value());
}

TEST_P(NodeStoreTest, TheSameIdOrReferenceTwiceIsRefused) {
  Insert(MakeSignal(1));
  NodeSignal same_id = MakeSignal(2);
  same_id.signal_id = MakeSignal(1).signal_id;
  NodeSignal same_reference = MakeSignal(3);
  same_reference.reference_digest = MakeSignal(1).reference_digest;
  for (const NodeSignal& signal : {same_id, same_reference}) {
    EXPECT_THAT(Do([&](NodeTransaction& transaction) { return transaction.Insert(signal); }),
                HasReason("STORAGE_FAILED"));
  }
}

TEST_P(NodeStoreTest, AFailingTransactionLeavesNothing) {
  const absl::Status failed = Do([&](NodeTransaction& transaction) -> absl::Status {
    RAAKVLAK_RETURN_IF_ERROR(transaction.Insert(MakeSignal(1)));
    RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit({}).status());
    RAAKVLAK_RETURN_IF_ERROR(transaction.AddWithdrawal({MakeSignal(1).signal_id, 1, 1}));
    RAAKVLAK_RETURN_IF_ERROR(transaction.RememberRequest("a", "r", 1).status());
    return base::Error(absl::StatusCode::kAborted, base::reason::kReplayed, "on purpose");
  });
  EXPECT_THAT(failed, HasReason("REPLAYED"));
  EXPECT_FALSE(store_->FindByReference(MakeSignal(1).reference_digest)->has_value());
  EXPECT_TRUE(testing::Entries(store_->audit_log()).empty());
  EXPECT_TRUE(store_->Withdrawals(10)->empty());
  EXPECT_TRUE(Applied([](auto& transaction) { return transaction.RememberRequest("a", "r", 1); }));
}

TEST_P(NodeStoreTest, ASequenceIsNeverUsedAgain) {
  NodeSignal signal = MakeSignal(1);
  signal.state = NodeSignalState::kRefused;
  Insert(signal);
  ASSERT_THAT(Do([&](NodeTransaction& transaction) { return transaction.Remove(signal.signal_id); }), IsOk());
  signal.state = NodeSignalState::kQueued;
  Insert(signal);
  EXPECT_EQ(Get(signal).sequence, 2u);
}

TEST_P(NodeStoreTest, OnlyARefusedSignalCanBeRemoved) {
  Insert(MakeSignal(1));
  ASSERT_THAT(Do([&](NodeTransaction& transaction) { return transaction.Remove(MakeSignal(1).signal_id); }),
              IsOk());
  EXPECT_TRUE(store_->FindByReference(MakeSignal(1).reference_digest)->has_value());
}

TEST_P(NodeStoreTest, AnEnvelopeIsStoredOnceAndOnlyWhileQueued) {
  const NodeSignal signal = MakeSignal(1);
  Insert(signal);
  EXPECT_TRUE(Applied([&](auto& t) { return t.PutEnvelope(signal.signal_id, "first", {1, 77}); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.PutEnvelope(signal.signal_id, "second", {1, 78}); }));
  EXPECT_EQ(Get(signal).envelope, "first");
  EXPECT_EQ(Get(signal).submitted_day, 1u);
  EXPECT_EQ(Get(signal).expiry_day, 77u);
  EXPECT_TRUE(Applied([&](auto& t) { return t.DropEnvelope(signal.signal_id); }));
  EXPECT_TRUE(Applied([&](auto& t) { return t.PutEnvelope(signal.signal_id, "third", {1, 78}); }));
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkSubmitted(signal.signal_id, "receipt", 1, 5000); }));
  EXPECT_EQ(Get(signal).state, NodeSignalState::kSubmitted);
  EXPECT_EQ(Get(signal).envelope, "");
  EXPECT_EQ(Get(signal).record, signal.record);
  EXPECT_EQ(Get(signal).changed_ms, 5000);
  EXPECT_FALSE(Applied([&](auto& t) { return t.PutEnvelope(signal.signal_id, "late", {1, 79}); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.MarkSubmitted(signal.signal_id, "another", 1, 6000); }));
  EXPECT_EQ(Get(signal).receipt, "receipt");
  EXPECT_TRUE(
      Applied([&](auto& t) { return t.End(signal.signal_id, NodeSignalState::kWithdrawn, "", 7000); }));
  EXPECT_EQ(Get(signal).receipt, "receipt");
}

TEST_P(NodeStoreTest, EndingTakesContentAndDigestAndLeavesState) {
  const NodeSignal signal = MakeSignal(1);
  Insert(signal);
  EXPECT_TRUE(Applied([&](auto& t) { return t.PutEnvelope(signal.signal_id, "envelope", {1, 77}); }));
  EXPECT_TRUE(
      Applied([&](auto& t) { return t.End(signal.signal_id, NodeSignalState::kWithdrawn, "why", 9); }));
  const NodeSignal ended = Get(signal);
  EXPECT_EQ(ended.state, NodeSignalState::kWithdrawn);
  EXPECT_EQ(ended.reason, "why");
  EXPECT_EQ(ended.changed_ms, 9);
  EXPECT_EQ(ended.record, "");
  EXPECT_EQ(ended.record_digest, "");
  EXPECT_EQ(ended.envelope, "");
  EXPECT_EQ(ended.reference, signal.reference);
}

TEST_P(NodeStoreTest, WhatHasEndedNeverChangesAgain) {
  const NodeSignal signal = MakeSignal(1);
  Insert(signal);
  EXPECT_TRUE(Applied([&](auto& t) { return t.End(signal.signal_id, NodeSignalState::kWithdrawn, "", 9); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.End(signal.signal_id, NodeSignalState::kExpired, "", 10); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.MarkSubmitted(signal.signal_id, "receipt", 1, 10); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.PutEnvelope(signal.signal_id, "e", {1, 10}); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.DropEnvelope(signal.signal_id); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.PutRotation(signal.signal_id, "e"); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.MarkRotated(signal.signal_id, 2, "receipt"); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.HoldRotation(signal.signal_id, 2, "X"); }));
  EXPECT_EQ(Get(signal).state, NodeSignalState::kWithdrawn);
}

TEST_P(NodeStoreTest, ALateRefusalDoesNotEndASubmittedSignal) {
  const NodeSignal signal = MakeSignal(1);
  Insert(signal);
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkSubmitted(signal.signal_id, "receipt", 1, 5); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.End(signal.signal_id, NodeSignalState::kRefused, "X", 6); }));
  EXPECT_TRUE(Applied([&](auto& t) { return t.End(signal.signal_id, NodeSignalState::kWithdrawn, "", 6); }));
}

TEST_P(NodeStoreTest, ExpiryEndsLiveSignalsOfThatDayAndBeforeUpToTheLimit) {
  for (int number = 1; number <= 4; ++number) {
    NodeSignal signal = MakeSignal(number);
    signal.expiry_day = 100 + static_cast<uint32_t>(number);
    if (number == 2) signal.state = NodeSignalState::kSubmitted;
    if (number == 3) signal.state = NodeSignalState::kWithdrawn;
    Insert(signal);
  }
  std::vector<uint64_t> counts;
  for (int round = 0; round < 3; ++round) {
    ASSERT_THAT(Do([&](NodeTransaction& transaction) -> absl::Status {
                  RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t count, transaction.ExpireUntil(103, 7, 1));
                  counts.push_back(count);
                  return absl::OkStatus();
                }),
                IsOk());
  }
  EXPECT_THAT(counts, ::testing::ElementsAre(1, 1, 0));
  EXPECT_EQ(Get(MakeSignal(1)).state, NodeSignalState::kExpired);
  EXPECT_EQ(Get(MakeSignal(1)).record, "");
  EXPECT_EQ(Get(MakeSignal(2)).state, NodeSignalState::kExpired);
  EXPECT_EQ(Get(MakeSignal(3)).state, NodeSignalState::kWithdrawn);
  EXPECT_EQ(Get(MakeSignal(4)).state, NodeSignalState::kQueued);
}

TEST_P(NodeStoreTest, ListPagesInOrderOfArrivalWithoutContent) {
  for (int number = 1; number <= 5; ++number) Insert(MakeSignal(number));
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkSubmitted(MakeSignal(2).signal_id, "", 1, 5); }));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto first, store_->List(0, 3, std::nullopt));
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[2].sequence, 3u);
  EXPECT_EQ(first[0].record, "");
  EXPECT_EQ(first[0].record_digest, "");
  EXPECT_EQ(first[0].reference, "encrypted reference");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto rest, store_->List(3, 10, std::nullopt));
  EXPECT_EQ(rest.size(), 2u);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto submitted, store_->List(0, 10, NodeSignalState::kSubmitted));
  ASSERT_EQ(submitted.size(), 1u);
  EXPECT_EQ(submitted[0].signal_id, MakeSignal(2).signal_id);
}

TEST_P(NodeStoreTest, TheQueueIsByPurposeOldestFirst) {
  Insert(MakeSignal(1, "b"));
  Insert(MakeSignal(2, "a"));
  Insert(MakeSignal(3, "b"));
  Insert(MakeSignal(4, "c"));
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkSubmitted(MakeSignal(4).signal_id, "", 1, 5); }));
  EXPECT_THAT(*store_->QueuedPurposes(), ::testing::ElementsAre("a", "b"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto queued, store_->Queued("b", 0, 10));
  ASSERT_EQ(queued.size(), 2u);
  EXPECT_EQ(queued[0].sequence, 1u);
  EXPECT_EQ(queued[1].sequence, 3u);
  EXPECT_EQ(queued[0].record, MakeSignal(1).record);
  EXPECT_EQ(store_->Queued("b", 1, 10)->size(), 1u);
  EXPECT_EQ(store_->Queued("b", 0, 1)->size(), 1u);
}

TEST_P(NodeStoreTest, AWithdrawalWaitsUntilItIsRemoved) {
  ASSERT_THAT(Do([](NodeTransaction& transaction) -> absl::Status {
                RAAKVLAK_RETURN_IF_ERROR(transaction.AddWithdrawal({"second", 2, 20}));
                RAAKVLAK_RETURN_IF_ERROR(transaction.AddWithdrawal({"first", 1, 10}));
                return transaction.AddWithdrawal({"second", 1, 30});
              }),
              IsOk());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto waiting, store_->Withdrawals(10));
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_EQ(waiting[0].signal_id, "second");
  EXPECT_EQ(waiting[0].reason, 2);
  EXPECT_EQ(waiting[0].time_ms, 20);
  EXPECT_EQ(store_->Withdrawals(1)->size(), 1u);
  ASSERT_THAT(Do([](NodeTransaction& transaction) { return transaction.RemoveWithdrawal("second"); }),
              IsOk());
  EXPECT_EQ(store_->Withdrawals(10)->size(), 1u);
}

TEST_P(NodeStoreTest, ARequestIdIsTakenOnceForEachPartnerUntilForgotten) {
  const auto remember = [&](const char* partner, const char* id, int64_t time) {
    return Applied([&](auto& transaction) { return transaction.RememberRequest(partner, id, time); });
  };
  EXPECT_TRUE(remember("a", "one", 10));
  EXPECT_FALSE(remember("a", "one", 20));
  EXPECT_TRUE(remember("b", "one", 20));
  ASSERT_THAT(Do([](NodeTransaction& transaction) { return transaction.ForgetRequests(10); }), IsOk());
  EXPECT_FALSE(remember("a", "one", 30));
  ASSERT_THAT(Do([](NodeTransaction& transaction) { return transaction.ForgetRequests(11); }), IsOk());
  EXPECT_TRUE(remember("a", "one", 30));
  EXPECT_FALSE(remember("b", "one", 30));
}

TEST_P(NodeStoreTest, AQuotaIsTakenUpToItsLimitExactlyForEachKey) {
  const EvaluationQuota key = {"a", "p", 1, 7};
  const auto take = [&](const EvaluationQuota& of, uint64_t elements, uint64_t limit) {
    return Applied([&](auto& transaction) { return transaction.TakeQuota(of, elements, limit); });
  };
  EXPECT_FALSE(take(key, 11, 10));
  EXPECT_TRUE(take(key, 9, 10));
  EXPECT_FALSE(take(key, 2, 10));
  EXPECT_TRUE(take(key, 1, 10));
  EXPECT_FALSE(take(key, 1, 10));
  EXPECT_TRUE(take({"b", "p", 1, 7}, 10, 10));
  EXPECT_TRUE(take({"a", "q", 1, 7}, 10, 10));
  EXPECT_TRUE(take({"a", "p", 2, 7}, 10, 10));
  EXPECT_TRUE(take({"a", "p", 1, 8}, 10, 10));
  EXPECT_FALSE(take(key, 1, 5));
  EXPECT_TRUE(take(key, 1, UINT64_MAX));
  ASSERT_THAT(Do([](NodeTransaction& transaction) { return transaction.ForgetQuotas(8); }), IsOk());
  EXPECT_TRUE(take(key, 10, 10));
  EXPECT_FALSE(take({"a", "p", 1, 8}, 1, 10));
}

TEST_P(NodeStoreTest, ASubmittedSignalGoesOverToALaterEpochOnceAndKeepsItsDays) {
  const NodeSignal signal = MakeSignal(1);
  Insert(signal);
  EXPECT_FALSE(Applied([&](auto& t) { return t.PutRotation(signal.signal_id, "queued"); }));
  EXPECT_TRUE(Applied([&](auto& t) { return t.PutEnvelope(signal.signal_id, "first", {7, 77}); }));
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkSubmitted(signal.signal_id, "one", 1, 5000); }));
  EXPECT_EQ(Get(signal).epoch, 1u);
  EXPECT_TRUE(Applied([&](auto& t) { return t.PutRotation(signal.signal_id, "second"); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.PutRotation(signal.signal_id, "third"); }));
  EXPECT_EQ(Get(signal).envelope, "second");
  EXPECT_EQ(Get(signal).receipt, "one");
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkRotated(signal.signal_id, 2, "two"); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.MarkRotated(signal.signal_id, 2, "again"); }));
  const NodeSignal rotated = Get(signal);
  EXPECT_EQ(rotated.state, NodeSignalState::kSubmitted);
  EXPECT_EQ(rotated.epoch, 2u);
  EXPECT_EQ(rotated.settled_epoch, 2u);
  EXPECT_EQ(rotated.envelope, "");
  EXPECT_EQ(rotated.receipt, "two");
  EXPECT_EQ(rotated.submitted_day, 7u);
  EXPECT_EQ(rotated.expiry_day, 77u);
  EXPECT_EQ(rotated.changed_ms, 5000);
  EXPECT_EQ(rotated.record, signal.record);
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkRotated(signal.signal_id, 3, ""); }));
  EXPECT_EQ(Get(signal).receipt, "two");
}

TEST_P(NodeStoreTest, WhatIsDueForAnEpochComesOldestFirstAndEndsWhenItIsSettled) {
  for (int number = 1; number <= 6; ++number) Insert(MakeSignal(number, number == 5 ? "other" : "p1"));
  for (const auto& [number, epoch] :
       std::vector<std::pair<int, uint32_t>>{{1, 2}, {2, 1}, {3, 1}, {4, 3}, {5, 1}}) {
    const std::string id = MakeSignal(number).signal_id;
    EXPECT_TRUE(Applied([&, e = epoch](auto& t) { return t.MarkSubmitted(id, "r", e, 5); }));
  }
  const auto due = [&](RotationPlace after, size_t limit) {
    std::vector<uint64_t> sequences;
    const auto found = store_->RotationDue("p1", 3, after, limit);
    for (const NodeSignal& signal : *found) {
      EXPECT_EQ(signal.record, MakeSignal(1).record);
      sequences.push_back(signal.sequence);
    }
    return sequences;
  };
  EXPECT_THAT(due({}, 10), ::testing::ElementsAre(2, 3, 1));
  EXPECT_THAT(due({}, 2), ::testing::ElementsAre(2, 3));
  EXPECT_THAT(due({1, 2}, 10), ::testing::ElementsAre(3, 1));
  EXPECT_EQ(*store_->Progress("p1", 3), (RotationProgress{4, 1}));
  EXPECT_TRUE(Applied([&](auto& t) { return t.HoldRotation(MakeSignal(2).signal_id, 3, "WHY"); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.HoldRotation(MakeSignal(2).signal_id, 3, "AGAIN"); }));
  EXPECT_FALSE(Applied([&](auto& t) { return t.HoldRotation(MakeSignal(6).signal_id, 3, "QUEUED"); }));
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkRotated(MakeSignal(3).signal_id, 3, "r"); }));
  EXPECT_THAT(due({}, 10), ::testing::ElementsAre(1));
  EXPECT_EQ(*store_->Progress("p1", 3), (RotationProgress{4, 2}));
  EXPECT_EQ(Get(MakeSignal(2)).reason, "WHY");
  EXPECT_EQ(Get(MakeSignal(2)).epoch, 1u);
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkRotated(MakeSignal(2).signal_id, 4, "r"); }));
  EXPECT_EQ(Get(MakeSignal(2)).reason, "");
}

TEST_P(NodeStoreTest, SignalsHeldBackFromAnEpochAreEndedWithTheirReason) {
  for (int number = 1; number <= 4; ++number) {
    Insert(MakeSignal(number, number == 4 ? "other" : "p1"));
    EXPECT_TRUE(Applied([&](auto& t) { return t.MarkSubmitted(MakeSignal(number).signal_id, "r", 1, 5); }));
  }
  for (const int held : {1, 2, 4}) {
    EXPECT_TRUE(Applied([&](auto& t) { return t.HoldRotation(MakeSignal(held).signal_id, 2, "WHY"); }));
  }
  std::vector<uint64_t> counts;
  for (const uint32_t epoch : {3u, 1u, 2u, 2u, 2u}) {
    ASSERT_THAT(Do([&](NodeTransaction& transaction) -> absl::Status {
                  RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t count, transaction.EndHeld("p1", epoch, 9, 1));
                  counts.push_back(count);
                  return absl::OkStatus();
                }),
                IsOk());
  }
  EXPECT_THAT(counts, ::testing::ElementsAre(0, 0, 1, 1, 0));
  EXPECT_EQ(Get(MakeSignal(1)).state, NodeSignalState::kExpired);
  EXPECT_EQ(Get(MakeSignal(1)).reason, "WHY");
  EXPECT_EQ(Get(MakeSignal(1)).record, "");
  EXPECT_EQ(Get(MakeSignal(1)).changed_ms, 9);
  EXPECT_EQ(Get(MakeSignal(3)).state, NodeSignalState::kSubmitted);
  EXPECT_EQ(Get(MakeSignal(4)).state, NodeSignalState::kSubmitted);
}

TEST_P(NodeStoreTest, EndingAPurposeTakesItsLiveSignalsAndNoOthers) {
  for (int number = 1; number <= 4; ++number) Insert(MakeSignal(number, number == 4 ? "other" : "p1"));
  EXPECT_TRUE(Applied([&](auto& t) { return t.MarkSubmitted(MakeSignal(2).signal_id, "r", 1, 5); }));
  EXPECT_TRUE(Applied(
      [&](auto& t) { return t.End(MakeSignal(3).signal_id, NodeSignalState::kWithdrawn, "unjust", 6); }));
  EXPECT_THAT(*store_->LivePurposes(), ::testing::ElementsAre("other", "p1"));
  std::vector<uint64_t> counts;
  for (int round = 0; round < 3; ++round) {
    ASSERT_THAT(Do([&](NodeTransaction& transaction) -> absl::Status {
                  RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t count,
                                            transaction.EndPurpose("p1", "ENDED", 9, 1));
                  counts.push_back(count);
                  return absl::OkStatus();
                }),
                IsOk());
  }
  EXPECT_THAT(counts, ::testing::ElementsAre(1, 1, 0));
  for (const int number : {1, 2}) {
    EXPECT_EQ(Get(MakeSignal(number)).state, NodeSignalState::kExpired);
    EXPECT_EQ(Get(MakeSignal(number)).reason, "ENDED");
    EXPECT_EQ(Get(MakeSignal(number)).record, "");
    EXPECT_EQ(Get(MakeSignal(number)).record_digest, "");
  }
  EXPECT_EQ(Get(MakeSignal(3)).reason, "unjust");
  EXPECT_THAT(*store_->LivePurposes(), ::testing::ElementsAre("other"));
}

TEST_P(NodeStoreTest, AnAllowanceIsGrantedOnceAndSpentUpToWhatWasGranted) {
  const auto grant = [&](uint32_t epoch, const std::vector<EvaluationAllowance>& allowances) {
    return Applied([&](auto& transaction) { return transaction.GrantAllowances("p", epoch, allowances); });
  };
  const auto take = [&](const char* purpose, uint32_t epoch, const char* partner, uint8_t identifier_class,
                        uint64_t elements) {
    return Applied([&](auto& transaction) {
      return transaction.TakeAllowance(purpose, epoch, partner, identifier_class, elements);
    });
  };
  EXPECT_FALSE(take("p", 2, "a", 1, 1));
  EXPECT_FALSE(*store_->IsAllowanceGranted("p", 2));
  EXPECT_TRUE(grant(2, {{"a", 1, 10}, {"b", 2, 5}}));
  EXPECT_TRUE(*store_->IsAllowanceGranted("p", 2));
  EXPECT_FALSE(*store_->IsAllowanceGranted("p", 3));
  EXPECT_FALSE(grant(2, {{"a", 1, 1000}}));
  EXPECT_FALSE(take("p", 2, "a", 1, 11));
  EXPECT_TRUE(take("p", 2, "a", 1, 9));
  EXPECT_FALSE(take("p", 2, "a", 1, 2));
  EXPECT_TRUE(take("p", 2, "a", 1, 1));
  EXPECT_FALSE(take("p", 2, "a", 1, 1));
  EXPECT_FALSE(take("p", 2, "a", 2, 1));
  EXPECT_FALSE(take("q", 2, "b", 2, 1));
  EXPECT_FALSE(take("p", 3, "b", 2, 1));
  EXPECT_FALSE(take("p", 2, "b", 2, UINT64_MAX));
  EXPECT_TRUE(grant(3, {}));
  ASSERT_THAT(Do([](NodeTransaction& transaction) { return transaction.ForgetAllowances("p", 3); }), IsOk());
  EXPECT_FALSE(take("p", 2, "b", 2, 1));
  EXPECT_TRUE(*store_->IsAllowanceGranted("p", 3));
}

// What a log does is in log_test.cc.
TEST_P(NodeStoreTest, AuditEntriesHaveIndicesWithoutGaps) {
  for (uint64_t i = 0; i < 5; ++i) {
    Logged logged;
    EXPECT_THAT(Do([&](NodeTransaction& transaction) -> absl::Status {
                  RAAKVLAK_ASSIGN_OR_RETURN(logged, transaction.AppendAudit({}));
                  return absl::OkStatus();
                }),
                IsOk());
    EXPECT_EQ(logged.id.index, i);
  }
  EXPECT_EQ(testing::Entries(store_->audit_log()).size(), 5u);
}

TEST_P(NodeStoreTest, TheNewestPolicyNeverGoesBack) {
  EXPECT_EQ(store_->Load()->covenant_version, 0u);
  ASSERT_THAT(store_->Store({"id2", 2, 5, "r5"}), IsOk());
  ASSERT_THAT(store_->Store({"other", 2, 6, "r6"}), HasReason("STORAGE_FAILED"));
  ASSERT_THAT(store_->Store({"id2", 2, 5, "other"}), HasReason("STORAGE_FAILED"));
  ASSERT_THAT(store_->Store({"id1", 1, 9}), HasReason("STORAGE_FAILED"));
  ASSERT_THAT(store_->Store({"id2", 2, 4}), HasReason("STORAGE_FAILED"));
  EXPECT_EQ(store_->Load()->covenant_id, "id2");
  EXPECT_EQ(store_->Load()->roster_number, 5u);
  EXPECT_EQ(store_->Load()->roster_id, "r5");
  ASSERT_THAT(store_->Store({"id3", 3, 6}), IsOk());
  EXPECT_EQ(store_->Load()->covenant_version, 3u);
}

TEST_P(NodeStoreTest, TheFirstKeyCheckStays) {
  EXPECT_EQ(*store_->KeyCheck("first"), "first");
  EXPECT_EQ(*store_->KeyCheck("second"), "first");
}

TEST(SqliteNodeStoreTest, EverythingIsThereAfterReopening) {
  TemporaryFolder folder;
  {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(auto store,
                                  SqliteNodeStore::Open(folder.File("node.db"), testing::TestCodec()));
    ASSERT_THAT(store->Write("test",
                             [](NodeTransaction& transaction) -> absl::Status {
                               RAAKVLAK_RETURN_IF_ERROR(transaction.Insert(MakeSignal(1)));
                               RAAKVLAK_RETURN_IF_ERROR(transaction.RememberRequest("a", "one", 10).status());
                               RAAKVLAK_RETURN_IF_ERROR(transaction.AddWithdrawal({"id", 1, 1}));
                               return transaction.AppendAudit({}).status();
                             }),
                IsOk());
    ASSERT_THAT(store->Store({"id", 1, 1}), IsOk());
    ASSERT_THAT(store->KeyCheck("check"), IsOk());
  }
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(auto store,
                                SqliteNodeStore::Open(folder.File("node.db"), testing::TestCodec()));
  EXPECT_EQ(store->Queued("p1", 0, 10)->size(), 1u);
  EXPECT_EQ(store->Withdrawals(10)->size(), 1u);
  EXPECT_EQ(testing::Entries(store->audit_log()).size(), 1u);
  EXPECT_EQ(store->Load()->covenant_id, "id");
  EXPECT_EQ(*store->KeyCheck("other"), "check");
  bool fresh = true;
  ASSERT_THAT(store->Write("test",
                           [&](NodeTransaction& transaction) -> absl::Status {
                             RAAKVLAK_ASSIGN_OR_RETURN(fresh, transaction.RememberRequest("a", "one", 10));
                             return absl::OkStatus();
                           }),
              IsOk());
  EXPECT_FALSE(fresh);
}

}  // namespace
}  // namespace raakvlak::storage
