// The collision budget against counts in a made region: the calculation sees no person of it.
#include "linkage/collision_budget.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/strings/str_join.h"
#include "base/status.h"
#include "linkage/default_rules.h"
#include "linkage/normalise.h"
#include "tests/quality/population.h"

namespace raakvlak::quality {
namespace {

using linkage::Collisions;
using linkage::RuleDefinition;
using Fields = std::vector<std::string>;

constexpr size_t kInhabitants = 150'000;
constexpr uint64_t kSeed = 1;
constexpr absl::CivilDay kReckonedOn(2026, 1, 1);
// Calculated and counted agree within this factor, beyond what three standard deviations of the count
// explain.
constexpr double kFactor = 2;

struct Region {
  Population population = MakePopulation(kInhabitants, kSeed, kReckonedOn);
  std::vector<linkage::Normalised> records;

  Region() {
    for (const Person& person : population.people) {
      linkage::Record record;
      record.surname_prefix = person.name.prefix;
      record.surname = person.name.surname;
      record.given_names = absl::StrJoin(person.given_names, " ");
      record.birth_date = absl::FormatCivilTime(person.born);
      const Home& home = population.homes[person.home];
      record.postcode = home.postcode;
      record.house_number = home.house_number;
      record.house_letter = home.house_letter;
      records.push_back(*linkage::Normalise(record, kReckonedOn, linkage::Recipe::kTwo));
    }
  }
  double size() const { return static_cast<double>(records.size()); }
};

const Region& TheRegion() {
  static const Region* const region = new Region;
  return *region;
}

std::unordered_map<std::string, std::vector<size_t>> Groups(const RuleDefinition& rule) {
  std::unordered_map<std::string, std::vector<size_t>> groups;
  for (size_t i = 0; i < TheRegion().records.size(); ++i) {
    const Fields fields = linkage::FieldsOf(rule, TheRegion().records[i]);
    if (!fields.empty()) groups[absl::StrJoin(fields, "\n")].push_back(i);
  }
  return groups;
}

bool IsUnknownDay(absl::CivilDay born) { return born.day() == 1 && (born.month() == 1 || born.month() == 7); }

// Partners per record, by kind. Twins of two homes count as strangers: nothing here tells them apart.
Collisions Count(const RuleDefinition& rule) {
  constexpr int kYounger = 16 * 365;
  const std::vector<Person>& people = TheRegion().population.people;
  Collisions counted;
  const double each = 2 / TheRegion().size();
  for (const auto& [value, members] : Groups(rule)) {
    for (size_t i = 0; i < members.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        const Person& a = people[members[i]];
        const Person& b = people[members[j]];
        const bool one_name = a.name.surname == b.name.surname;
        if (a.household != b.household) {
          const bool unknown = IsUnknownDay(a.born) && IsUnknownDay(b.born);
          (unknown ? counted.unknown_days : counted.strangers) += each;
        } else if (one_name && a.born == b.born) {
          counted.twins += each;
        } else {
          const bool siblings = one_name && std::abs(a.born - b.born) < kYounger;
          (siblings ? counted.siblings : counted.family) += each;
        }
      }
    }
  }
  return counted;
}

RuleDefinition PersonRule(const Fields& fields) {
  auto rule = linkage::DefineRule("rule", linkage::kRecipeVersion, linkage::IdentifierClass::kPerson,
                                  linkage::Subject::kPerson, fields);
  RAAKVLAK_CHECK(rule.ok(), "the rules of this test are valid");
  return *std::move(rule);
}

Collisions Expected(const RuleDefinition& rule) {
  static const linkage::CollisionModel* const model = new linkage::CollisionModel;
  return model->Expected(rule, TheRegion().size());
}

// Both per record.
void ExpectNear(double calculated, double counted, const std::string& what, double factor = kFactor) {
  const double pairs = counted * TheRegion().size() / 2;
  const double expected = calculated * TheRegion().size() / 2;
  EXPECT_GE(expected * factor, pairs - 3 * std::sqrt(pairs)) << what;
  EXPECT_LE(expected / factor, pairs + 3 * std::sqrt(pairs + 1)) << what;
}

TEST(CollisionBudgetTest, EachDefaultRuleHasThePartnersThatAreCounted) {
  for (const linkage::DefaultRule& each : linkage::DefaultPersonRules()) {
    if (each.rule.identifier_class == linkage::IdentifierClass::kBsn) continue;
    ExpectNear(Expected(each.rule).total(), Count(each.rule).total(), each.rule.id);
  }
  for (const Fields& fields : {Fields{"surname", "initial", "birth_date"}, Fields{"names", "birth_year"},
                               Fields{"postcode_unordered", "birth_date"}}) {
    ExpectNear(Expected(PersonRule(fields)).total(), Count(PersonRule(fields)).total(),
               absl::StrJoin(fields, " "));
  }
}

// Each fails when its term is left out: then there is nothing, or half, where a hundred pairs are counted.
TEST(CollisionBudgetTest, EachKindOfPartnerIsCountedInItsTerm) {
  const RuleDefinition names = PersonRule({"surname_low", "given_name"});
  ExpectNear(Expected(names).strangers, Count(names).strangers, "strangers");

  const RuleDefinition surname_date = PersonRule({"surname_low", "birth_date"});
  ExpectNear(Expected(surname_date).unknown_days, Count(surname_date).unknown_days, "1 January");
  ExpectNear(Expected(surname_date).total(), Count(surname_date).total(), "twins of two homes", 1.5);

  const RuleDefinition date_home = PersonRule({"birth_date", "address"});
  ExpectNear(Expected(date_home).twins, Count(date_home).twins, "twins");
  ExpectNear(Expected(date_home).family, Count(date_home).family, "couples");

  const RuleDefinition initial_home = PersonRule({"surname_low", "given_initial", "address"});
  ExpectNear(Expected(initial_home).twins, Count(initial_home).twins, "twins with one initial");
  ExpectNear(Expected(initial_home).siblings, Count(initial_home).siblings, "siblings with one initial");
  ExpectNear(Expected(initial_home).family, Count(initial_home).family, "parents and children");
}

TEST(CollisionBudgetTest, HouseholdRulesAreJudgedByTheOtherAddresses) {
  const auto rule = linkage::DefineRule("rule", linkage::kRecipeVersion, linkage::IdentifierClass::kAddress,
                                        linkage::Subject::kHousehold, {"postcode", "house_number"});
  std::set<uint32_t> homes;
  double partners = 0;
  for (const auto& [value, members] : Groups(*rule)) {
    std::set<uint32_t> here;
    for (const size_t member : members) here.insert(TheRegion().population.people[member].home);
    homes.insert(here.begin(), here.end());
    partners += static_cast<double>(here.size() * (here.size() - 1));
  }
  const double counted = partners / static_cast<double>(homes.size());
  const double calculated = Expected(*rule).total();
  EXPECT_GT(calculated, counted / kFactor);
  EXPECT_LT(calculated, counted * kFactor);
  EXPECT_EQ(Expected(linkage::DefaultHouseholdRules()[0].rule).total(), 0);
}

}  // namespace
}  // namespace raakvlak::quality
