#include "server/node/validate.h"

#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/region.h"

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
  EXPECT_EQ(IdentifiersOf(fields_, purpose, partner_).size(), 1u);
}

// Under the keys of persons nobody would ask for the right to the BSN.
TEST_F(RulesTest, ABsnRuleUnderAnotherClassYieldsNoIdentifier) {
  const v1::Purpose purpose = PurposeOf(RuleOf("bsn", v1::PERSON, v1::PERSON_SUBJECT));
  EXPECT_TRUE(IdentifiersOf(fields_, purpose, partner_).empty());
}

TEST_F(RulesTest, ARuleAboutAnotherSubjectYieldsNoIdentifier) {
  const v1::Purpose purpose = PurposeOf(RuleOf("bsn", v1::BSN, v1::HOUSEHOLD_SUBJECT));
  EXPECT_TRUE(IdentifiersOf(fields_, purpose, partner_).empty());
}

v1::LinkageRule RuleWith(const std::string& id, v1::IdentifierClass identifier_class, v1::SubjectKind subject,
                         const std::vector<std::string>& fields) {
  v1::LinkageRule rule = RuleOf(id, identifier_class, subject);
  rule.set_version(2);
  for (const std::string& field : fields) rule.add_fields(field);
  return rule;
}

TEST_F(RulesTest, ARuleWithFieldsYieldsThemInTheCovenantsOrder) {
  const v1::Purpose purpose = PurposeOf(RuleWith("own", v1::BSN, v1::PERSON_SUBJECT, {"birth_year", "bsn"}));
  fields_.birth_year = "2012";
  const auto identifiers = IdentifiersOf(fields_, purpose, partner_);
  ASSERT_EQ(identifiers.size(), 1u);
  EXPECT_EQ(identifiers[0].rule->id(), "own");
  EXPECT_EQ(identifiers[0].fields, (std::vector<std::string>{"2012", "999990019"}));
  partner_.set_bsn_entitled(false);
  EXPECT_TRUE(IdentifiersOf(fields_, purpose, partner_).empty());
}

TEST_F(RulesTest, ARuleWithAnUnknownFieldOrTheBsnUnderAnotherClassYieldsNoIdentifier) {
  for (const v1::LinkageRule& rule :
       {RuleWith("own", v1::PERSON, v1::PERSON_SUBJECT, {"shoe_size"}),
        RuleWith("own", v1::PERSON, v1::PERSON_SUBJECT, {"bsn"}),
        RuleWith("own", v1::ADDRESS, v1::HOUSEHOLD_SUBJECT, {"postcode", "given_name"})}) {
    EXPECT_TRUE(IdentifiersOf(fields_, PurposeOf(rule), partner_).empty());
  }
}

// Records under a covenant whose purposes have a rule with fields; on 15 January 2027.
class PartialDateTest : public ::testing::Test {
 protected:
  PartialDateTest() {
    for (v1::Purpose& purpose : *region_.covenant().mutable_purposes()) {
      if (purpose.id() == "gezinsaanpak") continue;
      *purpose.add_rules() = RuleWith("year", v1::PERSON, v1::PERSON_SUBJECT, {"surname_low", "birth_year"});
      purpose.mutable_rules()->rbegin()->set_quality(v1::STRONG);
    }
    region_.Write();
  }

  absl::Status Validate(const std::string& purpose, const std::string& birth_date) {
    const auto snapshot = region_.authority().Current();
    const policy::Covenant& agreed = *snapshot->covenant;
    v1::Record record;
    record.set_client_ref("1");
    record.set_purpose(purpose);
    record.set_kind("signal");
    record.set_category(agreed.FindPurpose(purpose)->categories(0));
    record.set_surname("Jansen");
    record.set_birth_date(birth_date);
    return ValidateRecord(record, agreed, *agreed.FindPartner("politie"), region_.clock().Now()).status();
  }

  raakvlak::testing::TestRegion region_;
};

TEST_F(PartialDateTest, IsTakenWhereARuleHasFields) {
  for (const char* date : {"2012-05-06", "2012-05-00", "2012-05", "2012-00-00", "2012"}) {
    EXPECT_THAT(Validate("onaantastbaren", date), IsOk()) << date;
  }
  EXPECT_THAT(Validate("onaantastbaren", "0000-00-00"), HasReason("NO_RULE_APPLIES"));
  EXPECT_THAT(Validate("onaantastbaren", "2012-00-05"), HasReason("DATE_INVALID"));
  EXPECT_THAT(Validate("onaantastbaren", "2028"), HasReason("DATE_INVALID"));
}

TEST_F(PartialDateTest, IsRefusedWhereAllRulesAreOfRecipeOne) {
  EXPECT_THAT(Validate("gezinsaanpak", "2012-05-00"), HasReason("DATE_INVALID"));
}

TEST_F(PartialDateTest, DecidesAnAgeBoundOnlyWhenEveryDayOfItDoes) {
  EXPECT_THAT(Validate("risicojeugd", "2012"), IsOk());
  EXPECT_THAT(Validate("risicojeugd", "2011-02"), IsOk());
  EXPECT_THAT(Validate("risicojeugd", "2011"), HasReason("AGE_UNKNOWN"));
  EXPECT_THAT(Validate("risicojeugd", "2011-01"), HasReason("AGE_UNKNOWN"));
  EXPECT_THAT(Validate("risicojeugd", "2010"), HasReason("AGE_NOT_ALLOWED"));
  EXPECT_THAT(Validate("risicojeugd", ""), HasReason("AGE_UNKNOWN"));
}

}  // namespace
}  // namespace raakvlak::node
