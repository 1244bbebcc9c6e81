// What a node does at the turn of an epoch, beside bringing its signals over (rotator_test): what it seals
// under, what it serves as a holder and grants beside quotas, and what it destroys.
#include <climits>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "base/testing/status_matchers.h"
#include "crypto/oprf/oprf.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/node/destruction.h"
#include "server/node/epoch_reminder.h"
#include "server/node/evaluation.h"
#include "server/node/sealing_epoch.h"
#include "server/storage/testing/entries.h"
#include "tests/support/keyset.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using storage::NodeSignalState;
using testing::NodeWorld;

constexpr char kPurpose[] = "onaantastbaren";
constexpr absl::Duration kOverlap = absl::Hours(24 * 14);

class EpochTest : public ::testing::Test {
 protected:
  explicit EpochTest(const std::function<void(v1::Covenant&)>& change = nullptr) : world_(change) {}

  // Has the holder politie evaluate for gemeente under the key of `epoch`.
  absl::Status Ask(uint32_t epoch, size_t count = 1, const std::string& partner = "gemeente",
                   v1::IdentifierClass identifier_class = v1::PERSON) {
    std::string elements;
    for (size_t i = 0; i < count; ++i) {
      absl::StrAppend(&elements,
                      crypto::oprf::Blind(absl::StrCat("input ", i), world_.random())->blinded.Encode());
    }
    const v1::EvaluateRequest request =
        MakeEvaluateRequest({world_.KeysetOf(kPurpose, identifier_class, epoch)->id(), partner, "politie",
                             world_.random().Bytes(kRequestIdSize), world_.clock().Now()},
                            elements, world_.region().KeyOf(TestRegion::Urn("node", partner)));
    return world_.node("politie").key_share->Evaluate(world_.Snapshot(), partner, request).status();
  }
  std::vector<storage::AuditEntry> Entries(const std::string& action) {
    storage::AuditFilter filter;
    filter.action = action;
    return storage::testing::Entries(world_.node("politie").environment.store->audit_log(), filter);
  }
  std::vector<uint32_t> EpochsOf(const std::string& purpose) {
    std::set<uint32_t> epochs;
    for (const auto& keyset : world_.node("politie").keys->Now()->keysets().all()) {
      if (keyset->text().purpose == purpose) epochs.insert(keyset->text().epoch);
    }
    return {epochs.begin(), epochs.end()};
  }
  // What the entries "key_destroyed" of politie name.
  std::multiset<std::string> Destroyed() {
    std::multiset<std::string> ids;
    for (const auto& entry : Entries("key_destroyed")) ids.insert(entry.object);
    return ids;
  }
  std::filesystem::path ShareOf(const policy::Keyset& keyset) const {
    return std::filesystem::path(world_.excluded_addresses_path()).parent_path() / "politie.shares" /
           (base::Hex(keyset.id()) + ".share");
  }
  storage::NodeSignal Stored(const std::string& client_ref) {
    auto& node = world_.node("politie");
    return **node.environment.store->FindByReference(node.vault->ReferenceDigest(client_ref));
  }
  void Look() { world_.node("politie").destruction->Look(); }
  absl::StatusOr<const v1::Purpose*> Terms(const policy::Snapshot& snapshot,
                                           const std::string& purpose = kPurpose) {
    return FindSealingTerms(world_.node("politie").environment, snapshot, purpose);
  }
  NodeWorld world_;
};

TEST_F(EpochTest, WithoutAnOverlapAndWithoutKeysSignalsWait) {
  world_.RaiseEpoch(kPurpose, absl::ZeroDuration(), NodeWorld::Keys::kNone);
  EXPECT_THAT(Terms(world_.Snapshot()), HasReason("KEYSET_UNKNOWN"));
  world_.Push("politie", NodeWorld::RecordOf("ref-0"));
  world_.Drain("politie");
  EXPECT_EQ(world_.StateOf("politie", "ref-0").state(), v1::QUEUED);
  EXPECT_EQ(world_.StateOf("politie", "ref-0").reason(), "KEYSET_UNKNOWN");
  world_.MakeKeys();
  world_.clock().Advance(absl::Seconds(30));
  world_.Drain("politie");
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
}

