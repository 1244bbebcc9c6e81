#include "server/node/rotator.h"

#include <climits>

#include "absl/strings/str_cat.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/storage/testing/entries.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node {
namespace {

using base::testing::IsOk;
using testing::FlakyStore;
using testing::NodeWorld;

constexpr char kRotated[] = "onaantastbaren";
constexpr absl::Duration kTwoWeeks = absl::Hours(24 * 14);

storage::NodeSignal StoredAt(NodeWorld& world, const std::string& client_ref) {
  testing::TestNode& node = world.node("politie");
  return **node.environment.store->FindByReference(node.vault->ReferenceDigest(client_ref));
}

class RotatorTest : public ::testing::Test {
 protected:
  explicit RotatorTest(const std::function<void(v1::Covenant&)>& change = nullptr) : world_(change) {}

  // Pushes and submits records ref-0 .. ref-<count - 1> in the epoch in force; returns their ids.
  std::vector<std::string> Submit(int count, const std::string& purpose = kRotated) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      ids.push_back(
          world_.Push("politie", NodeWorld::RecordOf(absl::StrCat("ref-", i), purpose)).signal_id());
    }
    world_.Drain("politie");
    return ids;
  }
  void RestAndRotate() {
    world_.clock().Advance(absl::Seconds(30));
    world_.Rotate("politie");
  }
  std::string LogOfRotation() {
    ::testing::internal::CaptureStderr();
    world_.Rotate("politie");
    return ::testing::internal::GetCapturedStderr();
  }
  // How many batches leave at once.
  int Sent() {
    int sent = 0;
    world_.broker().on_submit = [&] { ++sent; };
    world_.Rotate("politie");
    world_.broker().on_submit = nullptr;
    return sent;
  }
  storage::NodeSignal Stored(const std::string& client_ref) { return StoredAt(world_, client_ref); }
  storage::RotationProgress Progress() {
    return *world_.node("politie").environment.store->Progress(kRotated, 2);
  }
  absl::Status Withdraw(const std::string& client_ref) {
    v1::WithdrawRequest request;
    request.set_client_ref(client_ref);
    request.set_reason("unjust");
    return world_.node("politie").intake->Withdraw(world_.ItPass("politie"), request).status();
  }
  NodeWorld world_;
};

TEST_F(RotatorTest, ALiveSignalGoesOverWithItsIdItsDaysAndANewReceipt) {
  const std::string id = Submit(1)[0];
  const storage::NodeSignal before = Stored("ref-0");
  const auto old = world_.broker().versions.at({id, 1});
  world_.clock().Advance(absl::Hours(24 * 5));
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.Rotate("politie");

  const storage::NodeSignal after = Stored("ref-0");
  EXPECT_EQ(after.state, storage::NodeSignalState::kSubmitted);
  EXPECT_EQ(after.epoch, 2u);
  EXPECT_EQ(after.signal_id, id);
  EXPECT_EQ(after.envelope, "");
  EXPECT_EQ(after.record, before.record);
  EXPECT_NE(after.receipt, before.receipt);
  EXPECT_EQ(after.expiry_day, before.expiry_day);
  ASSERT_EQ(world_.broker().versions.count({id, 2}), 1u);
  const auto& version = world_.broker().versions.at({id, 2});
  EXPECT_EQ(version.header.submitted_day(), old.header.submitted_day());
  EXPECT_EQ(version.header.expiry_day(), old.header.expiry_day());
  EXPECT_EQ(version.header.kind(), old.header.kind());
  EXPECT_NE(version.header.seal_key_id(), old.header.seal_key_id());
  for (int i = 0; i < version.body.tokens_size(); ++i) {
    EXPECT_NE(version.body.tokens(i).tag(), old.body.tokens(i).tag());
  }
  EXPECT_THAT(world_.broker().refusals, ::testing::IsEmpty());
}

TEST_F(RotatorTest, TwoOrganisationsStillHaveOneTagInTheNewEpoch) {
  for (const char* partner : {"politie", "gemeente"}) {
    world_.Push(partner, NodeWorld::RecordOf("ref-0"));
    world_.Drain(partner);
  }
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  for (const char* partner : {"politie", "gemeente"}) world_.Rotate(partner);
  const auto& taken = world_.broker().taken;
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken.begin()->second.header.epoch(), 2u);
  EXPECT_EQ(taken.begin()->second.body.tokens(0).tag(), taken.rbegin()->second.body.tokens(0).tag());
}

