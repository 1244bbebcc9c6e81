// Matches while epochs overlap, and the end of an epoch.
#include "gmock/gmock.h"
#include "server/broker/epoch_end.h"
#include "server/broker/matcher.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::broker {
namespace {

using base::testing::IsOk;
using storage::AuditEntry;
using storage::MakeSignal;
using storage::MakeToken;
using storage::MatchRecord;
using storage::PurposeEpoch;
using storage::StoredSignal;
using storage::StoredToken;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kPurpose[] = "onaantastbaren";

class EpochsTest : public storage::BrokerStoreTest {
 protected:
  EpochsTest() {
    terms_.purposes[kPurpose] = {2, v1::LIST};
    terms_.partners_in_force = {"politie", "gemeente", "jeugdzorg"};
    terms_.policy = "c2/r1";
  }
  void SetUp() override {
    BrokerStoreTest::SetUp();
    matcher_ = std::make_unique<Matcher>(*store_, clock_, random_, "urn:broker");
  }
  // The version of signal `word` in that epoch.
  void Submit(const std::string& partner, const std::string& word, uint32_t epoch,
              const std::vector<StoredToken>& tokens = {MakeToken("bsn", "jan", v1::EXACT)}) {
    StoredSignal signal = MakeSignal(partner, word, tokens);
    signal.epoch = epoch;
    ASSERT_THAT(Insert(signal), IsOk());
  }
  void Run() { ASSERT_THAT(matcher_->Run(terms_), IsOk()); }
  // Ends all but `served`, as Background does.
  uint64_t End(const std::set<PurposeEpoch>& served, size_t batch = EpochEnd::kBatch, bool in_force = true) {
    EpochEnd end(*store_, clock_, *matcher_, "urn:broker", batch);
    const auto ended = end.Run(served, in_force ? &terms_ : nullptr, "c2/r1");
    EXPECT_THAT(ended, IsOk());
    return ended.value_or(0);
  }
  // Each open match as its members' numbers, "1+2".
  std::vector<std::string> Open() {
    std::vector<std::string> found;
    for (const MatchRecord& match : List({kPurpose, false})) {
      std::string text;
      for (const storage::MatchMember& member : match.members) {
        absl::StrAppend(&text, text.empty() ? "" : "+", member.number);
      }
      found.push_back(text);
    }
    return found;
  }
  std::string OnlyId() {
    const std::vector<MatchRecord> matches = List({kPurpose, false});
    EXPECT_EQ(matches.size(), 1u);
    return matches.empty() ? "" : matches.front().id;
  }
  std::vector<std::string> Entries(const std::string& action) {
    std::vector<std::string> texts;
    for (const AuditEntry& entry : Audit()) {
      if (entry.action != action) continue;
      texts.push_back(absl::StrCat(entry.actor, " ", entry.role, " ", entry.purpose, ", ", entry.object, ": ",
                                   entry.count, " ", entry.policy));
    }
    return texts;
  }