TEST_F(EpochTest, AQueuedEnvelopeOfAnEpochThatHasEndedIsMadeAnew) {
  world_.broker().away = true;
  const std::string id = world_.Push("politie", NodeWorld::RecordOf("ref-0")).signal_id();
  world_.Drain("politie");
  ASSERT_FALSE(Stored("ref-0").envelope.empty());
  world_.RaiseEpoch(kPurpose, kOverlap);
  world_.clock().Advance(kOverlap);
  world_.broker().away = false;
  world_.Drain("politie");
  EXPECT_EQ(Stored("ref-0").state, NodeSignalState::kSubmitted);
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
  EXPECT_EQ((world_.broker().version_hashes.count({id, 1})), 0u) << "it was not even sent";
}

TEST_F(EpochTest, AnEnvelopeMadeAnewWaitsWhileTheBrokerHasTheOneOfTheEpochThatEnded) {
  world_.broker().lose_answers = true;
  world_.Push("politie", NodeWorld::RecordOf("ref-0"));
  world_.Drain("politie");
  world_.RaiseEpoch(kPurpose, kOverlap);
  world_.clock().Advance(kOverlap);
  world_.broker().lose_answers = false;
  world_.broker().refuse_with = "ENVELOPE_CONFLICT";
  world_.Drain("politie");
  EXPECT_EQ(world_.StateOf("politie", "ref-0").state(), v1::QUEUED);
  EXPECT_EQ(world_.StateOf("politie", "ref-0").reason(), "ENVELOPE_CONFLICT");
  world_.broker().EndEpoch(kPurpose, 1);
  world_.broker().refuse_with = "";
  world_.clock().Advance(absl::Seconds(30));
  world_.Drain("politie");
  EXPECT_EQ(Stored("ref-0").state, NodeSignalState::kSubmitted);
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
}

TEST_F(EpochTest, AQueuedEnvelopeOfTheEpochBeforeIsSentAsItIsDuringTheOverlap) {
  world_.broker().lose_answers = true;
  const std::string id = world_.Push("politie", NodeWorld::RecordOf("ref-0")).signal_id();
  world_.Drain("politie");
  world_.RaiseEpoch(kPurpose, kOverlap);
  world_.broker().lose_answers = false;
  world_.clock().Advance(absl::Seconds(30));
  world_.Drain("politie");
  EXPECT_EQ(Stored("ref-0").epoch, 1u);
  EXPECT_EQ(world_.broker().hashes[id].size(), 1u);
}

TEST_F(EpochTest, AHolderServesTheEpochsInForceAndNoOthers) {
  world_.RaiseEpoch(kPurpose, kOverlap);
  EXPECT_THAT(Ask(1), IsOk());
  EXPECT_THAT(Ask(2), IsOk());
  world_.clock().Advance(kOverlap - absl::Seconds(1));
  EXPECT_THAT(Ask(1), IsOk());
  world_.clock().Advance(absl::Seconds(1));
  EXPECT_THAT(Ask(1), HasReason("KEYSET_UNKNOWN")) << "also while its share is there still";
  EXPECT_THAT(Ask(2), IsOk());
}

class AllowanceTest : public EpochTest {
 protected:
  AllowanceTest()
      : EpochTest([](v1::Covenant& covenant) {
          for (v1::Quota& quota : *covenant.mutable_quotas()) quota.set_elements_per_day(10);
          covenant.set_epoch_days(20);
        }) {
    world_.RaiseEpoch(kPurpose, kOverlap);
    world_.broker().allowances.set_epoch(1);
    Allow("gemeente", v1::PERSON, 15);
  }
  void Allow(const std::string& partner, v1::IdentifierClass identifier_class, uint64_t tokens) {
    v1::Allowance& allowance = *world_.broker().allowances.add_allowances();
    allowance.set_partner(partner);
    allowance.set_identifier_class(identifier_class);
    allowance.set_tokens(tokens);
  }
};