TEST_F(RotatorTest, OldestGoFirstOneUnitAtATimeAndEachOnce) {
  const std::vector<std::string> ids = Submit(5);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().taken_batches.clear();
  Rotator& rotator = world_.MakeRotator("politie", 2);
  EXPECT_TRUE(rotator.Step());
  EXPECT_EQ(Progress(), (storage::RotationProgress{5, 2}));
  const auto status = rotator.Status(world_.Snapshot());
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status.front().purpose(), kRotated);
  EXPECT_EQ(status.front().epoch(), 2u);
  EXPECT_EQ(status.front().live(), 5u);
  EXPECT_EQ(status.front().rotated(), 2u);
  EXPECT_FALSE(status.front().until().empty());
  world_.Rotate("politie");
  EXPECT_THAT(world_.broker().taken_batches,
              ::testing::ElementsAre(std::set<std::string>{ids[0], ids[1]},
                                     std::set<std::string>{ids[2], ids[3]}, std::set<std::string>{ids[4]}));
  EXPECT_EQ(Progress(), (storage::RotationProgress{5, 5}));
  EXPECT_EQ(rotator.Status(world_.Snapshot()).size(), 1u) << "the overlap goes on";
  world_.broker().batches.clear();
  RestAndRotate();
  EXPECT_TRUE(world_.broker().batches.empty()) << "what has gone over is not sent again";
  world_.clock().Advance(kTwoWeeks);
  EXPECT_TRUE(rotator.Status(world_.Snapshot()).empty());
}

TEST_F(RotatorTest, ItKeepsItsDaysWhenTheCovenantGetsAnotherRetention) {
  const std::string id = Submit(1)[0];
  const uint32_t expiry = Stored("ref-0").expiry_day;
  world_.clock().Advance(absl::Hours(24 * 2));
  world_.RaiseEpoch(kRotated, kTwoWeeks, NodeWorld::Keys::kAll,
                    [](v1::Purpose& purpose) { purpose.set_retention_days(100); });
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
  EXPECT_EQ((world_.broker().versions.at({id, 2}).header.expiry_day()), expiry);
}

TEST_F(RotatorTest, WithoutANewEpochNothingIsSent) {
  Submit(1);
  world_.broker().batches.clear();
  RestAndRotate();
  EXPECT_TRUE(world_.broker().batches.empty());
  EXPECT_TRUE(world_.node("politie").rotator->Status(world_.Snapshot()).empty());
}

TEST_F(RotatorTest, WithoutTheKeysOfTheNewEpochNothingIsSent) {
  Submit(1);
  world_.RaiseEpoch(kRotated, kTwoWeeks, NodeWorld::Keys::kNone);
  world_.broker().batches.clear();
  RestAndRotate();
  EXPECT_TRUE(world_.broker().batches.empty());
  world_.MakeKeys();
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
}

TEST_F(RotatorTest, ARepetitionSendsTheSameBytes) {
  const std::string id = Submit(1)[0];
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().lose_answers = true;
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").epoch, 1u);
  EXPECT_FALSE(Stored("ref-0").envelope.empty());
  world_.broker().lose_answers = false;
  world_.Restart("politie");
  int evaluated = 0;
  for (auto& [holder, peer] : world_.node("politie").peers) {
    peer->on_evaluate = [&evaluated, evaluate = peer->on_evaluate](const v1::EvaluateRequest& request) {
      ++evaluated;
      return evaluate(request);
    };
  }
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
  EXPECT_EQ((world_.broker().version_hashes[{id, 2}].size()), 1u);
  EXPECT_EQ(evaluated, 0);
}

TEST_F(RotatorTest, EnvelopesThatWereMadeGoEvenWhenKeyHoldersAreAwayNow) {
  Submit(2);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().away = true;
  world_.MakeRotator("politie", 1).Step();
  ASSERT_FALSE(Stored("ref-0").envelope.empty());
  ASSERT_TRUE(Stored("ref-1").envelope.empty());
  world_.broker().away = false;
  for (auto& [holder, peer] : world_.node("politie").peers) peer->on_evaluate = nullptr;
  world_.MakeRotator("politie", 2);
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
  EXPECT_EQ(Stored("ref-1").epoch, 1u);
}

