#include "linkage/rules.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace raakvlak::linkage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Normalised Full() {
  Normalised record;
  record.bsn = "999993847";
  record.surname = "jansen";
  record.initial = "m";
  record.birth_date = "2011-03-04";
  record.postcode = "6211AB";
  record.house_number = "7";
  return record;
}

TEST(RulesTest, EveryKnownRuleIsFoundByIdAndVersion) {
  std::set<absl::string_view> ids;
  for (const RuleDefinition& rule : KnownRules()) {
    EXPECT_EQ(FindRule(rule.id, rule.version), &rule);
    EXPECT_EQ(FindRule(rule.id, rule.version + 1u), nullptr);
    EXPECT_EQ(FindRule(rule.id, rule.version + 65536u), nullptr);
    EXPECT_EQ(FindRule(rule.id, 0), nullptr);
    ids.insert(rule.id);
  }
  EXPECT_THAT(ids, ElementsAre("address", "bsn", "surname-initial-birthdate"));
  EXPECT_EQ(FindRule("BSN", 1), nullptr);
  EXPECT_EQ(FindRule("", 1), nullptr);
}

TEST(RulesTest, ClassAndSubjectAreAsTheCovenantNumbersThem) {
  EXPECT_EQ(FindRule("bsn", 1)->identifier_class, IdentifierClass::kBsn);
  EXPECT_EQ(FindRule("surname-initial-birthdate", 1)->identifier_class, IdentifierClass::kPerson);
  EXPECT_EQ(FindRule("address", 1)->identifier_class, IdentifierClass::kAddress);
  EXPECT_EQ(FindRule("address", 1)->subject, Subject::kHousehold);
  EXPECT_EQ(FindRule("bsn", 1)->subject, Subject::kPerson);
  EXPECT_EQ(static_cast<int>(IdentifierClass::kBsn), 1);
  EXPECT_EQ(static_cast<int>(IdentifierClass::kPerson), 2);
  EXPECT_EQ(static_cast<int>(IdentifierClass::kAddress), 3);
}

TEST(RulesTest, FieldsComeInTheRulesOrder) {
  const Normalised record = Full();
  EXPECT_THAT(FieldsOf(*FindRule("bsn", 1), record), ElementsAre("999993847"));
  EXPECT_THAT(FieldsOf(*FindRule("surname-initial-birthdate", 1), record),
              ElementsAre("jansen", "m", "2011-03-04"));
  EXPECT_THAT(FieldsOf(*FindRule("address", 1), record), ElementsAre("6211AB", "7", "/"));
}

TEST(RulesTest, LetterAndSuffixOfAnAddressCannotBeConfused) {
  Normalised letter = Full();
  letter.house_letter = "A";
  Normalised suffix = Full();
  suffix.house_suffix = "A";
  const RuleDefinition& address = *FindRule("address", 1);
  EXPECT_THAT(FieldsOf(address, letter), ElementsAre("6211AB", "7", "A/"));
  EXPECT_THAT(FieldsOf(address, suffix), ElementsAre("6211AB", "7", "/A"));
}

TEST(RulesTest, AMissingFieldYieldsNoIdentifier) {
  for (std::string Normalised::*field :
       {&Normalised::surname, &Normalised::initial, &Normalised::birth_date}) {
    Normalised record = Full();
    (record.*field).clear();
    EXPECT_THAT(FieldsOf(*FindRule("surname-initial-birthdate", 1), record), IsEmpty());
    EXPECT_THAT(FieldsOf(*FindRule("bsn", 1), record), ElementsAre("999993847"));
  }
  for (std::string Normalised::*field : {&Normalised::postcode, &Normalised::house_number}) {
    Normalised record = Full();
    (record.*field).clear();
    EXPECT_THAT(FieldsOf(*FindRule("address", 1), record), IsEmpty());
  }
  EXPECT_THAT(FieldsOf(*FindRule("bsn", 1), Normalised()), IsEmpty());
}

}  // namespace
}  // namespace raakvlak::linkage
