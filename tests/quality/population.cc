#include "tests/quality/population.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "linkage/name_frequency.h"
#include "linkage/normalise.h"
#include "tests/quality/random.h"

namespace raakvlak::quality {
namespace {

// Rates with their reasons stand in docs/quality.md, "The population".
constexpr double kMultipleBirth = 0.016;  // of births; 3.2 % of children are one of twins
constexpr int kDaysBetweenBirths = 300;
constexpr double kTwinElsewhere = 0.008;  // of adults: has a twin in another household of the region
constexpr double kTwinStaysToo = 0.5;     // grown twins decide alike half of the time
constexpr double kSameInitialOnPurpose = 0.08;
constexpr double kMovedInTwoYears = 0.11;
constexpr double kMarriedOfCouples = 0.65;
constexpr double kMixedCouple = 0.08;
constexpr double kSecondGivenName = 0.55;
constexpr double kLocalName = 0.15;  // of Dutch households: one of the region's own names
constexpr size_t kLocalNames = 150;
constexpr double kLetteredHome = 0.10;
constexpr int kHomesPerPostcode = 18;
constexpr int kPostcodesPerArea = 130;
constexpr double kPeoplePerHome = 2.1;

struct OriginRates {
  double first_of_january;  // of those born before 1995
  double son_as_father;     // bears the first name of the father
  double daughter_as_mother;
};

OriginRates RatesOf(absl::string_view origin) {
  if (origin == "turkish") return {0.06, 0.002, 0.002};
  if (origin == "moroccan") return {0.15, 0.002, 0.002};
  if (origin == "arabic") return {0.15, 0.002, 0.002};
  if (origin == "surinamese") return {0.01, 0.01, 0.003};
  return {0.0, 0.01, 0.003};
}

class Maker {
 public:
  Maker(size_t size, uint64_t seed, absl::CivilDay today) : size_(size), random_(seed) {
    out_.today = today;
    LoadNames();
    MakeHomes();
  }

  Population Make() {
    while (out_.people.size() < size_) MakeHousehold();
    for (Person& person : out_.people) person.bsn = NewBsn();
    return std::move(out_);
  }

 private:
  struct GivenNames {
    std::vector<linkage::GivenNameRow> rows;
    Weighted weights;
  };

  void LoadNames() {
    surnames_ = linkage::ShippedSurnames();
    std::vector<size_t> dutch;
    for (size_t i = 0; i < surnames_.size(); ++i) {
      all_.Add(surnames_[i].share);
      by_origin_[surnames_[i].origin].second.push_back(i);
      by_origin_[surnames_[i].origin].first.Add(surnames_[i].share);
      if (surnames_[i].origin == "dutch") dutch.push_back(i);
    }
    for (size_t i = 0; i < kLocalNames; ++i) local_.push_back(random_.Pick(dutch));
    for (linkage::GivenNameRow& row : linkage::ShippedGivenNames()) {
      GivenNames& names = given_[absl::StrCat(row.origin, std::string(1, row.sex))][row.first_year];
      names.weights.Add(row.share);
      names.rows.push_back(std::move(row));
    }
  }

  void MakeHomes() {
    const auto count = static_cast<size_t>(static_cast<double>(size_) / kPeoplePerHome * 1.4);
    std::unordered_set<std::string> used;
    size_t postcodes = 0;
    while (out_.homes.size() < count) {
      const int area = 6200 + static_cast<int>(postcodes / kPostcodesPerArea);
      std::string postcode = absl::StrCat(area);
      postcode += static_cast<char>('A' + random_.Below(26));
      postcode += static_cast<char>('A' + random_.Below(26));
      if (!used.insert(postcode).second) continue;
      ++postcodes;
      // Streets start low more often than high.
      int number = 1 + static_cast<int>(200 * random_.Unit() * random_.Unit() * random_.Unit());
      for (int i = 0; i < kHomesPerPostcode; ++i) {
        const bool lettered = random_.Chance(kLetteredHome);
        for (char letter = 'A'; letter <= (lettered ? 'C' : 'A'); ++letter) {
          out_.homes.push_back(
              {postcode, absl::StrCat(number), lettered ? std::string(1, letter) : std::string()});
        }
        number += 2;
      }
    }
    for (uint32_t i = 0; i < out_.homes.size(); ++i) free_homes_.push_back(i);
    random_.Shuffle(free_homes_);
  }

