// What every store must do about signals that stand in more than one epoch, and about the end of an epoch.
#include "base/reason.h"
#include "gmock/gmock.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::storage {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace reason = base::reason;

constexpr char kPurpose[] = "onaantastbaren";

class BrokerStoreEpochTest : public BrokerStoreTest {
 protected:
  // The version of `word`, of jan, in that epoch.
  static StoredSignal Version(const std::string& partner, const std::string& word, uint32_t epoch) {
    StoredSignal signal = MakeSignal(
        partner, word,
        {MakeToken("bsn", "jan", v1::EXACT), MakeToken("surname-initial-birthdate", "jan", v1::STRONG)});
    signal.epoch = epoch;
    signal.envelope_hash = base::Sha256(absl::StrCat("envelope ", word, " ", epoch));
    signal.accepted_ms += epoch;
    return signal;
  }
  void Add(const std::string& partner, const std::string& word, uint32_t epoch) {
    ASSERT_THAT(Insert(Version(partner, word, epoch)), IsOk());
  }
  std::optional<SignalStatus> FindVersion(const std::string& partner, const std::string& word,
                                          uint32_t epoch) {
    return Get([&](BrokerReader& reader) { return reader.FindVersion(partner, Id(word), epoch); });
  }
  uint64_t EndEpoch(uint32_t epoch, size_t limit = 100) {
    return Do([&](BrokerTransaction& transaction) { return transaction.EndEpoch({kPurpose, epoch}, limit); });
  }
  std::vector<std::string> Tokens(uint32_t epoch) {
    std::vector<std::string> counts;
    for (const TokenCount& count : Get([&](BrokerReader& reader) {
           return reader.CountTokens({kPurpose, epoch});
         })) {
      counts.push_back(absl::StrCat(count.partner, " ", count.rule, " ", count.tokens));
    }
    return counts;
  }
  std::vector<uint64_t> VersionsOf(uint64_t number) {
    return Get([&](BrokerReader& reader) { return reader.FindFacts(number); })->versions;
  }
};

INSTANTIATE_TEST_SUITE_P(All, BrokerStoreEpochTest, ::testing::ValuesIn(BrokerStoreKinds()), NameOfKind);

TEST_P(BrokerStoreEpochTest, VersionOfANewerEpochStandsBesideTheOlder) {
  Add("politie", "a", 1);
  Add("politie", "a", 2);
  EXPECT_EQ(Count(), 1u);
  EXPECT_EQ(Count("politie"), 1u);
  const auto newest = Find("politie", "a");
  EXPECT_EQ(newest->number, 2u);
  EXPECT_EQ(newest->epoch, 2u);
  EXPECT_EQ(newest->purpose, kPurpose);
  EXPECT_EQ(newest->kind, v1::SIGNAL);
  EXPECT_EQ(newest->submitted_day, 20000u);
  EXPECT_EQ(newest->envelope_hash, base::Sha256("envelope a 2"));
  const auto older = FindVersion("politie", "a", 1);
  ASSERT_TRUE(older.has_value());
  EXPECT_EQ(older->number, 1u);
  EXPECT_EQ(older->epoch, 1u);
  EXPECT_EQ(older->envelope_hash, base::Sha256("envelope a 1"));
  EXPECT_EQ(older->accepted_ms, 1'700'000'000'001);
  EXPECT_FALSE(FindVersion("politie", "a", 3).has_value());
  EXPECT_FALSE(FindVersion("gemeente", "a", 1).has_value());
  EXPECT_THAT(Tagged("bsn", "jan", 1), ElementsAre(1));
  EXPECT_THAT(Tagged("bsn", "jan", 2), ElementsAre(2));
  EXPECT_THAT(VersionsOf(1), ElementsAre(1, 2));
  EXPECT_THAT(VersionsOf(2), ElementsAre(1, 2));
  EXPECT_THAT(Dirty(), ElementsAre(1, 2));
}

TEST_P(BrokerStoreEpochTest, OnlyAVersionOfANewerEpochIsTaken) {
  Add("politie", "a", 2);
  EXPECT_THAT(Insert(Version("politie", "a", 2)), HasReason(reason::kEnvelopeConflict));
  EXPECT_THAT(Insert(Version("politie", "a", 1)), HasReason(reason::kEnvelopeConflict));
  EXPECT_THAT(Insert(Version("politie", "a", 3)), IsOk());
  EXPECT_THAT(Insert(Version("politie", "a", 2)), HasReason(reason::kEnvelopeConflict));
  EXPECT_EQ(Count(), 1u);
}