TEST_F(AllowanceTest, ItIsSpentBesideTheDaysQuotaAndNeverTwice) {
  ASSERT_THAT(Ask(2, 10), IsOk());
  EXPECT_EQ(world_.broker().allowances_asked, 0) << "not before it is needed";
  EXPECT_THAT(Ask(2, 14), IsOk());
  EXPECT_THAT(Ask(2, 2), HasReason("QUOTA_EXCEEDED"));
  EXPECT_THAT(Ask(2, 1), IsOk());
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
  world_.Restart("politie");
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(world_.broker().allowances_asked, 1);
  world_.clock().Advance(absl::Hours(24));
  EXPECT_THAT(Ask(2, 10), IsOk());
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
  const auto granted = Entries("allowance");
  ASSERT_EQ(granted.size(), 1u);
  EXPECT_EQ(granted[0].count, 15u);
  EXPECT_EQ(granted[0].purpose, kPurpose);
  const auto evaluations = Entries("evaluate");
  ASSERT_GE(evaluations.size(), 3u);
  EXPECT_EQ(evaluations[0].reason, "");
  EXPECT_EQ(evaluations[1].reason, "allowance");
  EXPECT_EQ(evaluations[1].count, 14u);
}

TEST_F(AllowanceTest, ItIsForTheNewEpochItsPartnerAndItsClassOnly) {
  ASSERT_THAT(Ask(2, 10), IsOk());
  EXPECT_THAT(Ask(1, 1), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(world_.broker().allowances_asked, 0);
  ASSERT_THAT(Ask(2, 10, "jeugdzorg"), IsOk());
  EXPECT_THAT(Ask(2, 1, "jeugdzorg"), HasReason("QUOTA_EXCEEDED"));
  ASSERT_THAT(Ask(2, 10, "gemeente", v1::BSN), IsOk());
  EXPECT_THAT(Ask(2, 1, "gemeente", v1::BSN), HasReason("QUOTA_EXCEEDED"));
  EXPECT_THAT(Ask(2, 15), IsOk());
}

TEST_F(AllowanceTest, ItIsNoMoreThanTheQuotaOfAWholeEpoch) {
  world_.broker().allowances.clear_allowances();
  Allow("gemeente", v1::PERSON, UINT64_MAX);
  Allow("stranger", v1::PERSON, 5);
  ASSERT_THAT(Ask(2, 10), IsOk());
  EXPECT_THAT(Ask(2, 200), IsOk());
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(Entries("allowance")[0].count, 200u);
}

TEST_F(AllowanceTest, ABrokerThatIsAwayOrNamesAnotherEpochIsAskedAgainLater) {
  ASSERT_THAT(Ask(2, 10), IsOk());
  world_.broker().away = true;
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(world_.broker().allowances_asked, 1) << "it rests";
  world_.broker().away = false;
  world_.broker().allowances.set_epoch(2);
  world_.clock().Advance(absl::Seconds(30));
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
  EXPECT_EQ(world_.broker().allowances_asked, 2);
  world_.broker().allowances.set_epoch(1);
  world_.clock().Advance(absl::Seconds(30));
  EXPECT_THAT(Ask(2, 15), IsOk());
}

TEST_F(AllowanceTest, WhileTheBrokerIsAskedOthersAreToldAtOnce) {
  auto& client = static_cast<client::testing::FakeExchangeClient&>(world_.broker().ClientOf("politie"));
  const auto answer = client.on_list_allowances;
  int nested = 0;
  client.on_list_allowances = [&](const v1::ListAllowancesRequest& request) {
    if (++nested == 1) {
      EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
    }
    return answer(request);
  };
  ASSERT_THAT(Ask(2, 10), IsOk());
  EXPECT_THAT(Ask(2, 1), IsOk());
  EXPECT_EQ(nested, 1);
}

TEST_F(AllowanceTest, WhatWasGrantedMeanwhileIsNotGrantedAgain) {
  auto& client = static_cast<client::testing::FakeExchangeClient&>(world_.broker().ClientOf("politie"));
  const auto answer = client.on_list_allowances;
  client.on_list_allowances = [&](const v1::ListAllowancesRequest& request) {
    EXPECT_THAT(world_.node("politie").environment.store->Write(
                    "meanwhile",
                    [](storage::NodeTransaction& transaction) {
                      return transaction.GrantAllowances(kPurpose, 2, {}).status();
                    }),
                IsOk());
    return answer(request);
  };
  ASSERT_THAT(Ask(2, 10), IsOk());
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
  EXPECT_TRUE(Entries("allowance").empty());
}

TEST_F(AllowanceTest, ItIsForgottenWithTheOverlap) {
  ASSERT_THAT(Ask(2, 10), IsOk());
  ASSERT_THAT(Ask(2, 5), IsOk());
  storage::NodeStore& store = *world_.node("politie").environment.store;
  Look();
  EXPECT_TRUE(*store.IsAllowanceGranted(kPurpose, 2));
  world_.clock().Advance(kOverlap);
  Look();
  EXPECT_FALSE(*store.IsAllowanceGranted(kPurpose, 2));
}

TEST_F(AllowanceTest, ItEndsWithTheOverlap) {
  ASSERT_THAT(Ask(2, 10), IsOk());
  ASSERT_THAT(Ask(2, 5), IsOk());
  world_.clock().Advance(kOverlap);
  ASSERT_THAT(Ask(2, 10), IsOk());
  EXPECT_THAT(Ask(2, 1), HasReason("QUOTA_EXCEEDED"));
}

TEST_F(EpochTest, KeysOfAnEpochAreDestroyedWhenTheOverlapIsOver) {
  world_.RaiseEpoch(kPurpose, kOverlap);
  Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(1, 2));
  world_.clock().Advance(kOverlap - absl::Seconds(1));
  Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(1, 2));
  const std::string old = world_.KeysetOf(kPurpose, v1::PERSON, 1)->id();
  world_.clock().Advance(absl::Seconds(1));
  Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(2));
  EXPECT_THAT(EpochsOf("risicojeugd"), ::testing::ElementsAre(1));
  EXPECT_EQ(world_.node("politie").keys->Now()->FindShare(old), nullptr);
  std::set<std::string> destroyed;
  for (const auto& entry : Entries("key_destroyed")) {
    EXPECT_EQ(entry.purpose, kPurpose);
    destroyed.insert(entry.object);
  }
  EXPECT_EQ(destroyed.count(base::Hex(old)), 1u);
  EXPECT_EQ(destroyed.count(base::Hex(world_.KeysetOf(kPurpose, v1::PERSON, 2)->id())), 0u);
  EXPECT_TRUE(Entries("expire").empty()) << "no signal ended";
  const size_t entries = Entries("key_destroyed").size();
  EXPECT_EQ(entries, destroyed.size());
  Look();
  EXPECT_EQ(Entries("key_destroyed").size(), entries);
}

