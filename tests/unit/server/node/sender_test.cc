#include "server/node/sender.h"

#include <algorithm>
#include <climits>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/testing/status_matchers.h"
#include "crypto/disclosure/context.h"
#include "crypto/disclosure/derive.h"
#include "crypto/disclosure/share.h"
#include "crypto/seal/seal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/storage/testing/entries.h"
#include "tests/support/receipts.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using testing::FakeBroker;
using testing::FlakyStore;
using testing::NodeWorld;

class SenderTest : public ::testing::Test {
 protected:
  explicit SenderTest(const std::function<void(v1::Covenant&)>& change = nullptr) : world_(change) {}

  storage::NodeSignal Stored(const std::string& client_ref) {
    storage::NodeStore& store = *world_.node("politie").environment.store;
    return **store.FindByReference(world_.node("politie").vault->ReferenceDigest(client_ref));
  }
  void Withdraw(const std::string& client_ref) {
    v1::WithdrawRequest request;
    request.set_client_ref(client_ref);
    request.set_reason("unjust");
    ASSERT_THAT(world_.node("politie").intake->Withdraw(world_.ItPass("politie"), request), IsOk());
  }
  v1::SignalState StateOf(const std::string& client_ref) {
    return world_.StateOf("politie", client_ref).state();
  }
  // The longest rest there is, and then work.
  void RestAndDrain() {
    world_.clock().Advance(absl::Seconds(30));
    world_.Drain("politie");
  }
  NodeWorld world_;
};

TEST_F(SenderTest, AQueuedSignalIsSubmittedAndItsRecordStaysInTheVault) {
  const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
  EXPECT_THAT(world_.broker().refusals, ::testing::IsEmpty());
  ASSERT_EQ(world_.broker().taken.count(receipt.signal_id()), 1u);
  const v1::SignalHeader& header = world_.broker().taken.at(receipt.signal_id()).header;
  EXPECT_EQ(header.partner(), "politie");
  EXPECT_EQ(header.kind(), v1::SIGNAL);
  EXPECT_EQ(header.submitted_day(), world_.Snapshot().covenant->DayAt(world_.clock().Now()));
  EXPECT_EQ(header.expiry_day(), header.submitted_day() + 365);
  EXPECT_FALSE(Stored("ref-1").record.empty());
  EXPECT_TRUE(Stored("ref-1").envelope.empty());
}

TEST_F(SenderTest, ACaseReportIsSubmittedAsOne) {
  v1::Record record = NodeWorld::RecordOf("ref-1", "risicojeugd");
  record.set_kind("case_report");
  world_.Push("politie", record);
  world_.Drain("politie");
  ASSERT_EQ(world_.broker().taken.size(), 1u);
  EXPECT_EQ(world_.broker().taken.begin()->second.header.kind(), v1::CASE_REPORT);
}