  base::testing::FakeClock clock_;
  base::testing::SeededRandom random_{1};
  MatchTerms terms_;
  std::unique_ptr<Matcher> matcher_;
};

INSTANTIATE_TEST_SUITE_P(All, EpochsTest, ::testing::ValuesIn(storage::BrokerStoreKinds()),
                         storage::NameOfKind);

TEST_P(EpochsTest, MatchKeepsItsIdWhilePartnersRenewOneByOneAndTheOldEpochEnds) {
  Submit("politie", "a", 1);
  Submit("gemeente", "b", 1);
  Run();
  const std::string id = OnlyId();
  Submit("politie", "a", 2);
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+2")) << "nobody to agree with in the new epoch yet";
  Submit("gemeente", "b", 2);
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+2+3+4"));
  EXPECT_EQ(OnlyId(), id);
  EXPECT_EQ(End({{kPurpose, 2}}), 2u);
  EXPECT_THAT(Open(), ElementsAre("3+4")) << "at once";
  Run();
  EXPECT_THAT(Open(), ElementsAre("3+4"));
  EXPECT_EQ(OnlyId(), id);
}

TEST_P(EpochsTest, GroupsOfTwoEpochsThatShareASignalAreOneMatch) {
  Submit("politie", "a", 1);
  Submit("gemeente", "b", 1);
  Run();
  const std::string id = OnlyId();
  Submit("jeugdzorg", "c", 2);
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+2"));
  Submit("politie", "a", 2);
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+2+3+4"));
  EXPECT_EQ(OnlyId(), id);
  Withdraw("politie", "a");
  Run();
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(EpochsTest, TagsOfTwoEpochsAgreeInNothing) {
  Submit("politie", "a", 1);
  Submit("gemeente", "b", 2);
  Run();
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(EpochsTest, SupportingTagsAreComparedWithinAnEpochOnly) {
  const StoredToken bsn = MakeToken("bsn", "jan", v1::EXACT);
  const StoredToken phone = MakeToken("phone", "jan", v1::SUPPORTING);
  Submit("politie", "a", 1, {bsn, phone});
  Submit("jeugdzorg", "c", 1, {bsn});
  Submit("jeugdzorg", "c", 2, {bsn});
  Submit("gemeente", "b", 2, {bsn, phone});
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+2+3+4"));
  EXPECT_THAT(List({kPurpose, false}).at(0).rules, ElementsAre("bsn"));
}

TEST_P(EpochsTest, WhatWasSealedUnderAHigherThresholdKeepsIt) {
  terms_.purposes[kPurpose].threshold_of = {{1, 3}, {2, 2}};
  for (const uint32_t epoch : {1, 2}) {
    Submit("politie", "a", epoch);
    if (epoch == 1) Submit("gemeente", "b", epoch);
  }
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  Submit("jeugdzorg", "c", 2);
  Run();
  EXPECT_THAT(Open(), ElementsAre("3+4"));
}

TEST_P(EpochsTest, LateRenewalIsANewMatchAndTheOldOneIsClosed) {
  Submit("politie", "a", 1);
  Submit("gemeente", "b", 1);
  Run();
  const std::string id = OnlyId();
  Submit("politie", "a", 2);
  End({{kPurpose, 2}});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  Submit("gemeente", "b", 2);
  Run();
  EXPECT_THAT(Open(), ElementsAre("3+4"));
  EXPECT_NE(OnlyId(), id);
}

TEST_P(EpochsTest, WhatCameSinceTheLastRunIsMatchedBeforeItsEpochEnds) {
  Submit("politie", "a", 1);
  Submit("gemeente", "b", 1);
  Run();
  const std::string id = OnlyId();
  Submit("politie", "a", 2);
  Submit("gemeente", "b", 2);
  EXPECT_EQ(End({{kPurpose, 2}}), 2u);
  EXPECT_THAT(Open(), ElementsAre("3+4"));
  EXPECT_EQ(OnlyId(), id);
}

// A run between two transactions of one end would give the two parts of what is left ids of their own.
TEST_P(EpochsTest, EndInManyTransactionsLeavesTheIdWithWhatIsLeft) {
  const StoredToken bsn = MakeToken("bsn", "jan", v1::EXACT);
  const StoredToken name = MakeToken("surname-initial-birthdate", "jan", v1::STRONG);
  Submit("jeugdzorg", "x", 1, {bsn, name});  // ends first, and is what joins the others
  Submit("politie", "a", 1, {bsn});
  Submit("gemeente", "b", 1, {name});
  Submit("politie", "p", 1, {name});
  Submit("gemeente", "b", 2, {name});
  Submit("politie", "p", 2, {name});
  Submit("gemeente", "c", 1, {bsn});
  Run();
  const std::string id = OnlyId();
  EXPECT_EQ(End({{kPurpose, 2}}, 1), 5u);
  EXPECT_EQ(Entries("tags_destroyed").size(), 5u);
  Run();
  EXPECT_THAT(Open(), ElementsAre("5+6"));
  EXPECT_EQ(OnlyId(), id);
  EXPECT_EQ(List({kPurpose, true}).size(), 1u) << "no other match came and went";
}

TEST_P(EpochsTest, EndLeavesAnEntryForEachPurposeAndEpoch) {
  Submit("politie", "a", 1);
  Submit("politie", "a", 2);
  Submit("politie", "a", 3);
  StoredSignal gone = MakeSignal("gemeente", "g", {});
  gone.purpose = "left-the-covenant";
  ASSERT_THAT(Insert(gone), IsOk());
  EXPECT_EQ(End({{kPurpose, 3}, {"another", 7}}), 3u);
  EXPECT_THAT(Entries("tags_destroyed"), ElementsAre("urn:broker broker left-the-covenant, epoch 1: 1 c2/r1",
                                                     "urn:broker broker onaantastbaren, epoch 1: 1 c2/r1",
                                                     "urn:broker broker onaantastbaren, epoch 2: 1 c2/r1"));
  EXPECT_EQ(Find("politie", "a")->epoch, 3u);
  EXPECT_FALSE(Find("gemeente", "g").has_value());
}

TEST_P(EpochsTest, MatchesOfAPurposeThatLeftTheCovenantAreDestroyed) {
  Submit("politie", "a", 1);
  Submit("gemeente", "b", 1);
  Submit("jeugdzorg", "c", 1, {MakeToken("bsn", "piet", v1::EXACT)});
  Submit("gemeente", "d", 1, {MakeToken("bsn", "piet", v1::EXACT)});
  Run();
  Withdraw("gemeente", "d");
  Run();  // closes the second
  End({{kPurpose, 2}});
  EXPECT_EQ(List({kPurpose, true}).size(), 2u) << "an epoch ended, the purpose did not";
  terms_.purposes.clear();
  End({{"another", 1}, {"zorg", 1}}, 1);
  EXPECT_THAT(List({kPurpose, true}), IsEmpty());
  EXPECT_THAT(Entries("matches_destroyed"), ElementsAre("urn:broker broker onaantastbaren, : 1 c2/r1",
                                                        "urn:broker broker onaantastbaren, : 1 c2/r1"));
  Run();
  EXPECT_THAT(Dirty(), IsEmpty());
}

TEST_P(EpochsTest, EndIsDueWhileVersionsOrMatchesStandInWhatIsNotServed) {
  Submit("politie", "a", 1);
  Submit("gemeente", "b", 1);
  Run();
  EpochEnd end(*store_, clock_, *matcher_, "urn:broker");
  EXPECT_FALSE(*end.IsDue({{kPurpose, 2}, {kPurpose, 1}}));
  EXPECT_TRUE(*end.IsDue({{kPurpose, 2}}));
  Withdraw("politie", "a");
  Withdraw("gemeente", "b");
  EXPECT_FALSE(*end.IsDue({{kPurpose, 2}}));
  EXPECT_TRUE(*end.IsDue({})) << "the match is still there";
  End({});
  EXPECT_FALSE(*end.IsDue({}));
}

TEST_P(EpochsTest, WithNothingToEndThereIsNoEntry) {
  Submit("politie", "a", 1);
  Submit("politie", "a", 2);
  EXPECT_EQ(End({{kPurpose, 2}, {kPurpose, 1}}), 0u);
  EXPECT_EQ(Find("politie", "a")->epoch, 2u);
  EXPECT_THAT(Audit(), IsEmpty());
  EXPECT_THAT(Dirty(), ElementsAre(1, 2)) << "nothing was matched";
}

TEST_P(EpochsTest, WhileNothingIsInForceEpochsEndAndNothingIsMatched) {
  Submit("politie", "a", 2);
  Submit("gemeente", "b", 2);
  Submit("gemeente", "c", 1);
  EXPECT_EQ(End({{kPurpose, 2}}, 10, false), 1u);
  EXPECT_THAT(Entries("match_run"), IsEmpty());
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(EpochsTest, ProgressIsToldWhileEpochsOverlap) {
  Submit("politie", "a", 1);
  Submit("gemeente", "b", 1);
  Submit("gemeente", "b", 2);
  EpochEnd end(*store_, clock_, *matcher_, "urn:broker");
  const auto overlap = end.Progress({{kPurpose, 1}, {kPurpose, 2}, {"another", 4}});
  ASSERT_THAT(overlap, IsOk());
  ASSERT_EQ(overlap->size(), 1u);
  EXPECT_EQ(overlap->front().epoch, (PurposeEpoch{kPurpose, 1}));
  EXPECT_EQ(overlap->front().progress.versions, 2u);
  EXPECT_EQ(overlap->front().progress.renewed, 1u);
  EXPECT_EQ(end.Progress({{kPurpose, 2}})->size(), 0u);
}

}  // namespace
}  // namespace raakvlak::broker