TEST_F(EpochTest, KeysAreNotDestroyedBeforeThatIsLogged) {
  world_.RaiseEpoch(kPurpose, absl::ZeroDuration());
  Environment environment = world_.node("politie").environment;
  testing::FlakyStore flaky(*environment.store, 1, testing::FlakyStore::When::kBefore);
  environment.store = &flaky;
  Destruction(environment).Look();
  EXPECT_TRUE(flaky.failed());
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(1, 2));
  Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(2));
}

TEST_F(EpochTest, AFileThatCannotBeDeletedIsTriedAgainWithoutFurtherEntries) {
  world_.RaiseEpoch(kPurpose, absl::ZeroDuration());
  const std::filesystem::path share = ShareOf(*world_.KeysetOf(kPurpose, v1::PERSON, 1));
  ASSERT_TRUE(std::filesystem::remove(share));
  ASSERT_TRUE(std::filesystem::create_directories(share / "in the way"));
  Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(1, 2));
  const size_t entries = Entries("key_destroyed").size();
  EXPECT_GT(entries, 0u);
  Look();
  std::filesystem::remove_all(share);
  Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(2));
  EXPECT_EQ(Entries("key_destroyed").size(), entries);
}

TEST_F(EpochTest, AProcessThatDiesBetweenEntryAndDeletionWritesTheEntryTwiceAndLosesNone) {
  world_.RaiseEpoch(kPurpose, absl::ZeroDuration());
  std::multiset<std::string> twice;
  for (const auto& keyset : world_.node("politie").keys->Now()->keysets().all()) {
    if (keyset->text().purpose != kPurpose || keyset->text().epoch != 1) continue;
    for (int i = 0; i < 2; ++i) twice.insert(base::Hex(keyset->id()));
  }
  ASSERT_FALSE(twice.empty());
  const std::filesystem::path share = ShareOf(*world_.KeysetOf(kPurpose, v1::PERSON, 1));
  ASSERT_TRUE(std::filesystem::remove(share));
  ASSERT_TRUE(std::filesystem::create_directories(share / "in the way"));
  Look();
  std::filesystem::remove_all(share);
  Destruction(world_.node("politie").environment).Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(2));
  EXPECT_EQ(Destroyed(), twice);
}