TEST_F(RotatorTest, WhatFailsForAWhileIsTriedAgain) {
  Submit(1);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  for (const char* why : {"QUOTA_EXCEEDED", "UNAVAILABLE", "COVENANT_MISMATCH"}) {
    world_.broker().refuse_with = why;
    RestAndRotate();
    EXPECT_EQ(Stored("ref-0").epoch, 1u) << why;
    EXPECT_EQ(Stored("ref-0").settled_epoch, 1u) << why;
  }
  world_.broker().refuse_with.clear();
  world_.broker().change_answer = [](v1::SubmitResponse& answer) {
    answer.mutable_receipts(0)->clear_entry();
  };
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 1u) << "a receipt that proves nothing is none";
  world_.broker().change_answer = nullptr;
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
}

TEST_F(RotatorTest, AfterAFailureItRests) {
  Submit(2);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().away = true;
  EXPECT_EQ(Sent(), 1);
  EXPECT_EQ(Sent(), 0);
  world_.broker().away = false;
  for (const char* why : {"QUOTA_EXCEEDED", "COVENANT_MISMATCH"}) {
    world_.broker().refuse_with = why;
    world_.clock().Advance(absl::Seconds(30));
    EXPECT_EQ(Sent(), 1) << why;
    EXPECT_EQ(Sent(), 0) << why;
  }
  // A covenant follows: what was made under the one before is made anew.
  world_.RaiseEpoch("risicojeugd", kTwoWeeks);
  world_.clock().Advance(absl::Seconds(30));
  EXPECT_EQ(Sent(), 1);
  EXPECT_EQ(Sent(), 0);
  EXPECT_TRUE(Stored("ref-0").envelope.empty());
  world_.broker().refuse_with.clear();
  for (auto& [holder, peer] : world_.node("politie").peers) peer->on_evaluate = nullptr;
  world_.clock().Advance(absl::Seconds(30));
  EXPECT_THAT(LogOfRotation(), ::testing::HasSubstr("node.rotation_waits"));
  EXPECT_EQ(LogOfRotation(), "");
}

TEST_F(RotatorTest, ItsRestGrowsUntilSomethingGoesOver) {
  Submit(3);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  Rotator& rotator = world_.MakeRotator("politie", 1);
  world_.broker().refuse_with = "QUOTA_EXCEEDED";
  for (int i = 0; i < 9; ++i) RestAndRotate();
  world_.clock().Advance(absl::Seconds(5));
  EXPECT_EQ(Sent(), 0);
  world_.broker().refuse_with.clear();
  world_.clock().Advance(absl::Seconds(30));
  EXPECT_TRUE(rotator.Step());
  EXPECT_EQ(Progress(), (storage::RotationProgress{3, 1}));
  world_.broker().away = true;
  EXPECT_EQ(Sent(), 1);
  world_.clock().Advance(absl::Seconds(5));
  EXPECT_EQ(Sent(), 1);
}

TEST_F(RotatorTest, ABatchDoesNotTellWhichSignalIsOlder) {
  const std::vector<std::string> ids = Submit(8);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  std::vector<std::string> sent;
  world_.broker().change_answer = [&](v1::SubmitResponse& answer) {
    for (const v1::SubmitReceipt& receipt : answer.receipts()) sent.push_back(receipt.signal_id());
  };
  world_.Rotate("politie");
  EXPECT_THAT(sent, ::testing::UnorderedElementsAreArray(ids));
  EXPECT_NE(sent, ids);
}

TEST_F(RotatorTest, APartnerThatIsOutSendsNothing) {
  Submit(1);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.region().Suspend("politie");
  EXPECT_EQ(Sent(), 0);
  EXPECT_EQ(Stored("ref-0").epoch, 1u);
}

TEST_F(RotatorTest, WhenTheKeysComeItGoesOverAtOnce) {
  Submit(1);
  world_.RaiseEpoch(kRotated, absl::ZeroDuration(), NodeWorld::Keys::kNone);
  world_.Rotate("politie");
  world_.MakeKeys();
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
}

TEST_F(RotatorTest, WhatHasNoneOfTheNewIdentifiersIsHeld) {
  const std::string id =
      world_.Push("politie", NodeWorld::RecordOf("ref-0", kRotated, /*with_bsn=*/false)).signal_id();
  world_.Drain("politie");
  world_.RaiseEpoch(kRotated, kTwoWeeks, NodeWorld::Keys::kAll, [](v1::Purpose& purpose) {
    while (purpose.rules_size() > 1) purpose.mutable_rules()->RemoveLast();
  });
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").epoch, 1u);
  EXPECT_EQ(Stored("ref-0").settled_epoch, 2u);
  EXPECT_NE(Stored("ref-0").reason, "");
}

