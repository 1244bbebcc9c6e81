#include "linkage/collision_budget.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "linkage/default_rules.h"

namespace raakvlak::linkage {
namespace {

constexpr double kRegion = 300'000;

const CollisionModel& Model() {
  static const CollisionModel* const model = new CollisionModel;
  return *model;
}

RuleDefinition Rule(const std::vector<std::string>& fields,
                    IdentifierClass identifier_class = IdentifierClass::kPerson,
                    Subject subject = Subject::kPerson) {
  auto rule = DefineRule("rule", kRecipeVersion, identifier_class, subject, fields);
  RAAKVLAK_CHECK(rule.ok(), "the rules of this test are valid");
  return *std::move(rule);
}

double Total(const std::vector<std::string>& fields, double population = kRegion) {
  return Model().Expected(Rule(fields), population).total();
}

TEST(CollisionBudgetTest, EveryDefaultRuleThatFormsGroupsIsWithinTheBudget) {
  for (const auto* rules : {&DefaultPersonRules(), &DefaultHouseholdRules()}) {
    for (const DefaultRule& each : *rules) {
      if (each.quality == Quality::kSupporting) continue;
      EXPECT_LE(Model().Expected(each.rule, kRegion).total(), kCollisionBudget) << each.rule.id;
    }
  }
}

TEST(CollisionBudgetTest, TwinsPutSurnameInitialAndDateOverTheBudget) {
  const Collisions expected = Model().Expected(BuiltInRules()[1], kRegion);
  EXPECT_GT(expected.twins, kCollisionBudget);
  EXPECT_LT(expected.strangers + expected.unknown_days, kCollisionBudget);
}

TEST(CollisionBudgetTest, ANumberIsOfOnePersonAndAnAddressOfOneHousehold) {
  EXPECT_EQ(Model().Expected(BuiltInRules()[0], kNationalPopulation).total(), 0);
  EXPECT_EQ(Model().Expected(BuiltInRules()[2], kNationalPopulation).total(), 0);
  // The same address taken for a person joins all who live there.
  EXPECT_GT(Model().Expected(Rule({"address"}, IdentifierClass::kAddress), kRegion).total(), 0.5);
  // A postcode holds more than one home.
  const Collisions postcode =
      Model().Expected(Rule({"postcode"}, IdentifierClass::kAddress, Subject::kHousehold), kRegion);
  EXPECT_NEAR(postcode.total(), 17, 0.01);
}

TEST(CollisionBudgetTest, FieldsThatFollowFromOneAnotherCountOnce) {
  EXPECT_DOUBLE_EQ(Total({"surname_low", "birth_date"}),
                   Total({"surname_low", "surname_low_start", "birth_date", "birth_year"}));
  EXPECT_DOUBLE_EQ(Total({"given_name", "birth_date"}),
                   Total({"given_name", "given_name_start", "birth_date"}));
  EXPECT_DOUBLE_EQ(Total({"address", "birth_date"}), Total({"address", "postcode", "birth_date"}));
}

TEST(CollisionBudgetTest, CoarserFieldsAndMorePeopleHaveMorePartners) {
  EXPECT_LT(Total({"surname_low", "given_name", "birth_date"}), Total({"surname_low", "birth_date"}));
  EXPECT_LT(Total({"surname_low", "birth_date"}), Total({"surname_low_skeleton", "birth_date"}));
  EXPECT_LT(Total({"names", "birth_date"}), Total({"names", "birth_date_unordered"}));
  EXPECT_LT(Total({"given_name", "birth_date", "postcode"}),
            Total({"given_name", "birth_date", "postcode_unordered"}));
  EXPECT_LT(Total({"names", "birth_date"}, 100'000), Total({"names", "birth_date"}, 300'000));
  EXPECT_LT(Total({"names", "birth_date"}, 300'000), Total({"names", "birth_date"}, kNationalPopulation));
}

TEST(CollisionBudgetTest, FieldsThatFewHaveCountOnlyThose) {
  // Of the young, with whom most twins live, there is none; nor of those born on 1 January on paper.
  const Collisions settled = Model().Expected(Rule({"settled_birth_date", "address"}), kRegion);
  const Collisions all = Model().Expected(Rule({"birth_date", "address"}), kRegion);
  EXPECT_LT(settled.twins, all.twins / 10);
  EXPECT_EQ(Model().Expected(Rule({"birth_date_certain", "surname_low"}), kRegion).unknown_days, 0);
  EXPECT_GT(Model().Expected(Rule({"birth_date", "surname_low"}), kRegion).unknown_days, 0);
}

TEST(CollisionBudgetTest, NamesInEitherOrderAgreeWithSwappedOnes) {
  // Far less than in the same order, but not nothing.
  const double ordered = Total({"given_name_code", "surname_own_start", "birth_date"});
  EXPECT_GT(ordered, 0);
  EXPECT_GT(Model().Expected(Rule({"names_skeleton"}), kRegion).strangers,
            Model().Expected(Rule({"given_name_skeleton", "surname_own_skeleton"}), kRegion).strangers);
}

double Values(const RuleDefinition& rule) {
  return CollisionModel::Values(rule, kRegion, Model().Expected(rule, kRegion));
}

TEST(CollisionBudgetTest, ValuesAreThoseOfTheClass) {
  EXPECT_EQ(Values(BuiltInRules()[0]), 90'909'090);
  EXPECT_NEAR(Values(BuiltInRules()[2]), 142'857, 1);
  // Some thousand surnames, a dozen initials, thirty thousand days.
  EXPECT_GT(Values(BuiltInRules()[1]), 2e8);
  EXPECT_LT(Values(BuiltInRules()[1]), 2e10);
  EXPECT_LT(Values(Rule({"surname_low"})), 1e5);
}

}  // namespace
}  // namespace raakvlak::linkage