  Name Surname(const std::string& origin) {
    if (origin == "dutch" && random_.Chance(kLocalName)) return NameOf(random_.Pick(local_));
    const auto& [weights, rows] = by_origin_[origin];
    return NameOf(rows[weights.Draw(random_)]);
  }
  Name NameOf(size_t row) const { return {surnames_[row].prefix, surnames_[row].surname}; }
  std::string Origin() { return surnames_[all_.Draw(random_)].origin; }

  // Polish surnames in -ski have a form for women.
  void Inflect(Person& person) {
    if (person.origin == "polish" && person.sex == 'f' && absl::EndsWith(person.name.surname, "ski")) {
      person.name.surname.back() = 'a';
    }
  }

  void GiveNames(Person& person) {
    const auto& periods = given_[absl::StrCat(person.origin, std::string(1, person.sex))];
    auto period = periods.begin();
    for (auto it = periods.begin(); it != periods.end() && it->first <= person.born.year(); ++it) period = it;
    person.given_names.clear();
    person.call_name.clear();
    const int count = 1 + (random_.Chance(kSecondGivenName) && person.origin != "turkish" ? 1 : 0);
    for (int i = 0; i < count; ++i) {
      const linkage::GivenNameRow& row = period->second.rows[period->second.weights.Draw(random_)];
      if (i == 0 && !row.call_names.empty()) person.call_name = random_.Pick(row.call_names);
      person.given_names.push_back(row.name);
    }
  }

  absl::CivilDay BirthDay(int age) {
    return out_.today - age * 365 - age / 4 - static_cast<int>(random_.Below(365));
  }

  // The first of January (or July) stands for an unknown day in many countries' papers.
  void MaybeFirstOfJanuary(Person& person) {
    const double rate = RatesOf(person.origin).first_of_january;
    if (person.born.year() >= 1995 || !random_.Chance(rate)) return;
    person.born = absl::CivilDay(person.born.year(), random_.Chance(0.8) ? 1 : 7, 1);
  }

  Person Adult(int age, char sex, const std::string& origin) {
    Person person;
    person.origin = origin;
    person.sex = sex;
    person.born = BirthDay(age);
    MaybeFirstOfJanuary(person);
    person.name = Surname(origin);
    Inflect(person);
    GiveNames(person);
    return person;
  }

  uint32_t TakeHome() {
    RAAKVLAK_CHECK(!free_homes_.empty(), "there are more homes than households");
    const uint32_t home = free_homes_.back();
    free_homes_.pop_back();
    return home;
  }

  static double StaysHome(int age) {
    if (age < 18) return 1;
    if (age < 22) return 0.85;
    if (age < 25) return 0.50;
    if (age < 27) return 0.28;
    if (age < 30) return 0.15;
    if (age < 35) return 0.06;
    return 0.03;
  }

  Person Child(const std::vector<Person>& family, size_t parents, absl::CivilDay born) {
    Person child;
    const Person& namer = family[0];
    child.origin = namer.origin;
    child.sex = random_.Chance(0.5) ? 'm' : 'f';
    child.born = born;
    child.with_parents = true;
    child.name = namer.name;
    if (child.origin == "polish" && absl::EndsWith(child.name.surname, "ska"))
      child.name.surname.back() = 'i';
    Inflect(child);
    GiveNames(child);
    const OriginRates rates = RatesOf(child.origin);
    for (size_t i = 0; i < parents; ++i) {
      if (family[i].sex != child.sex) continue;
      if (random_.Chance(child.sex == 'm' ? rates.son_as_father : rates.daughter_as_mother)) {
        child.given_names[0] = family[i].given_names[0];
        child.call_name = family[i].call_name;
      }
    }
    return child;
  }

  // Parents do not give two living children the same name; some like the same initial.
  void NameApart(Person& child, const std::vector<Person>& family, size_t parents) {
    const bool alike = family.size() > parents && random_.Chance(kSameInitialOnPurpose);
    for (int tries = 0; tries < 200; ++tries) {
      bool same = false;
      for (size_t i = parents; i < family.size(); ++i) {
        same = same || family[i].given_names[0] == child.given_names[0];
      }
      const bool fits = !alike || tries > 100 || family.back().given_names[0][0] == child.given_names[0][0];
      if (!same && fits) return;
      GiveNames(child);
    }
  }