TEST_F(RotatorTest, ARecordThatCannotBeReadIsToldAndStaysAsItIs) {
  Submit(1);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  testing::TestNode& node = world_.node("politie");
  const Vault another(base::SecretBytes(std::string(32, 'v')), world_.random());
  Environment environment = node.environment;
  environment.vault = &another;
  Rotator rotator(environment, *node.pseudonymiser, world_.broker().ClientOf("politie"));
  ::testing::internal::CaptureStderr();
  while (rotator.Step()) {
  }
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("node.rotation_left"));
  EXPECT_EQ(Stored("ref-0").settled_epoch, 1u);
}

class RotatorShortTermTest : public RotatorTest {
 protected:
  RotatorShortTermTest()
      : RotatorTest([](v1::Covenant& covenant) {
          covenant.set_excluded_addresses_max_age_days(1);
          for (v1::Purpose& purpose : *covenant.mutable_purposes()) purpose.set_retention_days(5);
        }) {}
};

TEST_F(RotatorShortTermTest, WhatEndsTodayIsNotSent) {
  Submit(1);
  world_.clock().Advance(absl::Hours(24 * 5));
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  EXPECT_EQ(Sent(), 0);
  EXPECT_EQ(Stored("ref-0").settled_epoch, 1u);
}

TEST_F(RotatorShortTermTest, AHouseholdWaitsForAFreshListOfExcludedAddresses) {
  Submit(1, "gezinsaanpak");
  world_.clock().Advance(absl::Hours(48));
  world_.RaiseEpoch("gezinsaanpak", kTwoWeeks);
  EXPECT_THAT(LogOfRotation(), ::testing::HasSubstr("node.rotation_left"));
  EXPECT_EQ(Stored("ref-0").settled_epoch, 1u);
  world_.WriteExcluded(2, {"6299ZZ 1"});
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
}

TEST_F(RotatorTest, AWithdrawalWhileItIsEvaluatedKeepsItFromTheBroker) {
  const std::string id = Submit(1)[0];
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  auto& peer = *world_.node("politie").peers.at("gemeente");
  const auto evaluate = peer.on_evaluate;
  peer.on_evaluate = [&](const v1::EvaluateRequest& request) {
    EXPECT_THAT(Withdraw("ref-0"), IsOk());
    return evaluate(request);
  };
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").state, storage::NodeSignalState::kWithdrawn);
  EXPECT_EQ((world_.broker().version_hashes.count({id, 2})), 0u);
}

TEST_F(RotatorTest, AWithdrawalWhileItIsSentEndsItAtTheBroker) {
  Submit(1);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().on_submit = [&] { EXPECT_THAT(Withdraw("ref-0"), IsOk()); };
  EXPECT_THAT(LogOfRotation(), ::testing::Not(::testing::HasSubstr("node.rotation_done")));
  world_.broker().on_submit = nullptr;
  EXPECT_EQ(Stored("ref-0").state, storage::NodeSignalState::kWithdrawn);
  world_.Drain("politie");
  EXPECT_TRUE(world_.broker().versions.empty());
  RestAndRotate();
  EXPECT_TRUE(world_.broker().versions.empty());
}

TEST_F(RotatorTest, WhatTheBrokerHasEndedEndsHere) {
  Submit(1);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().refuse_with = "SIGNAL_ENDED";
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").state, storage::NodeSignalState::kExpired);
  EXPECT_EQ(Stored("ref-0").reason, "SIGNAL_ENDED");
  EXPECT_EQ(Stored("ref-0").record, "");
}

TEST_F(RotatorTest, ADatabaseThatWasRestoredTakesTheBrokersWordThatItIsThere) {
  Submit(1);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  const std::string receipt = Stored("ref-0").receipt;
  world_.broker().refuse_with = "ENVELOPE_CONFLICT";
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
  EXPECT_EQ(Stored("ref-0").receipt, receipt);
}