// Installs a keyset once, between the entries of others and their deletion.
class InstallingStore final : public raakvlak::testing::ForwardingNodeStore {
 public:
  InstallingStore(storage::NodeStore& store, KeyRing& ring, raakvlak::testing::MadeKeyset made)
      : ForwardingNodeStore(store), ring_(ring), made_(std::move(made)) {}
  absl::Status Write(absl::string_view name,
                     absl::FunctionRef<absl::Status(storage::NodeTransaction&)> body) override {
    const absl::Status written = ForwardingNodeStore::Write(name, body);
    if (!std::exchange(installed_, true)) {
      EXPECT_THAT(ring_.Install(made_.note, made_.keyset, nullptr), IsOk());
    }
    return written;
  }

 private:
  KeyRing& ring_;
  const raakvlak::testing::MadeKeyset made_;
  bool installed_ = false;
};

TEST_F(EpochTest, AKeysetThatComesWhileOrAfterItsEpochIsDestroyedHasItsEntryToo) {
  world_.RaiseEpoch(kPurpose, absl::ZeroDuration());
  const policy::Snapshot snapshot = world_.Snapshot();
  const auto late = [&](v1::IdentifierClass identifier_class) {
    const auto old = snapshot.chain->all().front();
    return raakvlak::testing::MakeKeyset(world_.region(), *old, *snapshot.chain, *old->FindPurpose(kPurpose),
                                         identifier_class, crypto::group::Scalar::Random(world_.random()),
                                         world_.random());
  };
  Environment environment = world_.node("politie").environment;
  KeyRing& ring = *world_.node("politie").keys;
  const raakvlak::testing::MadeKeyset after = late(v1::PERSON);
  const raakvlak::testing::MadeKeyset between = late(v1::BSN);
  InstallingStore store(*environment.store, ring, between);
  Destruction destruction(environment);
  destruction.Look();
  ASSERT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(2));
  EXPECT_EQ(Destroyed().count(base::Hex(after.keyset->id())), 0u);
  ASSERT_THAT(ring.Install(after.note, after.keyset, nullptr), IsOk());
  destruction.Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(2));
  EXPECT_EQ(Destroyed().count(base::Hex(after.keyset->id())), 1u);

  ASSERT_THAT(ring.Install(after.note, after.keyset, nullptr), IsOk());
  environment.store = &store;
  Destruction(environment).Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(2));
  EXPECT_EQ(Destroyed().count(base::Hex(between.keyset->id())), 1u);
}

