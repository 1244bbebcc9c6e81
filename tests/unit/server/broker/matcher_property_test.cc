// Random operations, among them new epochs, partners that renew their signals one by one, and the end of
// epochs; after each run the matches must be what a plain recomputation over everything says. The
// recomputation shares no code with the matcher: it spreads labels until nothing changes, and follows ids by
// the rules that matcher.h states.
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "gmock/gmock.h"
#include "server/broker/epoch_end.h"
#include "server/broker/expiry.h"
#include "server/broker/matcher.h"
#include "tests/unit/server/storage/broker_store_conformance.h"

namespace raakvlak::broker {
namespace {

using base::testing::IsOk;
using storage::Id;
using storage::MakeSignal;
using storage::MakeToken;
using storage::MatchRecord;
using storage::MatchState;
using storage::StoredSignal;
using storage::StoredToken;

// Partner and id.
using SignalKey = std::pair<std::string, std::string>;
SignalKey KeyOf(const StoredSignal& signal) { return {signal.partner, signal.signal_id}; }

// All that a match says, apart from its ids.
struct Facts {
  std::string purpose;
  int subject = 0;
  std::vector<uint64_t> signals;
  std::set<std::string> rules;
  int quality = 0;
  bool conflict = false;
  auto operator<=>(const Facts&) const = default;
};

struct Known {
  Facts facts;
  std::string id;
  MatchState state = MatchState::kOpen;
  uint64_t merged_into = 0;
};

class World {
 public:
  std::map<uint64_t, StoredSignal> live;  // versions, by number
  MatchTerms terms;
  std::map<uint64_t, Known> known;  // by match number, as observed

  std::vector<Facts> Recompute() const {
    std::vector<Facts> all;
    for (const auto& [purpose, purpose_terms] : terms.purposes) {
      for (const int subject : {v1::PERSON_SUBJECT, v1::HOUSEHOLD_SUBJECT}) {
        for (Facts& facts : RecomputeOne(purpose, purpose_terms, subject)) all.push_back(std::move(facts));
      }
    }
    return all;
  }

 private:
  std::vector<Facts> RecomputeOne(const std::string& purpose, const PurposeTerms& purpose_terms,
                                  int subject) const {
    struct Group {
      std::set<uint64_t> signals;
      std::set<uint32_t> organisations;
      bool has_case = false;
      int quality = 0;
    };
    std::map<std::tuple<std::string, uint32_t, std::string>, std::map<std::string, Group>> tags;
    for (const auto& [number, signal] : live) {
      if (signal.purpose != purpose || terms.partners_in_force.count(signal.partner) == 0) continue;
      for (const StoredToken& token : signal.tokens) {
        if (token.subject != subject || token.quality == v1::SUPPORTING) continue;
        Group& group = tags[{token.rule, signal.epoch, token.tag}][token.commitments_hash];
        group.signals.insert(number);
        group.organisations.insert(signal.organisation);
        group.has_case = group.has_case || signal.counts_as_case;
        group.quality = token.quality;
      }
    }
    const auto qualifies = [&](const Group& group) {
      return group.organisations.size() >= purpose_terms.threshold &&
             (purpose_terms.mode != v1::CASE || group.has_case);
    };
    std::map<SignalKey, uint64_t> label;
    for (const auto& [key, groups] : tags) {
      for (const auto& [commitments, group] : groups) {
        if (!qualifies(group)) continue;
        for (const uint64_t number : group.signals) label[KeyOf(live.at(number))] = number;
      }
    }
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& [key, groups] : tags) {
        for (const auto& [commitments, group] : groups) {
          if (!qualifies(group)) continue;
          uint64_t least = UINT64_MAX;
          for (const uint64_t number : group.signals) {
            least = std::min(least, label[KeyOf(live.at(number))]);
          }
          for (const uint64_t number : group.signals) {
            uint64_t& own = label[KeyOf(live.at(number))];
            moved = moved || own != least;
            own = least;
          }
        }
      }
    }
    std::map<uint64_t, Facts> by_label;
    for (const auto& [key, groups] : tags) {
      for (const auto& [commitments, group] : groups) {
        if (!qualifies(group)) continue;
        Facts& facts = by_label[label[KeyOf(live.at(*group.signals.begin()))]];
        facts.signals.insert(facts.signals.end(), group.signals.begin(), group.signals.end());
        facts.rules.insert(std::get<0>(key));
        facts.quality = facts.quality == 0 ? group.quality : std::min(facts.quality, group.quality);
        facts.conflict = facts.conflict || groups.size() > 1;
      }
    }
    std::vector<Facts> result;
    for (auto& [least, facts] : by_label) {
      facts.purpose = purpose;
      facts.subject = subject;
      std::sort(facts.signals.begin(), facts.signals.end());
      facts.signals.erase(std::unique(facts.signals.begin(), facts.signals.end()), facts.signals.end());
      for (const uint64_t a : facts.signals) {
        for (const uint64_t b : facts.signals) {
          const StoredSignal& one = live.at(a);
          const StoredSignal& other = live.at(b);
          if (one.organisation == other.organisation || one.epoch != other.epoch) continue;
          for (const StoredToken& x : one.tokens) {
            for (const StoredToken& y : other.tokens) {
              if (x.quality == v1::SUPPORTING && x.rule == y.rule && x.tag == y.tag)
                facts.rules.insert(x.rule);
            }
          }
        }
      }
      result.push_back(facts);
    }
    return result;
  }
};