TEST_F(SenderTest, TwoOrganisationsTogetherOpenTheContentKeyAndOneAloneDoesNot) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Push("jeugdzorg", NodeWorld::RecordOf("ref-2"));
  world_.Drain("politie");
  world_.Drain("jeugdzorg");
  ASSERT_EQ(world_.broker().taken.size(), 2u);
  const FakeBroker::Taken& first = world_.broker().taken.begin()->second;
  const FakeBroker::Taken& second = world_.broker().taken.rbegin()->second;
  ASSERT_EQ(first.body.tokens_size(), 2);
  for (int i = 0; i < 2; ++i) {
    const v1::Token& token = first.body.tokens(i);
    const v1::Token& other = second.body.tokens(i);
    EXPECT_EQ(token.tag(), other.tag());
    EXPECT_EQ(token.commitments(), other.commitments());
    EXPECT_NE(token.share(), other.share());
    EXPECT_NE(token.wrapped_key(), other.wrapped_key());
    std::vector<crypto::disclosure::IndexedShare> shares = {{first.header.index(), token.share()}};
    EXPECT_THAT(crypto::disclosure::Recover(shares, token.commitments(), 2, nullptr),
                HasReason("THRESHOLD_NOT_MET"));
    shares.push_back({second.header.index(), other.share()});
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const auto recovered,
                                  crypto::disclosure::Recover(shares, token.commitments(), 2, nullptr));
    EXPECT_THAT(recovered.faulty, ::testing::IsEmpty());
    const v1::IdentifierClass identifier_class = i == 0 ? v1::BSN : v1::PERSON;
    crypto::disclosure::Context context{"maastricht",
                                        "onaantastbaren",
                                        static_cast<uint8_t>(identifier_class),
                                        1,
                                        first.header.rules(i).rule(),
                                        1};
    const std::string extended = crypto::disclosure::EncodeExtendedContext(
        context, 2, world_.KeysetOf("onaantastbaren", identifier_class)->public_key());
    const base::SecretBytes wrap_key = crypto::disclosure::WrapKey(recovered.secret, extended, token.tag());
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(
        const base::SecretBytes content_key,
        crypto::seal::UnwrapContentKey(
            wrap_key, token.wrapped_key(),
            absl::StrCat(first.body.header(), extended, token.tag(), token.share(), token.commitments())));
    EXPECT_EQ(crypto::seal::ContentKeyCommitment(content_key), first.header.content_key_commitment());
  }
}

TEST_F(SenderTest, AnAddressIsWrappedWhereTheHouseholdIsTheSubject) {
  world_.Push("woningcorporatie", NodeWorld::RecordOf("ref-1", "gezinsaanpak", false));
  world_.Drain("woningcorporatie");
  ASSERT_EQ(world_.broker().taken.size(), 1u);
  const v1::EnvelopeBody& body = world_.broker().taken.begin()->second.body;
  ASSERT_EQ(body.tokens_size(), 1);
  EXPECT_EQ(body.tokens(0).wrapped_key().size(), crypto::seal::kWrappedKeySize);
}

TEST_F(SenderTest, WithTheBrokerAwaySignalsWaitSayWhyAndGoByThemselves) {
  world_.broker().away = true;
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::QUEUED);
  EXPECT_EQ(world_.StateOf("politie", "ref-1").reason(), "UNAVAILABLE");
  world_.broker().away = false;
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::QUEUED) << "rests after a failure";
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
  EXPECT_EQ(world_.StateOf("politie", "ref-1").reason(), "");
}

TEST_F(SenderTest, WithTooFewKeyHoldersSignalsWaitAndGoByThemselves) {
  auto& peers = world_.node("politie").peers;
  const auto honest = peers["gemeente"]->on_evaluate;
  peers["gemeente"]->on_evaluate = nullptr;
  peers["jeugdzorg"]->on_evaluate = nullptr;
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::QUEUED);
  EXPECT_EQ(world_.StateOf("politie", "ref-1").reason(), "UNAVAILABLE");
  EXPECT_TRUE(world_.broker().batches.empty());
  peers["gemeente"]->on_evaluate = honest;
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
}

TEST_F(SenderTest, EnvelopesThatWereMadeGoEvenWhenKeyHoldersAreAwayNow) {
  world_.broker().away = true;
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  for (auto& [holder, peer] : world_.node("politie").peers) peer->on_evaluate = nullptr;
  world_.Push("politie", NodeWorld::RecordOf("ref-2"));
  world_.broker().away = false;
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
  EXPECT_EQ(StateOf("ref-2"), v1::QUEUED);
}

TEST_F(SenderTest, ARepetitionSendsTheSameBytes) {
  world_.broker().lose_answers = true;
  const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  for (int i = 0; i < 3; ++i) RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::QUEUED);
  world_.Restart("politie");
  world_.broker().lose_answers = false;
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
  EXPECT_GE(world_.broker().batches.size(), 4u);
  EXPECT_EQ(world_.broker().hashes[receipt.signal_id()].size(), 1u);
  EXPECT_EQ(world_.broker().taken.size(), 1u);
}

