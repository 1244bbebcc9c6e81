#include "linkage/rules.h"

#include <set>
#include <utility>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace raakvlak::linkage {
namespace {

namespace reason = base::reason;
using base::testing::HasReason;
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

RuleDefinition BuiltIn(absl::string_view id) {
  for (const RuleDefinition& rule : BuiltInRules()) {
    if (rule.id == std::string(id)) return rule;
  }
  ADD_FAILURE() << id;
  return {};
}

absl::Status Define(const std::vector<std::string>& fields, IdentifierClass identifier_class, Subject subject,
                    uint32_t version = 2) {
  return DefineRule("rule", version, identifier_class, subject, fields).status();
}

TEST(RulesTest, EveryBuiltInRuleIsFoundByIdVersionClassAndSubject) {
  std::set<std::string> ids;
  for (const RuleDefinition& rule : BuiltInRules()) {
    const auto defined = DefineRule(rule.id, rule.version, rule.identifier_class, rule.subject, {});
    ASSERT_TRUE(defined.ok()) << rule.id;
    EXPECT_EQ(defined->fields, rule.fields);
    for (const uint32_t version : {0u, rule.version + 1u, rule.version + 65536u}) {
      EXPECT_THAT(DefineRule(rule.id, version, rule.identifier_class, rule.subject, {}).status(),
                  HasReason(reason::kCovenantInvalid));
    }
    for (const auto other : {IdentifierClass::kBsn, IdentifierClass::kPerson, IdentifierClass::kAddress}) {
      EXPECT_EQ(DefineRule(rule.id, rule.version, other, rule.subject, {}).ok(),
                other == rule.identifier_class);
    }
    for (const auto other : {Subject::kPerson, Subject::kHousehold}) {
      EXPECT_EQ(DefineRule(rule.id, rule.version, rule.identifier_class, other, {}).ok(),
                other == rule.subject);
    }
    ids.insert(rule.id);
  }
  EXPECT_THAT(ids, ElementsAre("address", "bsn", "surname-initial-birthdate"));
  EXPECT_FALSE(DefineRule("BSN", 1, IdentifierClass::kBsn, Subject::kPerson, {}).ok());
  EXPECT_FALSE(DefineRule("", 1, IdentifierClass::kBsn, Subject::kPerson, {}).ok());
}

TEST(RulesTest, ClassAndSubjectAreAsTheCovenantNumbersThem) {
  EXPECT_EQ(BuiltIn("bsn").identifier_class, IdentifierClass::kBsn);
  EXPECT_EQ(BuiltIn("surname-initial-birthdate").identifier_class, IdentifierClass::kPerson);
  EXPECT_EQ(BuiltIn("address").identifier_class, IdentifierClass::kAddress);
  EXPECT_EQ(BuiltIn("address").subject, Subject::kHousehold);
  EXPECT_EQ(BuiltIn("bsn").subject, Subject::kPerson);
  EXPECT_EQ(static_cast<int>(IdentifierClass::kBsn), 1);
  EXPECT_EQ(static_cast<int>(IdentifierClass::kPerson), 2);
  EXPECT_EQ(static_cast<int>(IdentifierClass::kAddress), 3);
}

TEST(RulesTest, ARuleIsItsFieldsInTheOrderGiven) {
  const auto rule =
      DefineRule("r", 2, IdentifierClass::kPerson, Subject::kPerson, {"birth_date", "surname", "postcode"});
  ASSERT_TRUE(rule.ok());
  EXPECT_EQ(rule->id, "r");
  EXPECT_EQ(rule->version, 2u);
  EXPECT_THAT(FieldsOf(*rule, Full()), ElementsAre("2011-03-04", "jansen", "6211AB"));
}

TEST(RulesTest, ARuleWithFieldsThatDoNotHoldIsRefused) {
  const auto refused = HasReason(reason::kCovenantInvalid);
  EXPECT_THAT(Define({"shoe_size"}, IdentifierClass::kPerson, Subject::kPerson), refused);
  EXPECT_THAT(Define({"surname", "surname"}, IdentifierClass::kPerson, Subject::kPerson), refused);
  EXPECT_THAT(Define({""}, IdentifierClass::kPerson, Subject::kPerson), refused);
  EXPECT_THAT(Define({"surname"}, IdentifierClass::kPerson, Subject::kPerson, 1), refused);
  EXPECT_THAT(Define({"surname"}, IdentifierClass::kPerson, Subject::kPerson, 3), refused);
  std::vector<std::string> many;
  for (const DerivedField& field : DerivedFields()) {
    if (field.kind == FieldKind::kPerson && many.size() <= kMaxRuleFields) many.emplace_back(field.name);
  }
  ASSERT_EQ(many.size(), kMaxRuleFields + 1);
  EXPECT_THAT(Define(many, IdentifierClass::kPerson, Subject::kPerson), refused);
  many.pop_back();
  EXPECT_TRUE(Define(many, IdentifierClass::kPerson, Subject::kPerson).ok());
}

TEST(RulesTest, TheFieldsDecideTheClass) {
  const std::vector<std::pair<std::vector<std::string>, IdentifierClass>> cases = {
      {{"surname", "bsn"}, IdentifierClass::kBsn},
      {{"bsn", "postcode"}, IdentifierClass::kBsn},
      {{"birth_date", "postcode"}, IdentifierClass::kPerson},
      {{"surname_low", "address"}, IdentifierClass::kPerson},
      {{"postcode", "house"}, IdentifierClass::kAddress},
  };
  for (const auto& [fields, expected] : cases) {
    for (const auto given : {IdentifierClass::kBsn, IdentifierClass::kPerson, IdentifierClass::kAddress}) {
      EXPECT_EQ(Define(fields, given, Subject::kPerson).ok(), given == expected) << fields[0];
    }
  }
}

TEST(RulesTest, ARuleAboutHouseholdsHasNoFieldOfOnePerson) {
  EXPECT_TRUE(Define({"surname_low", "address"}, IdentifierClass::kPerson, Subject::kHousehold).ok());
  EXPECT_TRUE(Define({"address"}, IdentifierClass::kAddress, Subject::kHousehold).ok());
  EXPECT_FALSE(Define({"given_name", "address"}, IdentifierClass::kPerson, Subject::kHousehold).ok());
  EXPECT_FALSE(Define({"bsn"}, IdentifierClass::kBsn, Subject::kHousehold).ok());
}

TEST(RulesTest, FieldsComeInTheRulesOrder) {
  const Normalised record = Full();
  EXPECT_THAT(FieldsOf(BuiltIn("bsn"), record), ElementsAre("999993847"));
  EXPECT_THAT(FieldsOf(BuiltIn("surname-initial-birthdate"), record),
              ElementsAre("jansen", "m", "2011-03-04"));
  EXPECT_THAT(FieldsOf(BuiltIn("address"), record), ElementsAre("6211AB", "7", "/"));
}

TEST(RulesTest, LetterAndSuffixOfAnAddressCannotBeConfused) {
  Normalised letter = Full();
  letter.house_letter = "A";
  Normalised suffix = Full();
  suffix.house_suffix = "A";
  const RuleDefinition address = BuiltIn("address");
  EXPECT_THAT(FieldsOf(address, letter), ElementsAre("6211AB", "7", "A/"));
  EXPECT_THAT(FieldsOf(address, suffix), ElementsAre("6211AB", "7", "/A"));
}

TEST(RulesTest, AMissingFieldYieldsNoIdentifier) {
  for (std::string Normalised::*field :
       {&Normalised::surname, &Normalised::initial, &Normalised::birth_date}) {
    Normalised record = Full();
    (record.*field).clear();
    EXPECT_THAT(FieldsOf(BuiltIn("surname-initial-birthdate"), record), IsEmpty());
    EXPECT_THAT(FieldsOf(BuiltIn("bsn"), record), ElementsAre("999993847"));
  }
  for (std::string Normalised::*field : {&Normalised::postcode, &Normalised::house_number}) {
    Normalised record = Full();
    (record.*field).clear();
    EXPECT_THAT(FieldsOf(BuiltIn("address"), record), IsEmpty());
  }
  EXPECT_THAT(FieldsOf(BuiltIn("bsn"), Normalised()), IsEmpty());
}

}  // namespace
}  // namespace raakvlak::linkage