TEST_F(EpochTest, WithNothingToDestroyNothingIsWritten) {
  world_.RaiseEpoch(kPurpose, absl::ZeroDuration());
  Environment environment = world_.node("politie").environment;
  testing::FlakyStore counting(*environment.store, INT_MAX, testing::FlakyStore::When::kBefore);
  environment.store = &counting;
  Destruction destruction(environment);
  destruction.Look();
  const int writes = counting.writes();
  EXPECT_GT(writes, 0);
  destruction.Look();
  EXPECT_EQ(counting.writes(), writes);
}

TEST_F(EpochTest, SignalsOfAPurposeThatIsGoneEndInSeveralTransactions) {
  for (int i = 0; i < 3; ++i) world_.Push("politie", NodeWorld::RecordOf(absl::StrCat("ref-", i)));
  world_.RemovePurpose(kPurpose);
  Destruction(world_.node("politie").environment, 2).Look();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Stored(absl::StrCat("ref-", i)).state, NodeSignalState::kExpired);
  const auto entries = Entries("expire");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].count, 2u);
  EXPECT_EQ(entries[1].count, 1u);
}

TEST_F(EpochTest, APurposeThatIsGoneTakesItsKeysAndSignalsWithIt) {
  world_.Push("politie", NodeWorld::RecordOf("sent"));
  world_.Push("politie", NodeWorld::RecordOf("stays", "risicojeugd"));
  world_.Drain("politie");
  world_.broker().away = true;
  world_.Push("politie", NodeWorld::RecordOf("queued"));
  world_.Drain("politie");
  world_.RemovePurpose(kPurpose);
  world_.broker().away = false;
  world_.broker().batches.clear();
  world_.clock().Advance(absl::Seconds(30));
  world_.Drain("politie");
  EXPECT_TRUE(world_.broker().batches.empty()) << "nothing of it is sent any more";
  EXPECT_EQ(Stored("queued").state, NodeSignalState::kQueued);
  Look();
  for (const char* ref : {"sent", "queued"}) {
    const storage::NodeSignal ended = Stored(ref);
    EXPECT_EQ(ended.state, NodeSignalState::kExpired) << ref;
    EXPECT_EQ(ended.reason, "PURPOSE_ENDED");
    EXPECT_EQ(ended.record, "");
    EXPECT_EQ(ended.record_digest, "");
    EXPECT_EQ(ended.envelope, "");
  }
  EXPECT_EQ(Stored("stays").state, NodeSignalState::kSubmitted);
  EXPECT_TRUE(EpochsOf(kPurpose).empty());
  EXPECT_FALSE(EpochsOf("risicojeugd").empty());
  const auto entries = Entries("expire");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].count, 2u);
  EXPECT_EQ(entries[0].reason, "PURPOSE_ENDED");
  EXPECT_FALSE(Entries("key_destroyed").empty());
}

TEST_F(EpochTest, ANodeSealsUnderTheNewestServedEpochWithAllItsKeys) {
  const policy::Snapshot before = world_.Snapshot();
  EXPECT_EQ((*Terms(before))->epoch(), 1u);
  EXPECT_THAT(Terms(before, "nothing"), HasReason("PURPOSE_UNKNOWN"));
  world_.RaiseEpoch(kPurpose, kOverlap, NodeWorld::Keys::kNone);
  policy::Snapshot snapshot = world_.Snapshot();
  ASSERT_EQ(snapshot.covenant->FindPurpose(kPurpose)->epoch(), 2u);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::Purpose* old, Terms(snapshot));
  EXPECT_EQ(old->epoch(), 1u);
  policy::Snapshot alone = snapshot;
  alone.chain = nullptr;
  EXPECT_THAT(Terms(alone), HasReason("KEYSET_UNKNOWN")) << "the terms of epoch 1 are not known";
  EXPECT_EQ((*Terms(snapshot, "risicojeugd"))->epoch(), 1u);
  world_.MakeKeys({v1::PERSON});
  EXPECT_EQ((*Terms(snapshot))->epoch(), 1u) << "keys of other classes are missing";
  world_.MakeKeys();
  EXPECT_EQ((*Terms(snapshot))->epoch(), 2u);
}