// What a broker may answer to a submit that it did not log so: policy's receipt_test has the rest.
TEST_F(SenderTest, AWrongReceiptIsNoneAndTheSignalWaits) {
  using raakvlak::testing::LogSubmit;
  const std::string log = "urn:raakvlak:maastricht:broker:centre/2026";
  const std::string actor = "urn:raakvlak:maastricht:node:politie";
  using A = v1::SubmitResponse&;
  const std::pair<const char*, std::function<void(A)>> lies[] = {
      {"another envelope", [](A a) { a.mutable_receipts(0)->set_envelope_hash(std::string(32, 'x')); }},
      {"no entry", [](A a) { a.mutable_receipts(0)->clear_entry(); }},
      {"an entry that is not there", [](A a) { a.mutable_receipts(0)->set_entry(2); }},
      {"an entry of another partner",
       [&](A a) {
         *a.mutable_entries(0) = LogSubmit(log, "urn:raakvlak:maastricht:node:gemeente", "onaantastbaren",
                                           {a.receipts(0).envelope_hash()})
                                     .entry;
       }},
      {"an entry of another purpose",
       [&](A a) {
         *a.mutable_entries(0) = LogSubmit(log, actor, "risicojeugd", {a.receipts(0).envelope_hash()}).entry;
       }},
      {"an entry without it",
       [&](A a) {
         *a.mutable_entries(0) = LogSubmit(log, actor, "onaantastbaren", {std::string(32, 'x')}).entry;
       }},
  };
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  for (const auto& [name, lie] : lies) {
    world_.broker().change_answer = lie;
    RestAndDrain();
    EXPECT_EQ(StateOf("ref-1"), v1::QUEUED) << name;
    const std::string why = world_.StateOf("politie", "ref-1").reason();
    EXPECT_TRUE(why == "VERIFICATION_FAILED" || why == "PROOF_INVALID") << name << ": " << why;
    EXPECT_EQ(Stored("ref-1").receipt, "") << name;
  }
  world_.broker().change_answer = [](A answer) { answer.Clear(); };
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::QUEUED) << "no receipt at all";
  world_.broker().change_answer = nullptr;
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
}

TEST_F(SenderTest, TheReceiptIsKeptEncryptedAlsoWhenTheSignalEnds) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  const std::string receipt = Stored("ref-1").receipt;
  EXPECT_GT(receipt.size(), 100u);
  EXPECT_THAT(receipt, ::testing::Not(::testing::HasSubstr("onaantastbaren")));
  Withdraw("ref-1");
  EXPECT_EQ(Stored("ref-1").receipt, receipt);
}

TEST_F(SenderTest, WhatTheBrokerRefusesForGoodIsRefusedAndItsContentGoes) {
  for (const char* why : {"SIGNATURE_INVALID", "PURPOSE_UNKNOWN", "KIND_NOT_ALLOWED", "RULE_UNKNOWN",
                          "BSN_NOT_ENTITLED", "DATE_OUT_OF_RANGE", "ENVELOPE_INVALID", "SIGNAL_ENDED"}) {
    world_.broker().refuse_with = why;
    world_.Push("politie", NodeWorld::RecordOf(why));
    world_.Drain("politie");
    EXPECT_EQ(StateOf(why), v1::REFUSED);
    EXPECT_EQ(world_.StateOf("politie", why).reason(), why);
    EXPECT_TRUE(Stored(why).record.empty());
    EXPECT_TRUE(Stored(why).record_digest.empty());
    EXPECT_TRUE(Stored(why).envelope.empty());
  }
}