TEST_F(RotatorTest, WhatCannotGoOverStaysInItsEpochUntilThatEnds) {
  const std::string id = Submit(1)[0];
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().refuse_with = "RULE_UNKNOWN";
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").state, storage::NodeSignalState::kSubmitted);
  EXPECT_EQ(Stored("ref-0").epoch, 1u);
  EXPECT_EQ(Stored("ref-0").reason, "RULE_UNKNOWN");
  EXPECT_FALSE(Stored("ref-0").record.empty());
  world_.broker().refuse_with.clear();
  RestAndRotate();
  EXPECT_EQ((world_.broker().versions.count({id, 2})), 0u);
  world_.node("politie").destruction->Look();
  EXPECT_EQ(Stored("ref-0").state, storage::NodeSignalState::kSubmitted);
  world_.clock().Advance(kTwoWeeks);
  world_.node("politie").destruction->Look();
  EXPECT_EQ(Stored("ref-0").state, storage::NodeSignalState::kExpired);
  EXPECT_EQ(Stored("ref-0").reason, "RULE_UNKNOWN");
  EXPECT_EQ(Stored("ref-0").record, "");
}

TEST_F(RotatorTest, AnAddressThatIsExcludedByNowDoesNotGoOver) {
  Submit(1, "gezinsaanpak");
  ASSERT_EQ(Stored("ref-0").state, storage::NodeSignalState::kSubmitted);
  world_.WriteExcluded(2, {"6211XZ 17"});
  world_.RaiseEpoch("gezinsaanpak", kTwoWeeks);
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 1u);
  EXPECT_EQ(Stored("ref-0").reason, "ADDRESS_EXCLUDED");
}

TEST_F(RotatorTest, WhatIsLeftAfterTheOverlapGoesOverAllTheSame) {
  const std::vector<std::string> ids = Submit(2);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().away = true;
  RestAndRotate();
  world_.clock().Advance(kTwoWeeks);
  world_.broker().EndEpoch(kRotated, 1);
  world_.node("politie").destruction->Look();
  world_.broker().away = false;
  EXPECT_EQ(world_.node("politie").rotator->Status(world_.Snapshot()).size(), 1u);
  RestAndRotate();
  EXPECT_TRUE(world_.node("politie").rotator->Status(world_.Snapshot()).empty());
  for (const std::string& id : ids) EXPECT_EQ((world_.broker().versions.count({id, 2})), 1u);
  world_.broker().refuse_with = "RULE_UNKNOWN";
}

TEST_F(RotatorTest, ARefusalAfterTheOverlapEndsTheSignal) {
  Submit(1);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.clock().Advance(kTwoWeeks);
  world_.node("politie").destruction->Look();
  world_.broker().refuse_with = "RULE_UNKNOWN";
  world_.Rotate("politie");
  EXPECT_EQ(Stored("ref-0").state, storage::NodeSignalState::kExpired);
  EXPECT_EQ(Stored("ref-0").reason, "RULE_UNKNOWN");
}

TEST_F(RotatorTest, AnAgeThatWasAllowedIsNotAskedAgain) {
  v1::Record record = NodeWorld::RecordOf("ref-0", "risicojeugd");
  record.set_birth_date("2011-01-16");
  world_.Push("politie", record);
  world_.Drain("politie");
  ASSERT_EQ(Stored("ref-0").state, storage::NodeSignalState::kSubmitted);
  world_.clock().Advance(absl::Hours(48));
  world_.RaiseEpoch("risicojeugd", kTwoWeeks);
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 2u);
}

TEST_F(RotatorTest, ADamagedRecordHoldsUpNoOther) {
  Submit(3);
  storage::NodeStore& store = *world_.node("politie").environment.store;
  const std::string damaged = Stored("ref-0").signal_id;
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  ASSERT_THAT(store.Write("damage",
                          [&](storage::NodeTransaction& transaction) {
                            return transaction.PutRotation(damaged, "not an envelope").status();
                          }),
              IsOk());
  RestAndRotate();
  EXPECT_EQ(Progress(), (storage::RotationProgress{3, 2}));
  EXPECT_EQ(Stored("ref-0").epoch, 1u);
}

TEST_F(RotatorTest, AnEnvelopeForAnEpochThatIsNoMoreTheNewestIsMadeAnew) {
  const std::string id = Submit(1)[0];
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().away = true;
  world_.Rotate("politie");
  ASSERT_FALSE(Stored("ref-0").envelope.empty());
  world_.clock().Advance(absl::Hours(24));
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  world_.broker().away = false;
  RestAndRotate();
  EXPECT_EQ(Stored("ref-0").epoch, 3u);
  EXPECT_EQ((world_.broker().versions.count({id, 2})), 0u);
  EXPECT_EQ((world_.broker().versions.count({id, 3})), 1u);
}

