#include "server/node/validate.h"

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace raakvlak::node {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;

v1::LinkageRule RuleOf(const std::string& id, v1::IdentifierClass identifier_class, v1::SubjectKind subject) {
  v1::LinkageRule rule;
  rule.set_id(id);
  rule.set_version(1);
  rule.set_identifier_class(identifier_class);
  rule.set_quality(v1::EXACT);
  rule.set_subject(subject);
  return rule;
}

v1::Purpose PurposeOf(const v1::LinkageRule& rule) {
  v1::Purpose purpose;
  purpose.set_id("doel");
  *purpose.add_rules() = RuleOf("surname-initial-birthdate", v1::PERSON, v1::PERSON_SUBJECT);
  *purpose.add_rules() = rule;
  return purpose;
}

class RulesTest : public ::testing::Test {
 protected:
  RulesTest() {
    linkage::Record record;
    record.bsn = "999990019";
    fields_ = *linkage::Normalise(record, absl::CivilDay(2026, 1, 15), linkage::Recipe::kOne);
    partner_.set_bsn_entitled(true);
  }
  linkage::Normalised fields_;
  v1::Partner partner_;
};

TEST_F(RulesTest, RulesAsThisProgramKnowsThemAreTaken) {
  const v1::Purpose purpose = PurposeOf(RuleOf("bsn", v1::BSN, v1::PERSON_SUBJECT));
  EXPECT_THAT(CheckRules(purpose), IsOk());
  EXPECT_EQ(IdentifiersOf(fields_, purpose, partner_).size(), 1u);
}

TEST_F(RulesTest, AnUnknownRuleOrVersionIsRefused) {
  EXPECT_THAT(CheckRules(PurposeOf(RuleOf("shoe-size", v1::PERSON, v1::PERSON_SUBJECT))),
              HasReason("COVENANT_INVALID"));
  v1::LinkageRule later = RuleOf("bsn", v1::BSN, v1::PERSON_SUBJECT);
  later.set_version(2);
  EXPECT_THAT(CheckRules(PurposeOf(later)), HasReason("COVENANT_INVALID"));
}

// Under the keys of persons nobody would ask for the right to the BSN.
TEST_F(RulesTest, ABsnRuleUnderAnotherClassIsRefusedAndYieldsNoIdentifier) {
  const v1::Purpose purpose = PurposeOf(RuleOf("bsn", v1::PERSON, v1::PERSON_SUBJECT));
  EXPECT_THAT(CheckRules(purpose), HasReason("COVENANT_INVALID"));
  EXPECT_TRUE(IdentifiersOf(fields_, purpose, partner_).empty());
}

TEST_F(RulesTest, ARuleAboutAnotherSubjectIsRefusedAndYieldsNoIdentifier) {
  const v1::Purpose purpose = PurposeOf(RuleOf("bsn", v1::BSN, v1::HOUSEHOLD_SUBJECT));
  EXPECT_THAT(CheckRules(purpose), HasReason("COVENANT_INVALID"));
  EXPECT_TRUE(IdentifiersOf(fields_, purpose, partner_).empty());
}

}  // namespace
}  // namespace raakvlak::node