TEST_F(SenderTest, WhatMayBeDifferentNextTimeStaysQueued) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  for (const char* why : {"QUOTA_EXCEEDED", "ROSTER_EXPIRED", "COVENANT_EXPIRED", "COVENANT_MISMATCH",
                          "STORAGE_FAILED", "OVERLOADED", "DEADLINE_EXCEEDED", "UNAVAILABLE"}) {
    world_.broker().refuse_with = why;
    RestAndDrain();
    EXPECT_EQ(StateOf("ref-1"), v1::QUEUED);
    EXPECT_EQ(world_.StateOf("politie", "ref-1").reason(), why);
  }
  world_.broker().refuse_with.clear();
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
  EXPECT_EQ(world_.broker().hashes.begin()->second.size(), 1u) << "the envelope was made once";
}

TEST_F(SenderTest, BatchesHoldOnePurposeAtMost256AndAreShuffled) {
  std::vector<std::string> order;
  for (int i = 0; i < 300; ++i) {
    const v1::PushReceipt receipt = world_.Push(
        "politie", NodeWorld::RecordOf(absl::StrCat("ref-", i), i < 290 ? "onaantastbaren" : "gezinsaanpak"));
    if (i < 290) order.push_back(receipt.signal_id());
  }
  std::vector<std::string> sent;
  auto& exchange = static_cast<client::testing::FakeExchangeClient&>(world_.broker().ClientOf("politie"));
  const auto honest = exchange.on_submit;
  exchange.on_submit = [&](const v1::SubmitRequest& request) {
    for (const v1::Envelope& envelope : request.envelopes()) {
      v1::EnvelopeBody body;
      v1::SignalHeader header;
      EXPECT_TRUE(body.ParseFromString(envelope.body()) && header.ParseFromString(body.header()));
      if (header.purpose() == "onaantastbaren") sent.push_back(header.signal_id());
    }
    return honest(request);
  };
  world_.Drain("politie");
  std::vector<int> sizes = world_.broker().batches;
  std::sort(sizes.begin(), sizes.end());
  EXPECT_THAT(sizes, ::testing::ElementsAre(10, 34, 256));
  EXPECT_NE(sent, order);
  EXPECT_THAT(sent, ::testing::UnorderedElementsAreArray(order));
  EXPECT_EQ(world_.broker().taken.size(), 300u);
}

TEST_F(SenderTest, AWithdrawalBeforeTheEnvelopeIsStoredKeepsTheSignalFromTheBroker) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Push("politie", NodeWorld::RecordOf("ref-2"));
  auto& peer = *world_.node("politie").peers["gemeente"];
  const auto honest = peer.on_evaluate;
  bool done = false;
  peer.on_evaluate = [&](const v1::EvaluateRequest& request) {
    if (!done) Withdraw("ref-1");
    done = true;
    return honest(request);
  };
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::WITHDRAWN);
  EXPECT_EQ(StateOf("ref-2"), v1::SUBMITTED);
  EXPECT_EQ(world_.broker().hashes.size(), 1u);
  EXPECT_TRUE(world_.broker().withdrawn.empty());
}

TEST_F(SenderTest, AWithdrawalWhileItIsSentEndsTheSignalAtTheBroker) {
  const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.broker().on_submit = [&] {
    world_.broker().on_submit = nullptr;
    Withdraw("ref-1");
  };
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::WITHDRAWN);
  EXPECT_TRUE(world_.broker().taken.empty());
  EXPECT_THAT(world_.broker().withdrawn, ::testing::ElementsAre(receipt.signal_id()));
}

TEST_F(SenderTest, AWithdrawalIsSentUntilItIsAcknowledged) {
  const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  Withdraw("ref-1");
  world_.broker().away = true;
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::WITHDRAWN);
  EXPECT_TRUE(world_.broker().withdrawn.empty());
  world_.broker().away = false;
  world_.broker().lose_answers = true;
  RestAndDrain();
  EXPECT_EQ(world_.broker().withdrawn.size(), 1u);
  EXPECT_EQ(world_.node("politie").environment.store->Withdrawals(10)->size(), 1u);
  world_.broker().lose_answers = false;
  world_.Restart("politie");
  world_.Drain("politie");
  EXPECT_TRUE(world_.node("politie").environment.store->Withdrawals(10)->empty());
  EXPECT_THAT(world_.broker().withdrawn, ::testing::ElementsAre(receipt.signal_id()));
}