  void AddChildren(std::vector<Person>& family, size_t parents, int youngest_parent) {
    const int count = random_.Between(1, 3);
    std::vector<absl::CivilDay> births;
    for (int i = 0; i < count; ++i) {
      const int age = youngest_parent - random_.Between(21, 38);
      if (age < 0) continue;
      const bool stays = random_.Chance(StaysHome(age));
      const absl::CivilDay born = BirthDay(age);
      bool too_close = false;
      for (const absl::CivilDay other : births)
        too_close = too_close || std::abs(other - born) < kDaysBetweenBirths;
      if (too_close) continue;
      births.push_back(born);
      Person child = Child(family, parents, born);
      NameApart(child, family, parents);
      if (stays) family.push_back(child);
      if (!random_.Chance(kMultipleBirth)) continue;
      Person twin = Child(family, parents, born);
      NameApart(twin, family, parents);
      if (random_.Chance(kTwinStaysToo) ? stays : random_.Chance(StaysHome(age))) family.push_back(twin);
    }
  }

  void MakeHousehold() {
    std::vector<Person> family;
    const double kind = random_.Unit();
    const std::string origin = Origin();
    const int age = random_.Chance(0.75) ? random_.Between(22, 64) : random_.Between(65, 96);
    const char sex = random_.Chance(0.5) ? 'm' : 'f';
    if (!twins_to_place_.empty() && kind < 0.38) {
      family.push_back(std::move(twins_to_place_.back()));
      twins_to_place_.pop_back();
    } else {
      family.push_back(Adult(age, sex, origin));
    }
    if (kind >= 0.45) {
      const std::string other = random_.Chance(kMixedCouple) ? Origin() : origin;
      const int other_age = std::max(20, age + random_.Between(-5, 5));
      family.push_back(Adult(other_age, sex == 'm' ? 'f' : 'm', other));
      if (random_.Chance(kMarriedOfCouples)) {
        family[0].partner_name = family[1].name;
        family[1].partner_name = family[0].name;
      }
      if (kind >= 0.62) AddChildren(family, 2, std::min(age, other_age));
    } else if (kind >= 0.38) {
      AddChildren(family, 1, age);
    }
    const uint32_t home = TakeHome();
    const bool moved = random_.Chance(kMovedInTwoYears);
    // Most leave a home to somebody else of the region.
    const uint32_t former = moved ? static_cast<uint32_t>(random_.Below(out_.homes.size())) : home;
    for (Person& person : family) {
      person.household = households_;
      person.home = home;
      person.former_home = former;
      MaybeTwinElsewhere(person);
      out_.people.push_back(std::move(person));
    }
    ++households_;
  }

  void MaybeTwinElsewhere(const Person& person) {
    if (person.born.year() > 2005 || !random_.Chance(kTwinElsewhere)) return;
    Person twin = person;
    twin.partner_name = {};
    twin.with_parents = false;
    GiveNames(twin);
    if (twin.given_names[0] != person.given_names[0]) twins_to_place_.push_back(std::move(twin));
  }

  std::string NewBsn() {
    for (;;) {
      const std::string bsn = absl::StrCat(100'000'000 + random_.Below(900'000'000));
      if (linkage::PassesElevenTest(bsn) && !linkage::IsTestBsn(bsn) && used_bsns_.insert(bsn).second) {
        return bsn;
      }
    }
  }

  const size_t size_;
  Random random_;
  Population out_;
  std::vector<linkage::SurnameRow> surnames_;
  Weighted all_;
  std::map<std::string, std::pair<Weighted, std::vector<size_t>>> by_origin_;
  std::vector<size_t> local_;
  std::map<std::string, std::map<int, GivenNames>> given_;
  std::vector<uint32_t> free_homes_;
  std::vector<Person> twins_to_place_;
  std::unordered_set<std::string> used_bsns_;
  uint32_t households_ = 0;
};

}  // namespace

Population MakePopulation(size_t size, uint64_t seed, absl::CivilDay today) {
  return Maker(size, seed, today).Make();
}

const char* AgeBand(absl::CivilDay born, absl::CivilDay today) {
  const int age = linkage::AgeOn(born, today);
  if (age < 12) return "0-11";
  if (age < 18) return "12-17";
  if (age < 27) return "18-26";
  if (age < 45) return "27-44";
  return age < 67 ? "45-66" : "67+";
}

}  // namespace raakvlak::quality
