// What every store must do about matches and what the matcher has yet to look at.
#include "base/reason.h"
#include "gmock/gmock.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::storage {
namespace {

using base::testing::IsOk;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class BrokerStoreMatchTest : public BrokerStoreTest {
 protected:
  // Signals 1 to 4, of jan: politie, gemeente, jeugdzorg, politie.
  void SetUp() override {
    BrokerStoreTest::SetUp();
    uint32_t day = 20005;
    for (const char* word : {"politie a", "gemeente b", "jeugdzorg c", "politie d"}) {
      const std::string text = word;
      StoredSignal signal =
          MakeSignal(text.substr(0, text.find(' ')), text.substr(text.find(' ') + 1),
                     {MakeToken("bsn", "jan", v1::EXACT), MakeToken("phone", "jan", v1::SUPPORTING)});
      signal.counts_as_case = day % 2 == 0;
      signal.submitted_day = day--;
      ASSERT_THAT(Insert(signal), IsOk());
    }
  }
  std::vector<uint64_t> Members(const std::string& word) {
    std::vector<uint64_t> numbers;
    const std::optional<MatchRecord> match = Match(word);
    for (const MatchMember& member : match->members) numbers.push_back(member.number);
    return numbers;
  }
  void Close(uint64_t number, int64_t time_ms = 8000) {
    ASSERT_THAT(
        Write([&](BrokerTransaction& transaction) { return transaction.CloseMatch(number, time_ms); }),
        IsOk());
  }
  void Merge(uint64_t number, uint64_t into) {
    ASSERT_THAT(
        Write([&](BrokerTransaction& transaction) { return transaction.MergeMatch(number, into, 8000); }),
        IsOk());
  }
  std::vector<uint64_t> Numbers(const MatchQuery& query) {
    std::vector<uint64_t> numbers;
    for (const MatchRecord& match : List(query)) numbers.push_back(match.number);
    return numbers;
  }
};

INSTANTIATE_TEST_SUITE_P(All, BrokerStoreMatchTest, ::testing::ValuesIn(BrokerStoreKinds()), NameOfKind);

TEST_P(BrokerStoreMatchTest, NewMatchIsReadWithItsMembers) {
  EXPECT_EQ(PutMatch("m", {1, 2, 4}), 1u);
  const auto match = Match("m");
  ASSERT_TRUE(match.has_value());
  EXPECT_EQ(match->number, 1u);
  EXPECT_EQ(match->id, Id("m"));
  EXPECT_EQ(match->purpose, "onaantastbaren");
  EXPECT_EQ(match->subject, v1::PERSON_SUBJECT);
  EXPECT_EQ(match->quality, v1::EXACT);
  EXPECT_THAT(match->rules, ElementsAre("bsn", "surname-initial-birthdate"));
  EXPECT_FALSE(match->conflict);
  EXPECT_EQ(match->state, MatchState::kOpen);
  EXPECT_EQ(match->changed_ms, 7000);
  ASSERT_EQ(match->members.size(), 3u);
  EXPECT_EQ(match->members[1].number, 2u);
  EXPECT_EQ(match->members[1].partner, "gemeente");
  EXPECT_GT(match->members[1].organisation, 0u);
  EXPECT_EQ(match->members[1].signal_id, Id("b"));
  EXPECT_EQ(match->members[1].envelope_hash, base::Sha256("envelope b"));
  EXPECT_EQ(match->members[1].submitted_day, 20004u);
  EXPECT_EQ(match->members[1].expiry_day, MakeSignal("politie", "a", {}).expiry_day);
  EXPECT_TRUE(match->members[1].counts_as_case);
  EXPECT_FALSE(match->members[0].counts_as_case);
  EXPECT_THAT(match->Partners(), ElementsAre("gemeente", "politie"));
  EXPECT_EQ(match->FirstDay(), 20002u);
  EXPECT_EQ(match->LastDay(), 20005u);
  EXPECT_THAT(match->EnvelopeHashes(), ElementsAre(base::Sha256("envelope a"), base::Sha256("envelope b"),
                                                   base::Sha256("envelope d")));
  EXPECT_THAT(Get([](BrokerReader& reader) { return reader.MatchesOf(2); }), ElementsAre(1));
  EXPECT_THAT(Get([](BrokerReader& reader) { return reader.MatchesOf(3); }), IsEmpty());
}

TEST_P(BrokerStoreMatchTest, SignalMayBeInTwoMatches) {
  PutMatch("m", {1, 2});
  PutMatch("n", {1, 3});
  EXPECT_THAT(Get([](BrokerReader& reader) { return reader.MatchesOf(1); }), ElementsAre(1, 2));
}

TEST_P(BrokerStoreMatchTest, PutReplacesMembersAndFindings) {
  const uint64_t number = PutMatch("m", {1, 2});
  MatchRecord match = *Match("m");
  match.rules = {"bsn"};
  match.quality = v1::STRONG;
  match.conflict = true;
  match.changed_ms = 9000;
  match.members.resize(1);
  match.members.emplace_back().number = 3;
  EXPECT_EQ(Do([&](BrokerTransaction& transaction) { return transaction.PutMatch(match); }), number);
  EXPECT_THAT(Members("m"), ElementsAre(1, 3));
  EXPECT_THAT(Match("m")->rules, ElementsAre("bsn"));
  EXPECT_EQ(Match("m")->quality, v1::STRONG);
  EXPECT_TRUE(Match("m")->conflict);
  EXPECT_EQ(Match("m")->changed_ms, 9000);
  EXPECT_THAT(Get([](BrokerReader& reader) { return reader.MatchesOf(2); }), IsEmpty());
}

TEST_P(BrokerStoreMatchTest, ClosedMatchHasNoMembersAndIsListedWhenAskedFor) {
  const uint64_t number = PutMatch("m", {1, 2});
  PutMatch("n", {3, 4});
  Close(number);
  EXPECT_EQ(Match("m")->state, MatchState::kClosed);
  EXPECT_EQ(Match("m")->changed_ms, 8000);
  EXPECT_THAT(Match("m")->members, IsEmpty());
  EXPECT_THAT(Numbers({"onaantastbaren", false}), ElementsAre(2));
  EXPECT_THAT(Numbers({"onaantastbaren", true}), ElementsAre(1, 2));
}

TEST_P(BrokerStoreMatchTest, MergedIdsResolveToTheOneThatLivesOn) {
  const uint64_t m = PutMatch("m", {1, 2});
  const uint64_t n = PutMatch("n", {3});
  const uint64_t o = PutMatch("o", {4});
  Merge(o, n);
  EXPECT_EQ(Match("o")->number, n);
  Merge(n, m);
  EXPECT_EQ(Match("o")->number, m);
  EXPECT_EQ(Match("n")->number, m);
  EXPECT_THAT(Match("m")->merged_ids, ElementsAre(Id("n"), Id("o")));
  EXPECT_THAT(Numbers({"onaantastbaren", true}), ElementsAre(m));
  EXPECT_EQ(Get([&](BrokerReader& reader) { return reader.FindMatchByNumber(o); })->state,
            MatchState::kMerged);
  EXPECT_THAT(Get([](BrokerReader& reader) { return reader.MatchesOf(4); }), IsEmpty());
  Close(m);
  EXPECT_EQ(Match("o")->state, MatchState::kClosed);
}

TEST_P(BrokerStoreMatchTest, ListIsPagedPerPurposeOldestFirst) {
  for (int i = 0; i < 5; ++i) PutMatch(absl::StrCat("m", i), {1});
  PutMatch("other", {2}, 0, "risicojeugd");
  PutMatch("last", {1});
  EXPECT_THAT(Numbers({"onaantastbaren", false, 0, 2}), ElementsAre(1, 2));
  EXPECT_THAT(Numbers({"onaantastbaren", false, 2, 3}), ElementsAre(3, 4, 5));
  EXPECT_THAT(Numbers({"onaantastbaren", false, 5, 3}), ElementsAre(7));
  EXPECT_THAT(Numbers({"onaantastbaren", true, 5, 3}), ElementsAre(7));
  EXPECT_THAT(Numbers({"risicojeugd", false, 0, 9}), ElementsAre(6));
  EXPECT_THAT(Numbers({"gezinsaanpak", false, 0, 9}), IsEmpty());
}

TEST_P(BrokerStoreMatchTest, ClosedMatchIsPrunedWithTheIdsThatWentUpInIt) {
  const uint64_t m = PutMatch("m", {1, 2});
  const uint64_t n = PutMatch("n", {3});
  PutMatch("open", {4});
  Merge(n, m);
  Close(m, 8000);
  PruneBounds bounds;
  bounds.closed_matches_before_ms = 8000;
  EXPECT_EQ(Do([&](BrokerTransaction& transaction) { return transaction.Prune(bounds, 9); }), 0u);
  bounds.closed_matches_before_ms = 8001;
  EXPECT_EQ(Do([&](BrokerTransaction& transaction) { return transaction.Prune(bounds, 9); }), 1u);
  EXPECT_FALSE(Match("m").has_value());
  EXPECT_FALSE(Match("n").has_value());
  EXPECT_TRUE(Match("open").has_value());
}

TEST_P(BrokerStoreMatchTest, NewSignalsAreDirtyInOrderUntilCleared) {
  EXPECT_THAT(Dirty(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(Dirty(2), ElementsAre(1, 2));
  ASSERT_THAT(Write([](BrokerTransaction& transaction) {
                return transaction.ClearDirty({{2, true}, {3, true}}, {});
              }),
              IsOk());
  EXPECT_THAT(Dirty(), ElementsAre(1, 4));
  for (const DirtySignal& dirty : Get([](BrokerReader& reader) { return reader.DirtySignals(9); })) {
    EXPECT_TRUE(dirty.changed);
  }
}

TEST_P(BrokerStoreMatchTest, EndingLeavesTheMatchAtOnceAndMarksAllConcerned) {
  PutMatch("m", {1, 2});
  ClearDirty();
  Withdraw("gemeente", "b");
  EXPECT_THAT(Members("m"), ElementsAre(1));
  EXPECT_THAT(DirtyMatches(), ElementsAre(1));
  std::vector<uint64_t> changed;
  size_t beside = 0;
  for (const DirtySignal& dirty : Get([](BrokerReader& reader) { return reader.DirtySignals(9); })) {
    if (dirty.changed) {
      changed.push_back(dirty.number);
    } else {
      ++beside;
    }
  }
  EXPECT_THAT(changed, ElementsAre(2));
  EXPECT_EQ(beside, 1u);  // one of 1, 3, 4
  ClearDirty();
  EXPECT_THAT(DirtyMatches(), IsEmpty());
}

TEST_P(BrokerStoreMatchTest, OldestOfATagMarksAnotherOneWhenItEnds) {
  ClearDirty();
  Withdraw("politie", "a");
  const std::vector<DirtySignal> dirty = Get([](BrokerReader& reader) { return reader.DirtySignals(9); });
  ASSERT_EQ(dirty.size(), 2u);
  EXPECT_EQ(dirty[0].number, 1u);
  EXPECT_TRUE(dirty[0].changed);
  EXPECT_FALSE(dirty[1].changed);
}

TEST_P(BrokerStoreMatchTest, SignalBesideAnEndedOneStaysChangedWhenItWas) {
  Withdraw("gemeente", "b");
  for (const DirtySignal& dirty : Get([](BrokerReader& reader) { return reader.DirtySignals(9); })) {
    EXPECT_TRUE(dirty.changed) << dirty.number;
  }
}

TEST_P(BrokerStoreMatchTest, SupportingTokenMarksNobodyBeside) {
  ASSERT_THAT(Insert(MakeSignal("politie", "e", {MakeToken("phone", "piet", v1::SUPPORTING)})), IsOk());
  ASSERT_THAT(Insert(MakeSignal("gemeente", "f", {MakeToken("phone", "piet", v1::SUPPORTING)})), IsOk());
  ClearDirty();
  Withdraw("politie", "e");
  EXPECT_THAT(Dirty(), ElementsAre(5));
}

// How often one has to ask tells nothing of overlap.
TEST_P(BrokerStoreMatchTest, TheLimitIsForWhatChangedAndNotForWhatIsDirtyBesideIt) {
  const StoredToken bsn = MakeToken("bsn", "piet", v1::EXACT);
  const StoredToken name = MakeToken("surname-initial-birthdate", "klaas", v1::STRONG);
  ASSERT_THAT(Insert(MakeSignal("politie", "e", {bsn, name})), IsOk());
  ASSERT_THAT(Insert(MakeSignal("gemeente", "f", {bsn})), IsOk());
  ASSERT_THAT(Insert(MakeSignal("jeugdzorg", "g", {name})), IsOk());
  PutMatch("m", {5, 6});
  PutMatch("n", {5, 7});
  ClearDirty();
  Withdraw("politie", "d");
  Withdraw("politie", "e");
  EXPECT_THAT(Dirty(1), ElementsAre(1, 4, 6, 7)) << "4 changed; 5 did too, and is for the next time";
  EXPECT_EQ(Get([](BrokerReader& reader) { return reader.DirtyMatches(1); }).size(), 2u);
}

TEST_P(BrokerStoreMatchTest, ExpiryMarksAsWithdrawalDoes) {
  PutMatch("m", {1, 2});
  ClearDirty();
  EXPECT_EQ(Expire(20100, 2), 2u);
  EXPECT_THAT(Members("m"), IsEmpty());
  EXPECT_THAT(DirtyMatches(), ElementsAre(1));
  EXPECT_THAT(Dirty(), Contains(1));
  EXPECT_THAT(Dirty(), Contains(2));
}

TEST_P(BrokerStoreMatchTest, NumbersAreNotUsedAgain) {
  Withdraw("politie", "d");
  ASSERT_THAT(Insert(MakeSignal("politie", "e", {})), IsOk());
  EXPECT_TRUE(Get([](BrokerReader& reader) { return reader.FindFacts(5); }).has_value());
  EXPECT_FALSE(Get([](BrokerReader& reader) { return reader.FindFacts(4); }).has_value());
}

TEST_P(BrokerStoreMatchTest, PartnerIsMarkedDirtyByPages) {
  ClearDirty();
  std::string last;
  std::vector<size_t> dirty;
  do {
    last =
        Do([&](BrokerTransaction& transaction) { return transaction.MarkPartnerDirty("politie", last, 1); });
    dirty.push_back(Dirty().size());
  } while (!last.empty());
  EXPECT_THAT(dirty, ElementsAre(1, 2, 2));
  EXPECT_THAT(Dirty(), ElementsAre(1, 4));
}

TEST_P(BrokerStoreMatchTest, PartnersInForceAreKeptAsSet) {
  const auto set = [&](const std::set<std::string>& partners) {
    return Write([&](BrokerTransaction& transaction) { return transaction.SetPartnersInForce(partners); });
  };
  const auto get = [&] { return Get([](BrokerReader& reader) { return reader.PartnersInForce(); }); };
  ASSERT_THAT(set({"politie", "gemeente"}), IsOk());
  EXPECT_THAT(get(), ElementsAre("gemeente", "politie"));
  ASSERT_THAT(set({"politie"}), IsOk());
  EXPECT_THAT(get(), ElementsAre("politie"));
}

}  // namespace
}  // namespace raakvlak::storage