TEST_F(SenderTest, AnEnvelopeThatWaitedIsTakenUnderTheCovenantThatItNames) {
  world_.broker().away = true;
  const v1::PushReceipt receipt = world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  const std::string old = Stored("ref-1").envelope;
  ASSERT_FALSE(old.empty());
  world_.region().covenant().set_version(2);
  world_.region().covenant().set_supersedes(base::Hex(world_.Snapshot().covenant->id()));
  world_.region().roster().set_number(2);
  world_.region().Write();
  ASSERT_EQ(world_.Snapshot().Name(), "c2/r2");
  world_.broker().away = false;
  RestAndDrain();
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
  EXPECT_EQ(world_.broker().hashes[receipt.signal_id()].size(), 1u);
  EXPECT_EQ(base::Hex(world_.broker().taken.at(receipt.signal_id()).header.covenant_id()),
            world_.region().covenant().supersedes());
}

TEST_F(SenderTest, SignalsWaitWhileTheCovenantHasARuleThatThisNodeDoesNotKnow) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.region().NextCovenant();
  world_.region().covenant().mutable_purposes(0)->mutable_rules(1)->set_version(2);
  world_.region().RaiseEpoch(world_.region().covenant().purposes(0).id(), absl::ZeroDuration());
  world_.region().roster().set_number(2);
  world_.region().Write();
  ASSERT_EQ(world_.Snapshot().Name(), "c2/r2");
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::QUEUED) << "a token less would be a match less, and nobody would know";
  EXPECT_EQ(world_.StateOf("politie", "ref-1").reason(), "COVENANT_INVALID");
  EXPECT_TRUE(world_.broker().taken.empty());
}

TEST_F(SenderTest, AnEnvelopeSignedWithAKeyThatTheNewCovenantReplacedIsTaken) {
  world_.broker().away = true;
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  ASSERT_FALSE(Stored("ref-1").envelope.empty());
  const std::string urn = raakvlak::testing::TestRegion::Urn("node", "politie");
  world_.region().covenant().mutable_partners(0)->set_signing_key(world_.region().ReplaceKeyOf(urn));
  world_.region().covenant().set_version(2);
  world_.region().covenant().set_supersedes(base::Hex(world_.Snapshot().covenant->id()));
  world_.region().roster().set_number(2);
  world_.region().Write();
  ASSERT_EQ(world_.Snapshot().Name(), "c2/r2");
  world_.Restart("politie");
  world_.broker().away = false;
  RestAndDrain();
  RestAndDrain();
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
}

TEST_F(SenderTest, AWithdrawalMadeWhileTheClockRanAheadDoesNotWaitForThatTime) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.Drain("politie");
  world_.clock().Advance(absl::Hours(24));
  Withdraw("ref-1");
  world_.clock().Advance(-absl::Hours(24));
  RestAndDrain();
  EXPECT_EQ(world_.broker().withdrawn.size(), 1u);
}

TEST_F(SenderTest, ARecordThatTheDayNoLongerAllowsIsRefused) {
  v1::Record record = NodeWorld::RecordOf("ref-1", "risicojeugd");
  record.set_birth_date("2011-01-16");
  for (auto& [holder, peer] : world_.node("politie").peers) peer->on_evaluate = nullptr;
  world_.Push("politie", record);
  world_.Drain("politie");
  ASSERT_EQ(StateOf("ref-1"), v1::QUEUED);
  world_.clock().Advance(absl::Hours(24));
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::REFUSED);
  EXPECT_EQ(world_.StateOf("politie", "ref-1").reason(), "AGE_NOT_ALLOWED");
}