TEST_F(EpochTest, BeforeTheNewKeysAreThereSignalsAreSealedInTheEpochBefore) {
  world_.RaiseEpoch(kPurpose, kOverlap, NodeWorld::Keys::kNone);
  const std::string id = world_.Push("politie", NodeWorld::RecordOf("ref-0")).signal_id();
  world_.Drain("politie");
  EXPECT_EQ(Stored("ref-0").epoch, 1u);
  EXPECT_EQ((world_.broker().versions.at({id, 1}).header.covenant_id()), world_.Snapshot().covenant->id());
  EXPECT_THAT(world_.broker().refusals, ::testing::IsEmpty());
  world_.MakeKeys();
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
}

TEST_F(EpochTest, KeysThatOnlyTheNextCovenantWantsAreKept) {
  world_.AnnouncePurpose("nieuw", absl::Hours(24 * 5));
  const policy::Snapshot snapshot = world_.Snapshot();
  ASSERT_EQ(snapshot.covenant->FindPurpose("nieuw"), nullptr);
  ASSERT_NE(snapshot.chain->After(*snapshot.covenant), nullptr);
  world_.MakeKeys({}, snapshot.chain->After(*snapshot.covenant));
  ASSERT_THAT(EpochsOf("nieuw"), ::testing::ElementsAre(1));
  Look();
  EXPECT_THAT(EpochsOf("nieuw"), ::testing::ElementsAre(1));
  EXPECT_TRUE(Entries("key_destroyed").empty());
}

TEST_F(EpochTest, WithoutAPolicyInForceNothingIsDestroyed) {
  world_.RaiseEpoch(kPurpose, kOverlap);
  world_.clock().Advance(absl::Hours(24 * 365 * 30));
  ASSERT_FALSE(world_.region().authority().Current().ok());
  Look();
  EXPECT_THAT(EpochsOf(kPurpose), ::testing::ElementsAre(1, 2));
}

class EpochReminderTest : public EpochTest {
 protected:
  EpochReminderTest()
      : EpochTest([](v1::Covenant& covenant) {
          covenant.set_valid_from("2027-01-15T08:00:00Z");
          covenant.set_epoch_days(2);
        }) {}

  // Whether all is in time, and how often the log says that it is not.
  std::pair<bool, size_t> Remind() {
    ::testing::internal::CaptureStderr();
    const bool in_time = reminder_.Look(world_.Snapshot());
    const std::string log = ::testing::internal::GetCapturedStderr();
    const std::vector<std::string> parts = absl::StrSplit(log, "\"node.epoch_over\"");
    return {in_time, parts.size() - 1};
  }
  static std::pair<bool, size_t> Told(bool in_time, size_t lines) { return {in_time, lines}; }
  EpochReminder reminder_{world_.clock()};
};

TEST_F(EpochReminderTest, ItTellsOnceADayOfEachPurposeWhoseEpochIsOver) {
  world_.clock().Advance(absl::Hours(47));
  const size_t purposes = static_cast<size_t>(world_.Snapshot().covenant->text().purposes_size());
  world_.clock().Advance(absl::Hours(1));
  EXPECT_EQ(Remind(), Told(false, purposes));
  world_.clock().Advance(absl::Hours(23));
  EXPECT_EQ(Remind(), Told(false, 0));
  world_.RaiseEpoch(kPurpose, kOverlap);
  world_.clock().Advance(absl::Hours(1));
  EXPECT_EQ(Remind(), Told(false, purposes - 1));
}

TEST_F(EpochReminderTest, InTimeItSaysNothing) {
  world_.clock().Set(world_.Snapshot().covenant->valid_from() + absl::Hours(48) - absl::Seconds(1));
  EXPECT_EQ(Remind(), Told(true, 0));
  world_.clock().Advance(absl::Seconds(1));
  EXPECT_FALSE(Remind().first);
}

}  // namespace
}  // namespace raakvlak::node