TEST_P(BrokerStoreEpochTest, WithdrawalEndsEveryVersionForAllEpochs) {
  Add("politie", "a", 1);
  Add("politie", "a", 2);
  Add("gemeente", "b", 2);
  PutMatch("m", {1, 2, 3});
  ClearDirty();
  const SignalStatus status = Withdraw("politie", "a");
  EXPECT_EQ(status.state, SignalState::kWithdrawn);
  EXPECT_EQ(status.envelope_hash, base::Sha256("envelope a 2"));
  EXPECT_FALSE(FindVersion("politie", "a", 1).has_value());
  EXPECT_EQ(Count("politie"), 0u);
  EXPECT_EQ(Match("m")->members.size(), 1u);
  EXPECT_THAT(Dirty(), ElementsAre(1, 2, 3));
  EXPECT_THAT(DirtyMatches(), ElementsAre(1));
  EXPECT_THAT(Tagged("bsn", "jan", 1), IsEmpty());
  EXPECT_THAT(Tagged("bsn", "jan", 2), ElementsAre(3));
  for (const uint32_t epoch : {1, 2, 3}) {
    EXPECT_THAT(Insert(Version("politie", "a", epoch)), HasReason(reason::kSignalEnded)) << epoch;
  }
}

TEST_P(BrokerStoreEpochTest, ExpiryEndsEveryVersionAndCountsTheSignalOnce) {
  for (const char* word : {"a", "b", "c"}) {
    Add("politie", word, 1);
    Add("politie", word, 2);
  }
  EXPECT_EQ(Expire(20100, 2), 2u);
  EXPECT_EQ(Count(), 1u);
  EXPECT_EQ(Expire(20100, 2), 1u);
  EXPECT_EQ(Find("politie", "a")->state, SignalState::kExpired);
  EXPECT_FALSE(FindVersion("politie", "a", 1).has_value());
  EXPECT_THAT(Insert(Version("politie", "a", 3)), HasReason(reason::kSignalEnded));
}

TEST_P(BrokerStoreEpochTest, EndOfAnEpochTakesItsVersionsAndLeavesNoTombstone) {
  Add("politie", "a", 1);
  Add("gemeente", "b", 1);
  Add("politie", "a", 2);
  StoredSignal elsewhere = Version("politie", "d", 1);
  elsewhere.purpose = "risicojeugd";
  ASSERT_THAT(Insert(elsewhere), IsOk());
  PutMatch("m", {1, 2});
  ClearDirty();
  EXPECT_EQ(EndEpoch(1), 2u);
  EXPECT_EQ(EndEpoch(1), 0u);
  EXPECT_EQ(Find("politie", "a")->number, 3u);
  EXPECT_FALSE(FindVersion("politie", "a", 1).has_value());
  EXPECT_FALSE(Find("gemeente", "b").has_value()) << "its partner did not end it";
  EXPECT_EQ(Find("politie", "d")->state, SignalState::kLive) << "of another purpose";
  EXPECT_FALSE(Get([](BrokerReader& reader) { return reader.FindEnvelope(1); }).has_value());
  EXPECT_THAT(Tagged("bsn", "jan", 1), IsEmpty());
  EXPECT_THAT(Match("m")->members, IsEmpty());
  EXPECT_THAT(Dirty(), ElementsAre(1, 2));
  EXPECT_THAT(DirtyMatches(), ElementsAre(1));
  EXPECT_THAT(VersionsOf(3), ElementsAre(3));
  EXPECT_THAT(Insert(Version("gemeente", "b", 2)), IsOk()) << "late, and taken";
}

TEST_P(BrokerStoreEpochTest, EndOfAnEpochDoesNotReviveWhatEndedBefore) {
  Add("politie", "a", 1);
  Add("politie", "b", 1);
  Withdraw("politie", "a");
  Withdraw("politie", "never came");
  EXPECT_EQ(EndEpoch(1), 1u);
  EXPECT_THAT(Insert(Version("politie", "a", 2)), HasReason(reason::kSignalEnded));
  EXPECT_THAT(Insert(Version("politie", "never came", 2)), HasReason(reason::kSignalEnded));
}

TEST_P(BrokerStoreEpochTest, EndOfAnEpochStopsAtItsLimit) {
  for (const char* word : {"a", "b", "c"}) Add("politie", word, 1);
  EXPECT_EQ(EndEpoch(1, 2), 2u);
  EXPECT_EQ(Count(), 1u);
  EXPECT_EQ(EndEpoch(1, 2), 1u);
}

TEST_P(BrokerStoreEpochTest, EpochsAreThoseWithSomethingLive) {
  const auto epochs = [&] { return Get([](BrokerReader& reader) { return reader.Epochs(); }); };
  EXPECT_THAT(epochs(), IsEmpty());
  Add("politie", "a", 3);
  Add("gemeente", "b", 2);
  Add("gemeente", "b", 3);
  StoredSignal elsewhere = Version("politie", "d", 1);
  elsewhere.purpose = "risicojeugd";
  ASSERT_THAT(Insert(elsewhere), IsOk());
  EXPECT_THAT(epochs(), ElementsAre(PurposeEpoch{kPurpose, 2}, PurposeEpoch{kPurpose, 3},
                                    PurposeEpoch{"risicojeugd", 1}));
  EndEpoch(2);
  Withdraw("politie", "d");
  EXPECT_THAT(epochs(), ElementsAre(PurposeEpoch{kPurpose, 3}));
}

