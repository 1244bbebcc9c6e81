#include "server/broker/matcher.h"

#include "gmock/gmock.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::broker {
namespace {

using base::testing::IsOk;
using storage::AuditEntry;
using storage::Id;
using storage::MakeSignal;
using storage::MakeToken;
using storage::MatchRecord;
using storage::MatchState;
using storage::StoredSignal;
using storage::StoredToken;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

StoredToken Bsn(const std::string& person) { return MakeToken("bsn", person, v1::EXACT); }
StoredToken Name(const std::string& person) {
  return MakeToken("surname-initial-birthdate", person, v1::STRONG);
}
StoredToken Phone(const std::string& person) { return MakeToken("phone", person, v1::SUPPORTING); }
StoredToken Address(const std::string& home) {
  return MakeToken("address", home, v1::STRONG, v1::HOUSEHOLD_SUBJECT);
}

class MatcherTest : public storage::BrokerStoreTest {
 protected:
  MatcherTest() {
    terms_.purposes["onaantastbaren"] = {2, v1::LIST};
    terms_.purposes["risicojeugd"] = {2, v1::CASE};
    terms_.partners_in_force = {"politie", "gemeente", "jeugdzorg", "woningcorporatie"};
    terms_.policy = "c1/r1";
  }
  void SetUp() override {
    BrokerStoreTest::SetUp();
    matcher_ = std::make_unique<Matcher>(*store_, clock_, random_, "urn:raakvlak:maastricht:broker:centre");
  }
  void Submit(const std::string& partner, const std::string& word, std::vector<StoredToken> tokens) {
    ASSERT_THAT(Insert(MakeSignal(partner, word, std::move(tokens))), IsOk());
  }
  void Youth(const std::string& partner, const std::string& word, bool counts_as_case,
             std::vector<StoredToken> tokens) {
    StoredSignal signal = MakeSignal(partner, word, std::move(tokens));
    signal.purpose = "risicojeugd";
    signal.counts_as_case = counts_as_case;
    ASSERT_THAT(Insert(signal), IsOk());
  }
  MatchRun Run() {
    clock_.Advance(absl::Seconds(1));
    auto run = matcher_->Run(terms_);
    EXPECT_THAT(run, IsOk());
    return run.ok() ? *run : MatchRun();
  }
  // Each open match as the words of its signals' numbers, "1+2".
  std::vector<std::string> Open(const std::string& purpose = "onaantastbaren") {
    std::vector<std::string> found;
    for (const MatchRecord& match : List({purpose, false})) {
      std::string text;
      for (const storage::MatchMember& member : match.members) {
        absl::StrAppend(&text, text.empty() ? "" : "+", member.number);
      }
      found.push_back(text);
    }
    return found;
  }
  MatchRecord Only() {
    const std::vector<MatchRecord> matches = List({"onaantastbaren", false});
    EXPECT_EQ(matches.size(), 1u);
    return matches.empty() ? MatchRecord() : matches.front();
  }
  std::optional<MatchRecord> ById(const std::string& id) {
    return Get([&](storage::BrokerReader& reader) { return reader.FindMatch(id); });
  }