TEST_F(RotatorTest, ItsOwnThreadDoesTheSame) {
  Submit(3);
  world_.RaiseEpoch(kRotated, kTwoWeeks);
  Rotator& rotator = world_.MakeRotator("politie", 2);
  base::Mutex mutex;
  base::ConditionVariable changed;
  int batches = 0;
  world_.broker().on_submit = [&] {
    base::MutexLock lock(mutex);
    ++batches;
    changed.NotifyAll();
  };
  rotator.Start();
  {
    base::MutexLock lock(mutex);
    while (batches < 2 && changed.WaitFor(mutex, absl::Seconds(10))) {
    }
  }
  rotator.Stop();
  EXPECT_EQ(Progress(), (storage::RotationProgress{3, 3}));
}

// What the crash tests interrupt: three signals go over, a fourth is withdrawn after the first unit.
void RotateThreeAndWithdrawAnother(NodeWorld& world, bool& out_withdrawn) {
  Rotator& rotator = world.MakeRotator("politie", 2);
  rotator.Step();
  v1::WithdrawRequest withdrawal;
  withdrawal.set_client_ref("ref-3");
  withdrawal.set_reason("unjust");
  out_withdrawn = world.node("politie").intake->Withdraw(world.ItPass("politie"), withdrawal).ok();
  rotator.Step();
  for (int step = 0; step < 3; ++step) world.node("politie").sender->Step();
}

void SubmitFourAndRaise(NodeWorld& world) {
  for (int i = 0; i < 4; ++i) world.Push("politie", NodeWorld::RecordOf(absl::StrCat("ref-", i)));
  world.Drain("politie");
  world.RaiseEpoch(kRotated, kTwoWeeks);
}

constexpr int kRotationWrites = 11;

TEST(RotatorCrashCoverageTest, EveryWriteOfTheStoryIsACrashPoint) {
  NodeWorld world;
  SubmitFourAndRaise(world);
  storage::NodeStore* store = world.node("politie").environment.store;
  FlakyStore counting(*store, INT_MAX, FlakyStore::When::kBefore);
  world.Restart("politie", &counting);
  bool withdrawn = false;
  RotateThreeAndWithdrawAnother(world, withdrawn);
  EXPECT_TRUE(withdrawn);
  EXPECT_EQ(counting.writes(), kRotationWrites);
  EXPECT_EQ(world.broker().taken.size(), 3u);
  world.Restart("politie", store);
}

class RotatorCrashTest : public ::testing::TestWithParam<std::tuple<int, FlakyStore::When>> {};

INSTANTIATE_TEST_SUITE_P(EveryWrite, RotatorCrashTest,
                         ::testing::Combine(::testing::Range(1, kRotationWrites + 1),
                                            ::testing::Values(FlakyStore::When::kBefore,
                                                              FlakyStore::When::kAfter)));

TEST_P(RotatorCrashTest, EverySignalIsInTheNewEpochOnceAndWhatWasWithdrawnIsNot) {
  const auto [fail_at, when] = GetParam();
  NodeWorld world;
  SubmitFourAndRaise(world);
  storage::NodeStore* store = world.node("politie").environment.store;
  FlakyStore flaky(*store, fail_at, when);
  world.Restart("politie", &flaky);
  bool withdrawn = false;
  RotateThreeAndWithdrawAnother(world, withdrawn);
  EXPECT_TRUE(flaky.failed());

  world.Restart("politie", store);
  world.clock().Advance(absl::Seconds(30));
  world.Drain("politie");
  world.Rotate("politie");
  for (int i = 0; i < 4; ++i) {
    const storage::NodeSignal signal = StoredAt(world, absl::StrCat("ref-", i));
    if (i == 3 && withdrawn) {
      EXPECT_EQ(signal.state, storage::NodeSignalState::kWithdrawn);
    }
    const bool live = signal.state == storage::NodeSignalState::kSubmitted;
    if (live) {
      EXPECT_EQ(signal.epoch, 2u);
    }
    EXPECT_EQ((world.broker().versions.count({signal.signal_id, 2})), live ? 1u : 0u);
  }
  for (const auto& [version, hashes] : world.broker().version_hashes) EXPECT_EQ(hashes.size(), 1u);
  EXPECT_THAT(world.broker().refusals, ::testing::IsEmpty());
}

}  // namespace
}  // namespace raakvlak::node