TEST_F(SenderTest, ADamagedRowHoldsUpNoOther) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  storage::NodeSignal damaged;
  damaged.signal_id = std::string(16, 'd');
  damaged.reference_digest = std::string(32, 'd');
  damaged.purpose = "onaantastbaren";
  damaged.expiry_day = UINT32_MAX;
  damaged.record = "not what the vault wrote";
  storage::NodeStore& store = *world_.node("politie").environment.store;
  ASSERT_THAT(
      store.Write("test", [&](storage::NodeTransaction& transaction) { return transaction.Insert(damaged); }),
      IsOk());
  damaged.signal_id[0] = damaged.reference_digest[0] = 'e';
  damaged.envelope = "nor this";
  ASSERT_THAT(
      store.Write("test", [&](storage::NodeTransaction& transaction) { return transaction.Insert(damaged); }),
      IsOk());
  world_.Push("politie", NodeWorld::RecordOf("ref-2"));
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
  EXPECT_EQ(StateOf("ref-2"), v1::SUBMITTED);
  EXPECT_EQ(store.Queued("onaantastbaren", 0, 10)->size(), 2u);
}

TEST_F(SenderTest, ASuspendedPartnerWaits) {
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  world_.region().Suspend("politie");
  world_.Drain("politie");
  EXPECT_EQ(StateOf("ref-1"), v1::QUEUED);
  EXPECT_EQ(world_.StateOf("politie", "ref-1").reason(), "PARTNER_SUSPENDED");
}

TEST_F(SenderTest, ItsOwnThreadsDoTheSame) {
  base::Mutex mutex;
  base::ConditionVariable came;
  bool submitted = false;
  world_.broker().on_submit = [&] {
    base::MutexLock lock(mutex);
    submitted = true;
    came.NotifyAll();
  };
  world_.node("politie").sender->Start();
  world_.Push("politie", NodeWorld::RecordOf("ref-1"));
  {
    base::MutexLock lock(mutex);
    while (!submitted) came.Wait(mutex);
  }
  world_.node("politie").sender->Stop();
  EXPECT_EQ(StateOf("ref-1"), v1::SUBMITTED);
}

class ShortRetentionTest : public SenderTest {
 protected:
  ShortRetentionTest()
      : SenderTest([](v1::Covenant& covenant) {
          for (v1::Purpose& purpose : *covenant.mutable_purposes()) purpose.set_retention_days(10);
        }) {}
};

TEST_F(ShortRetentionTest, SignalsExpireOnTheirDayWithTheirContent) {
  world_.Push("politie", NodeWorld::RecordOf("sent"));
  world_.Drain("politie");
  world_.broker().away = true;
  world_.Push("politie", NodeWorld::RecordOf("waiting"));
  world_.Drain("politie");
  world_.clock().Advance(absl::Hours(24 * 9));
  world_.Drain("politie");
  EXPECT_EQ(StateOf("sent"), v1::SUBMITTED);
  EXPECT_EQ(StateOf("waiting"), v1::QUEUED);
  world_.clock().Advance(absl::Hours(24));
  world_.Drain("politie");
  for (const char* ref : {"sent", "waiting"}) {
    EXPECT_EQ(StateOf(ref), v1::EXPIRED);
    EXPECT_TRUE(Stored(ref).record.empty());
    EXPECT_TRUE(Stored(ref).envelope.empty());
    EXPECT_EQ(world_.Push("politie", NodeWorld::RecordOf(ref)).reason(), "CLIENT_REF_ENDED");
  }
  storage::AuditFilter filter;
  filter.action = "expire";
  const auto entries =
      storage::testing::Entries(world_.node("politie").environment.store->audit_log(), filter);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].count, 2u);
}

// What CrashTest interrupts: three pushes, each with its way to the broker, and one withdrawal. Returns which
// client_refs got a receipt, and whether the withdrawal was answered.
struct Answered {
  std::set<std::string> pushed;
  bool withdrawn = false;
};