  base::testing::FakeClock clock_;
  base::testing::SeededRandom random_{1};
  MatchTerms terms_;
  std::unique_ptr<Matcher> matcher_;
};

INSTANTIATE_TEST_SUITE_P(All, MatcherTest, ::testing::ValuesIn(storage::BrokerStoreKinds()),
                         storage::NameOfKind);

TEST_P(MatcherTest, LoneSignalMakesNoMatch) {
  Submit("politie", "a", {Bsn("jan"), Name("jan")});
  EXPECT_EQ(Run().signals, 1u);
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(MatcherTest, ManySignalsOfOneOrganisationMakeNoMatch) {
  for (const char* word : {"a", "b", "c"}) Submit("politie", word, {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(MatcherTest, TwoPartnersOfOneOrganisationAreOneOrganisation) {
  Submit("politie", "a", {Bsn("jan")});
  StoredSignal sister = MakeSignal("gemeente", "b", {Bsn("jan")});
  sister.organisation = MakeSignal("politie", "a", {}).organisation;
  ASSERT_THAT(Insert(sister), IsOk());
  Run();
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(MatcherTest, ThresholdBelowTwoIsTwo) {
  terms_.purposes["onaantastbaren"] = {0, v1::LIST};
  Submit("politie", "a", {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(MatcherTest, TwoOrganisationsMatchWithAllTheirSignals) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Submit("politie", "c", {Bsn("jan")});
  Submit("jeugdzorg", "d", {Bsn("piet")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+2+3"));
  const MatchRecord match = Only();
  EXPECT_EQ(match.id.size(), 16u);
  EXPECT_EQ(match.purpose, "onaantastbaren");
  EXPECT_EQ(match.subject, v1::PERSON_SUBJECT);
  EXPECT_EQ(match.quality, v1::EXACT);
  EXPECT_THAT(match.rules, ElementsAre("bsn"));
  EXPECT_FALSE(match.conflict);
  EXPECT_THAT(match.merged_ids, IsEmpty());
}

TEST_P(MatcherTest, OtherPurposeOrEpochDoesNotMatch) {
  Submit("politie", "a", {Bsn("jan")});
  StoredSignal epoch = MakeSignal("gemeente", "b", {Bsn("jan")});
  epoch.epoch = 2;
  ASSERT_THAT(Insert(epoch), IsOk());
  Youth("jeugdzorg", "c", true, {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_THAT(Open("risicojeugd"), IsEmpty());
}

TEST_P(MatcherTest, ThresholdOfThreeNeedsThree) {
  terms_.purposes["onaantastbaren"].threshold = 3;
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  Submit("jeugdzorg", "c", {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+2+3"));
}

TEST_P(MatcherTest, PurposeWithoutTermsMakesNoMatch) {
  terms_.purposes.erase("onaantastbaren");
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(MatcherTest, CaseModeNeedsACaseReportThatCounts) {
  Youth("politie", "a", false, {Bsn("jan")});
  Youth("jeugdzorg", "b", false, {Bsn("jan")});
  Run();
  EXPECT_THAT(Open("risicojeugd"), IsEmpty());
  Youth("gemeente", "c", true, {Bsn("jan")});
  Run();
  EXPECT_THAT(Open("risicojeugd"), ElementsAre("1+2+3"));
  Withdraw("gemeente", "c");
  Run();
  EXPECT_THAT(Open("risicojeugd"), IsEmpty());
}

TEST_P(MatcherTest, CaseReportCountsInItsOwnGroupOnly) {
  Youth("gemeente", "a", true, {Bsn("jan"), Name("jan")});
  Youth("politie", "b", false, {Bsn("jan"), Address("huis")});
  Youth("jeugdzorg", "c", false, {Address("huis")});
  Run();
  EXPECT_THAT(Open("risicojeugd"), ElementsAre("1+2"));
}

TEST_P(MatcherTest, SupportingRuleIsNamedButDoesNotMatch) {
  Submit("politie", "a", {Phone("jan")});
  Submit("gemeente", "b", {Phone("jan")});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  Submit("politie", "c", {Name("jan"), Phone("jan")});
  Submit("gemeente", "d", {Name("jan"), Phone("jan")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("3+4"));
  EXPECT_THAT(Only().rules, ElementsAre("phone", "surname-initial-birthdate"));
  EXPECT_EQ(Only().quality, v1::STRONG);
  Withdraw("politie", "c");
  Submit("politie", "e", {Name("jan"), Phone("piet")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("4+5"));
  EXPECT_THAT(Only().rules, ElementsAre("surname-initial-birthdate"));
}

TEST_P(MatcherTest, ChainOfThreeIsOneMatch) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan"), Name("jan")});
  Submit("jeugdzorg", "c", {Name("jan"), Address("huis")});
  Submit("woningcorporatie", "d", {Address("huis")});
  Run();
  EXPECT_THAT(Open(), UnorderedElementsAre("1+2+3", "3+4"));
  for (const MatchRecord& match : List({"onaantastbaren", false})) {
    if (match.subject == v1::PERSON_SUBJECT) {
      EXPECT_EQ(match.quality, v1::EXACT);
      EXPECT_THAT(match.rules, ElementsAre("bsn", "surname-initial-birthdate"));
    } else {
      EXPECT_EQ(match.subject, v1::HOUSEHOLD_SUBJECT);
      EXPECT_THAT(match.rules, ElementsAre("address"));
    }
  }
}

TEST_P(MatcherTest, BridgingSignalMergesAndBothIdsResolve) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  const std::string first = Only().id;
  Submit("politie", "c", {Name("jan")});
  Submit("gemeente", "d", {Name("jan")});
  Run();
  ASSERT_THAT(Open(), ElementsAre("1+2", "3+4"));
  const std::string second = List({"onaantastbaren", false})[1].id;
  Submit("jeugdzorg", "e", {Bsn("jan"), Name("jan")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+2+3+4+5"));
  EXPECT_EQ(Only().id, first);
  EXPECT_THAT(Only().merged_ids, ElementsAre(second));
  EXPECT_EQ(ById(second)->id, first);
}

TEST_P(MatcherTest, PartWithTheOldestSignalKeepsTheIdAfterASplit) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Submit("politie", "c", {Name("jan")});
  Submit("gemeente", "d", {Name("jan")});
  Submit("jeugdzorg", "e", {Bsn("jan"), Name("jan")});
  Run();
  const std::string id = Only().id;
  Withdraw("jeugdzorg", "e");
  Run();
  ASSERT_THAT(Open(), ElementsAre("1+2", "3+4"));
  const std::vector<MatchRecord> matches = List({"onaantastbaren", false});
  EXPECT_EQ(matches[0].id, id);
  EXPECT_NE(matches[1].id, id);
  EXPECT_EQ(matches[1].state, MatchState::kOpen);
}

TEST_P(MatcherTest, MatchBelowThresholdClosesForGood) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  const std::string id = Only().id;
  Withdraw("gemeente", "b");
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_EQ(ById(id)->state, MatchState::kClosed);
  EXPECT_THAT(ById(id)->members, IsEmpty());
  Submit("gemeente", "c", {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+3"));
  EXPECT_NE(Only().id, id);
  EXPECT_EQ(ById(id)->state, MatchState::kClosed);
}

TEST_P(MatcherTest, MatchWhoseSignalsAllEndedCloses) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  const std::string id = Only().id;
  EXPECT_EQ(Expire(20100), 2u);
  Run();
  EXPECT_EQ(ById(id)->state, MatchState::kClosed);
}

TEST_P(MatcherTest, SignalReplacedBetweenRunsKeepsTheId) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  const std::string id = Only().id;
  Withdraw("gemeente", "b");
  Submit("gemeente", "c", {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+3"));
  EXPECT_EQ(Only().id, id);
}

TEST_P(MatcherTest, EditedRecordIsLinkedAnewWithoutARestart) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "wrong", {Bsn("piet")});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  Withdraw("gemeente", "wrong");
  Submit("gemeente", "right", {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+3"));
  Withdraw("gemeente", "right");
  Submit("gemeente", "wrong again", {Bsn("kees")});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
}

TEST_P(MatcherTest, OtherCommitmentsUnderOneTagAreAConflictAndNoGroup) {
  const StoredToken wrong = MakeToken("bsn", "jan", v1::EXACT, v1::PERSON_SUBJECT, "wrong");
  Submit("politie", "a", {Bsn("jan")});
  Submit("jeugdzorg", "w", {wrong});
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+3"));
  EXPECT_TRUE(Only().conflict);
  Withdraw("jeugdzorg", "w");
  Run();
  EXPECT_THAT(Open(), ElementsAre("1+3"));
  EXPECT_FALSE(Only().conflict);
  Submit("jeugdzorg", "v", {wrong});
  Run();
  EXPECT_TRUE(Only().conflict);
}

TEST_P(MatcherTest, SuspendedPartnersSignalsLeaveAndComeBack) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Submit("jeugdzorg", "c", {Bsn("jan")});
  Run();
  const std::string id = Only().id;
  terms_.partners_in_force.erase("politie");
  EXPECT_EQ(Run().signals, 1u);
  EXPECT_THAT(Open(), ElementsAre("2+3"));
  EXPECT_EQ(Only().id, id);
  terms_.partners_in_force.erase("gemeente");
  Run();
  EXPECT_THAT(Open(), IsEmpty());
  EXPECT_EQ(ById(id)->state, MatchState::kClosed);
  terms_.partners_in_force = {"politie", "gemeente", "jeugdzorg", "woningcorporatie"};
  EXPECT_EQ(Run().signals, 2u);
  EXPECT_THAT(Open(), ElementsAre("1+2+3"));
}

TEST_P(MatcherTest, ResubmittedSignalIsCountedOnce) {
  Submit("politie", "a", {Bsn("jan")});
  EXPECT_FALSE(Insert(MakeSignal("politie", "a", {Bsn("jan")})).ok());
  EXPECT_EQ(Run().signals, 1u);
  EXPECT_FALSE(Insert(MakeSignal("politie", "a", {Bsn("jan")})).ok());
  EXPECT_EQ(Run().signals, 0u);
  EXPECT_EQ(Count(), 1u);
}

TEST_P(MatcherTest, UnchangedMatchIsNotWrittenAgain) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  const int64_t changed_ms = Only().changed_ms;
  Submit("jeugdzorg", "c", {Bsn("piet"), Name("jan")});
  terms_.partners_in_force.erase("woningcorporatie");
  Run();
  EXPECT_EQ(Only().changed_ms, changed_ms);
}

TEST_P(MatcherTest, AuditEntryIsTheSameWithAndWithoutOverlap) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("politie", "b", {Bsn("piet")});
  Run();
  Submit("gemeente", "c", {Bsn("jan")});
  Submit("gemeente", "d", {Bsn("kees")});
  Run();
  EXPECT_EQ(Run().transactions, 0u);
  const std::vector<AuditEntry> entries = Audit();
  ASSERT_EQ(entries.size(), 2u);
  for (const AuditEntry& entry : entries) {
    EXPECT_EQ(entry.action, "match_run");
    EXPECT_EQ(entry.actor, "urn:raakvlak:maastricht:broker:centre");
    EXPECT_EQ(entry.role, "broker");
    EXPECT_EQ(entry.count, 2u);
    EXPECT_EQ(entry.object, "");
    EXPECT_EQ(entry.purpose, "");
    EXPECT_EQ(entry.result, "OK");
    EXPECT_EQ(entry.policy, "c1/r1");
  }
  EXPECT_THAT(Open(), ElementsAre("1+3"));
}

TEST_P(MatcherTest, AuditEntryCountsNoSignalThatOnlyStoodBesideOneThatEnded) {
  Submit("politie", "a", {Bsn("jan")});
  Submit("gemeente", "b", {Bsn("jan")});
  Run();
  Withdraw("politie", "a");
  EXPECT_EQ(Run().signals, 1u);
  EXPECT_EQ(Audit().back().count, 1u);
}

TEST_P(MatcherTest, WorkIsCutIntoBatchesUntilClean) {
  matcher_ = std::make_unique<Matcher>(*store_, clock_, random_, "urn:raakvlak:maastricht:broker:centre", 2);
  for (int i = 0; i < 5; ++i) Submit(i % 2 == 0 ? "politie" : "gemeente", absl::StrCat(i), {Bsn("jan")});
  const MatchRun run = Run();
  EXPECT_EQ(run.signals, 5u);
  EXPECT_EQ(run.transactions, 3u);
  EXPECT_THAT(Open(), ElementsAre("1+2+3+4+5"));
  EXPECT_THAT(Dirty(), IsEmpty());
}

}  // namespace
}  // namespace raakvlak::broker