class MatcherPropertyTest : public storage::BrokerStoreTest {
 protected:
  size_t Pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(engine_); }
  bool Chance(size_t percent) { return Pick(100) < percent; }

  StoredSignal RandomSignal() {
    static const std::vector<std::string> kPartners = {"politie", "gemeente", "wijkteam", "jeugdzorg",
                                                       "wonen"};
    const std::string partner = kPartners[Pick(kPartners.size())];
    StoredSignal signal = MakeSignal(partner, absl::StrCat("signal ", ++words_), {});
    // The district team belongs to the municipality.
    static const std::map<std::string, uint32_t> kOrganisations = {
        {"politie", 1}, {"gemeente", 2}, {"wijkteam", 2}, {"jeugdzorg", 3}, {"wonen", 4}};
    signal.organisation = kOrganisations.at(partner);
    signal.purpose = kPurposes[Pick(kPurposes.size())];
    const Epoch& epoch = epochs_[signal.purpose];
    signal.epoch = epoch.overlaps && Chance(50) ? epoch.newest - 1 : epoch.newest;
    signal.counts_as_case = Chance(30);
    signal.expiry_day = today_ + 1 + static_cast<uint32_t>(Pick(12));
    AddTokens(signal);
    return signal;
  }
  void AddTokens(StoredSignal& signal) {
    const auto add = [&](size_t percent, const std::string& rule, v1::Quality quality,
                         v1::SubjectKind subject) {
      if (!Chance(percent)) return;
      signal.tokens.push_back(
          MakeToken(rule, absl::StrCat(rule, Pick(people_)), quality, subject, Chance(92) ? "C" : "X"));
    };
    add(60, "bsn", v1::EXACT, v1::PERSON_SUBJECT);
    add(60, "surname-initial-birthdate", v1::STRONG, v1::PERSON_SUBJECT);
    add(25, "address", v1::STRONG, v1::HOUSEHOLD_SUBJECT);
    add(40, "phone", v1::SUPPORTING, v1::PERSON_SUBJECT);
  }

  void Take(const StoredSignal& signal) {
    ASSERT_THAT(Insert(signal), IsOk());
    world_.live[++last_number_] = signal;
    lost_.erase(KeyOf(signal));
  }
  // The signal as its partner seals it in the newest epoch: as a rule about the same, now and then not.
  StoredSignal Renewed(StoredSignal signal) {
    signal.epoch = epochs_[signal.purpose].newest;
    if (Chance(10)) {
      signal.tokens.clear();
      AddTokens(signal);
    }
    return signal;
  }
  bool HasVersion(const StoredSignal& signal, uint32_t epoch) const {
    return std::any_of(world_.live.begin(), world_.live.end(), [&](const auto& numbered) {
      return KeyOf(numbered.second) == KeyOf(signal) && numbered.second.epoch == epoch;
    });
  }
  void Renew() {
    std::vector<StoredSignal> older;
    for (const auto& [number, signal] : world_.live) {
      if (!HasVersion(signal, epochs_[signal.purpose].newest)) older.push_back(signal);
    }
    for (const auto& [key, signal] : lost_) older.push_back(signal);  // after the end of its epoch
    if (!older.empty()) Take(Renewed(older[Pick(older.size())]));
  }
  // An overlap begins in one purpose, or ends.
  void ChangeEpoch() {
    const std::string purpose = kPurposes[Pick(kPurposes.size())];
    Epoch& epoch = epochs_[purpose];
    if (!epoch.overlaps) {
      epoch = {epoch.newest + 1, true};
      return;
    }
    RunAndCompare();
    epoch.overlaps = false;
    std::set<storage::PurposeEpoch> served;
    for (const auto& [name, state] : epochs_) {
      served.insert({name, state.newest});
      if (state.overlaps) served.insert({name, state.newest - 1});
    }
    Matcher matcher(*store_, clock_, random_, "urn:broker", 1 + Pick(6));
    auto ended =
        EpochEnd(*store_, clock_, matcher, "urn:broker", 1 + Pick(3)).Run(served, &world_.terms, "c1/r1");
    ASSERT_THAT(ended, IsOk());
    std::vector<StoredSignal> gone;
    for (const auto& [number, signal] : world_.live) {
      if (!served.contains({signal.purpose, signal.epoch})) gone.push_back(signal);
    }
    EXPECT_EQ(*ended, gone.size());
    std::erase_if(world_.live, [&](const auto& numbered) {
      return !served.contains({numbered.second.purpose, numbered.second.epoch});
    });
    for (const StoredSignal& signal : gone) {
      if (!HasVersion(signal, epoch.newest)) lost_[KeyOf(signal)] = signal;
    }
  }

  void Step() {
    const size_t what = Pick(100);
    if (what < 40) {
      Take(RandomSignal());
    } else if (what < 57) {
      Renew();
    } else if (what < 61) {
      ChangeEpoch();
    } else if (what < 80 && !world_.live.empty()) {
      auto it = world_.live.begin();
      std::advance(it, Pick(world_.live.size()));
      StoredSignal signal = it->second;
      for (int twice = 0; twice < 2; ++twice) {
        Do([&](storage::BrokerTransaction& transaction) {
          return transaction.MarkWithdrawn({signal.partner, signal.signal_id, "UNJUST", 1, 30000});
        });
      }
      std::erase_if(world_.live,
                    [&](const auto& numbered) { return KeyOf(numbered.second) == KeyOf(signal); });
      EXPECT_FALSE(Insert(signal).ok());
      signal.epoch = 100;
      EXPECT_FALSE(Insert(signal).ok());
    } else if (what < 88) {
      today_ += 1;
      auto run = Expiry(*store_, clock_, "urn:broker", 1 + Pick(3)).Run({today_, 1000, "c1/r1"});
      ASSERT_THAT(run, IsOk());
      std::set<SignalKey> expired;
      for (const auto& [number, signal] : world_.live) {
        if (signal.expiry_day <= today_) expired.insert(KeyOf(signal));
      }
      EXPECT_EQ(run->expired, expired.size());
      std::erase_if(world_.live, [&](const auto& numbered) { return numbered.second.expiry_day <= today_; });
      std::erase_if(lost_, [&](const auto& signal) { return signal.second.expiry_day <= today_; });
    } else if (what < 94) {
      static const std::vector<std::string> kSuspended = {"politie", "gemeente", "wijkteam"};
      const std::string& partner = kSuspended[Pick(kSuspended.size())];
      if (world_.terms.partners_in_force.erase(partner) == 0) world_.terms.partners_in_force.insert(partner);
    } else if (!world_.live.empty()) {
      EXPECT_FALSE(Insert(world_.live.rbegin()->second).ok());
    }
    EXPECT_EQ(Count(), [&] {
      std::set<SignalKey> signals;
      for (const auto& [number, signal] : world_.live) signals.insert(KeyOf(signal));
      return signals.size();
    }());
  }

  // What the ids must have become, from what was known and what stands now.
  void FollowIds(const std::vector<Facts>& now, const std::map<uint64_t, Facts>& observed) {
    std::map<size_t, std::vector<uint64_t>> homes;  // part -> old matches, oldest first
    for (auto& [number, match] : world_.known) {
      if (match.state != MatchState::kOpen) continue;
      std::optional<size_t> home;
      for (const uint64_t signal : match.facts.signals) {
        for (size_t i = 0; i < now.size() && !home.has_value(); ++i) {
          const bool holds = std::count(now[i].signals.begin(), now[i].signals.end(), signal) > 0;
          if (now[i].subject == match.facts.subject && holds) home = i;
        }
      }
      if (home.has_value()) {
        homes[*home].push_back(number);
      } else {
        match.state = MatchState::kClosed;
      }
    }
    for (size_t i = 0; i < now.size(); ++i) {
      const std::vector<uint64_t>& old = homes[i];
      if (old.empty()) {
        // A part nobody had: some match with a number never seen must be it.
        uint64_t number = 0;
        for (const auto& [candidate, facts] : observed) {
          if (facts == now[i] && world_.known.count(candidate) == 0) number = candidate;
        }
        ASSERT_NE(number, 0u) << "no new match for a new part";
        world_.known[number].facts = now[i];
        continue;
      }
      world_.known[old[0]].facts = now[i];
      for (size_t j = 1; j < old.size(); ++j) {
        world_.known[old[j]].state = MatchState::kMerged;
        world_.known[old[j]].merged_into = old[0];
      }
    }
  }

  void RunAndCompare() {
    Matcher matcher(*store_, clock_, random_, "urn:broker", 1 + Pick(6));
    ASSERT_THAT(matcher.Run(world_.terms), IsOk());
    EXPECT_TRUE(Dirty().empty());
    EXPECT_TRUE(DirtyMatches().empty());

    std::map<uint64_t, Facts> observed;
    std::map<uint64_t, MatchRecord> records;
    for (const auto& [purpose, purpose_terms] : world_.terms.purposes) {
      for (const MatchRecord& match : List({purpose, true, 0, 100'000})) {
        records[match.number] = match;
        if (match.state != MatchState::kOpen) continue;
        Facts facts{match.purpose, match.subject, {}, {match.rules.begin(), match.rules.end()},
                    match.quality, match.conflict};
        for (const auto& member : match.members) facts.signals.push_back(member.number);
        observed[match.number] = facts;
      }
    }
    FollowIds(world_.Recompute(), observed);
    size_t listed = 0;
    for (auto& [number, match] : world_.known) {
      uint64_t resolved = number;
      while (world_.known[resolved].merged_into != 0) resolved = world_.known[resolved].merged_into;
      if (match.id.empty()) match.id = records[number].id;
      ASSERT_EQ(match.id.size(), 16u);
      const auto found =
          Get([&id = match.id](storage::BrokerReader& reader) { return reader.FindMatch(id); });
      ASSERT_TRUE(found.has_value());
      EXPECT_EQ(found->number, resolved);
      if (match.state == MatchState::kMerged) {
        EXPECT_EQ(records.count(number), 0u);
        EXPECT_EQ(std::count(found->merged_ids.begin(), found->merged_ids.end(), match.id), 1);
        continue;
      }
      ++listed;
      ASSERT_EQ(records.count(number), 1u);
      EXPECT_EQ(records[number].state, match.state);
      if (match.state == MatchState::kOpen) {
        EXPECT_TRUE(observed[number] == match.facts) << "match " << number;
      } else {
        EXPECT_TRUE(records[number].members.empty());
      }
    }
    EXPECT_EQ(records.size(), listed);
  }

  void Play(uint64_t seed, int rounds) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    engine_.seed(seed);
    people_ = 2 + Pick(6);
    world_.terms.purposes = {
        {"onaantastbaren", {2, v1::LIST}}, {"risicojeugd", {2, v1::CASE}}, {"drie", {3, v1::LIST}}};
    world_.terms.partners_in_force = {"politie", "gemeente", "wijkteam", "jeugdzorg", "wonen"};
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
      for (size_t steps = 1 + Pick(8); steps > 0; --steps) Step();
      RunAndCompare();
    }
  }

  struct Epoch {
    uint32_t newest = 1;
    bool overlaps = false;
  };

  const std::vector<std::string> kPurposes = {"onaantastbaren", "risicojeugd", "drie"};
  std::mt19937_64 engine_;
  size_t people_ = 3;
  uint32_t today_ = 20000;
  int words_ = 0;
  uint64_t last_number_ = 0;
  std::map<std::string, Epoch> epochs_;
  std::map<SignalKey, StoredSignal> lost_;  // went with their epoch, unrenewed
  World world_;
  base::testing::FakeClock clock_;
  base::testing::SeededRandom random_{1};
};

// SQLite, whose every transaction waits for the disk, plays fewer seeds. RAAKVLAK_SEEDS asks for another
// number.
int Seeds(int usual) {
  const char* asked = std::getenv("RAAKVLAK_SEEDS");
  return asked == nullptr ? usual : std::atoi(asked);
}

INSTANTIATE_TEST_SUITE_P(All, MatcherPropertyTest, ::testing::ValuesIn(storage::BrokerStoreKinds()),
                         storage::NameOfKind);

TEST_P(MatcherPropertyTest, MatchesAreWhatAFullRecomputationSays) {
  const int seeds = Seeds(GetParam().name == "Memory" ? 150 : 6);
  for (int seed = 1; seed <= seeds && !HasFailure(); ++seed) {
    base::testing::TemporaryFolder folder;
    store_ = GetParam().open(folder.path());
    world_ = World();
    today_ = 20000;
    last_number_ = 0;
    epochs_ = {{"onaantastbaren", {}}, {"risicojeugd", {}}, {"drie", {}}};
    lost_.clear();
    Play(static_cast<uint64_t>(seed), 25);
    store_.reset();
  }
}

}  // namespace
}  // namespace raakvlak::broker