TEST_P(BrokerStoreEpochTest, TokensAreCountedAsTheyComeAndGo) {
  Add("politie", "a", 1);
  Add("politie", "b", 1);
  Add("politie", "a", 2);
  ASSERT_THAT(Insert(MakeSignal("gemeente", "c", {MakeToken("bsn", "piet", v1::EXACT)})), IsOk());
  StoredSignal elsewhere = Version("politie", "d", 1);
  elsewhere.purpose = "risicojeugd";
  ASSERT_THAT(Insert(elsewhere), IsOk());
  EXPECT_THAT(Tokens(1),
              ElementsAre("gemeente bsn 1", "politie bsn 2", "politie surname-initial-birthdate 2"));
  EXPECT_THAT(Tokens(2), ElementsAre("politie bsn 1", "politie surname-initial-birthdate 1"));
  Withdraw("politie", "a");
  EXPECT_THAT(Tokens(1),
              ElementsAre("gemeente bsn 1", "politie bsn 1", "politie surname-initial-birthdate 1"));
  EXPECT_THAT(Tokens(2), IsEmpty());
  EndEpoch(1);
  EXPECT_THAT(Tokens(1), IsEmpty());
  Add("politie", "e", 1);
  EXPECT_THAT(Tokens(1), ElementsAre("politie bsn 1", "politie surname-initial-birthdate 1"));
}

TEST_P(BrokerStoreEpochTest, ProgressCountsWhatHasANewerVersion) {
  for (const char* word : {"a", "b", "c"}) Add("politie", word, 1);
  Add("politie", "a", 2);
  Add("gemeente", "b", 2);
  const EpochProgress progress = Get([](BrokerReader& reader) { return reader.CountRenewed({kPurpose, 1}); });
  EXPECT_EQ(progress.versions, 3u);
  EXPECT_EQ(progress.renewed, 1u);
  EXPECT_EQ(Get([](BrokerReader& reader) { return reader.CountRenewed({kPurpose, 2}); }).renewed, 0u);
}

TEST_P(BrokerStoreEpochTest, PartnerIsMarkedDirtyWithAllVersions) {
  Add("politie", "a", 1);
  Add("politie", "a", 2);
  ClearDirty();
  const std::string last =
      Do([&](BrokerTransaction& transaction) { return transaction.MarkPartnerDirty("politie", "", 1); });
  EXPECT_EQ(last, Id("a"));
  EXPECT_THAT(Dirty(), ElementsAre(1, 2));
}

TEST_P(BrokerStoreEpochTest, EndOfAVersionMarksTheMatchAndTheSignalBesideIt) {
  Add("politie", "a", 1);
  Add("gemeente", "b", 1);
  Add("jeugdzorg", "c", 1);
  PutMatch("m", {1, 2, 3});
  ClearDirty();
  EXPECT_EQ(EndEpoch(1, 1), 1u);
  EXPECT_EQ(Match("m")->members.size(), 2u);
  EXPECT_THAT(DirtyMatches(), ElementsAre(1));
  EXPECT_EQ(Dirty().size(), 2u);
}

TEST_P(BrokerStoreEpochTest, MatchesOfAPurposeAreDeletedOpenClosedAndMerged) {
  const auto purposes = [&] { return Get([](BrokerReader& reader) { return reader.MatchPurposes(); }); };
  const auto erase = [&](size_t limit) {
    return Do([&](BrokerTransaction& transaction) { return transaction.DeleteMatches("gone", limit); });
  };
  EXPECT_THAT(purposes(), IsEmpty());
  Add("politie", "a", 1);
  Add("gemeente", "b", 1);
  PutMatch("kept", {1, 2});
  const uint64_t open = PutMatch("open", {1, 2}, 0, "gone");
  const uint64_t closed = PutMatch("closed", {1, 2}, 0, "gone");
  const uint64_t merged = PutMatch("merged", {1, 2}, 0, "gone");
  ASSERT_THAT(Write([&](BrokerTransaction& transaction) -> absl::Status {
                RAAKVLAK_RETURN_IF_ERROR(transaction.MergeMatch(merged, open, 1));
                return transaction.CloseMatch(closed, 1);
              }),
              IsOk());
  EXPECT_THAT(purposes(), ElementsAre("gone", kPurpose));
  EXPECT_EQ(erase(1), 1u);
  EXPECT_EQ(erase(9), 1u);
  EXPECT_EQ(erase(9), 0u);
  EXPECT_THAT(purposes(), ElementsAre(kPurpose));
  for (const char* word : {"open", "closed", "merged"}) EXPECT_FALSE(Match(word).has_value()) << word;
  EXPECT_EQ(Match("kept")->members.size(), 2u);
  EXPECT_THAT(Get([](BrokerReader& reader) { return reader.MatchesOf(1); }), ElementsAre(1));
}

}  // namespace
}  // namespace raakvlak::storage