Answered PushThreeAndWithdrawOne(NodeWorld& world) {
  Answered answered;
  // Not until nothing is due: with the machine stopped there is always something due.
  const auto work = [&world] {
    for (int step = 0; step < 5; ++step) world.node("politie").sender->Step();
  };
  for (int i = 0; i < 3; ++i) {
    v1::PushRequest request;
    *request.add_records() = NodeWorld::RecordOf(absl::StrCat("ref-", i));
    const auto response = world.node("politie").intake->Push(world.ItPass("politie"), request);
    if (response.ok()) answered.pushed.insert(request.records(0).client_ref());
    work();
  }
  v1::WithdrawRequest withdrawal;
  withdrawal.set_client_ref("ref-0");
  withdrawal.set_reason("unjust");
  answered.withdrawn = world.node("politie").intake->Withdraw(world.ItPass("politie"), withdrawal).ok();
  work();
  return answered;
}

constexpr int kWrites = 18;

TEST(CrashCoverageTest, EveryWriteOfTheStoryIsACrashPoint) {
  NodeWorld world;
  storage::NodeStore* store = world.node("politie").environment.store;
  FlakyStore counting(*store, INT_MAX, FlakyStore::When::kBefore);
  world.Restart("politie", &counting);
  PushThreeAndWithdrawOne(world);
  EXPECT_EQ(counting.writes(), kWrites);
  EXPECT_EQ(world.broker().taken.size(), 2u);
  world.Restart("politie", store);
}

// Stops the machine at each write, before it and right after it.
class CrashTest : public ::testing::TestWithParam<std::tuple<int, FlakyStore::When>> {};

INSTANTIATE_TEST_SUITE_P(EveryWrite, CrashTest,
                         ::testing::Combine(::testing::Range(1, kWrites + 1),
                                            ::testing::Values(FlakyStore::When::kBefore,
                                                              FlakyStore::When::kAfter)));

TEST_P(CrashTest, LosesNothingAndSubmitsNothingTwice) {
  const auto [fail_at, when] = GetParam();
  NodeWorld world;
  storage::NodeStore* store = world.node("politie").environment.store;
  FlakyStore flaky(*store, fail_at, when);
  world.Restart("politie", &flaky);

  const Answered answered = PushThreeAndWithdrawOne(world);
  EXPECT_TRUE(flaky.failed());

  world.Restart("politie", store);
  world.clock().Advance(absl::Seconds(30));
  world.Drain("politie");
  // The partner sends again what it got no receipt for.
  for (int i = 0; i < 3; ++i) {
    const std::string ref = absl::StrCat("ref-", i);
    const v1::PushReceipt receipt = world.Push("politie", NodeWorld::RecordOf(ref));
    if (i == 0 && world.StateOf("politie", ref).state() == v1::WITHDRAWN) {
      EXPECT_EQ(receipt.reason(), "CLIENT_REF_ENDED");
    } else {
      EXPECT_EQ(receipt.result(), answered.pushed.count(ref) != 0 ? v1::KNOWN : receipt.result());
      EXPECT_NE(receipt.result(), v1::REJECTED);
    }
  }
  world.Drain("politie");
  size_t live = 0;
  for (int i = 0; i < 3; ++i) {
    const v1::SignalStatus status = world.StateOf("politie", absl::StrCat("ref-", i));
    if (i == 0 && answered.withdrawn) {
      EXPECT_EQ(status.state(), v1::WITHDRAWN);
    }
    if (status.state() == v1::WITHDRAWN) {
      EXPECT_EQ(world.broker().taken.count(status.signal_id()), 0u);
      continue;
    }
    EXPECT_EQ(status.state(), v1::SUBMITTED) << i;
    EXPECT_EQ(world.broker().taken.count(status.signal_id()), 1u);
    ++live;
  }
  EXPECT_EQ(world.broker().taken.size(), live);
  for (const auto& [signal_id, hashes] : world.broker().hashes) EXPECT_EQ(hashes.size(), 1u);
  EXPECT_THAT(world.broker().refusals, ::testing::IsEmpty());
}

}  // namespace
}  // namespace raakvlak::node
