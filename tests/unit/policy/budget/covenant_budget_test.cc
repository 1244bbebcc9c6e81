#include "policy/budget/covenant_budget.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "base/testing/status_matchers.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The test region: 300,000 people, n = 4, t = 3, the rules of recipe 1, a million elements a day of each
// class, with the consents that it needs.
class CovenantBudgetTest : public ::testing::Test {
 protected:
  absl::Status Check() const { return CheckLinkage(covenant_); }
  std::string Refusal() const {
    const absl::Status status = Check();
    EXPECT_THAT(status, HasReason("COVENANT_INVALID"));
    return std::string(status.message());
  }
  v1::LinkageRule& Rule() { return *covenant_.mutable_purposes(0)->mutable_rules(1); }
  void SetFields(const std::vector<std::string>& fields) {
    Rule().set_version(2);
    Rule().clear_accept_partners_per_million();
    for (const std::string& field : fields) Rule().add_fields(field);
  }
  void SetQuota(v1::IdentifierClass identifier_class, uint64_t elements) {
    for (v1::Quota& quota : *covenant_.mutable_quotas()) {
      if (quota.identifier_class() == identifier_class) quota.set_elements_per_day(elements);
    }
  }

  TestRegion region_;
  v1::Covenant covenant_ = region_.covenant();
};

TEST_F(CovenantBudgetTest, TheTestRegionIsTakenWithItsConsents) { EXPECT_THAT(Check(), IsOk()); }

TEST_F(CovenantBudgetTest, AStrongRuleOverTheBudgetIsRefusedAndToldWhatToDo) {
  SetFields({"surname_low", "birth_date"});
  SetQuota(v1::PERSON, 1000);
  const std::string refusal = Refusal();
  EXPECT_THAT(refusal, HasSubstr("purpose \"onaantastbaren\" rule \"surname-initial-birthdate\""));
  EXPECT_THAT(refusal, HasSubstr("region of 300,000"));
  EXPECT_THAT(refusal, HasSubstr("twins"));
  EXPECT_THAT(refusal, HasSubstr("SUPPORTING"));
  Rule().set_quality(v1::EXACT);
  EXPECT_THAT(Check(), HasReason("COVENANT_INVALID"));
  Rule().set_quality(v1::SUPPORTING);
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(CovenantBudgetTest, ThePopulationOfTheCovenantDecides) {
  SetFields({"names", "birth_date_certain"});
  EXPECT_THAT(Check(), IsOk());
  covenant_.set_population(17'900'000);
  EXPECT_THAT(Refusal(), HasSubstr("region of 17,900,000"));
}

TEST_F(CovenantBudgetTest, SurnameInitialAndDateNeedTheConsentOfTheSigners) {
  Rule().clear_accept_partners_per_million();
  EXPECT_THAT(Refusal(), HasSubstr("accept_partners_per_million"));
  Rule().set_accept_partners_per_million(1500);
  EXPECT_THAT(Refusal(), HasSubstr("over the budget of 0.0015"));
  Rule().set_accept_partners_per_million(5000);
  EXPECT_THAT(Check(), IsOk());
}

TEST_F(CovenantBudgetTest, ConsentIsForStrongRulesAndFiguresThatMeanSomething) {
  for (const uint32_t figure : {1u, 999u, 1'000'001u}) {
    Rule().set_accept_partners_per_million(figure);
    EXPECT_THAT(Refusal(), HasSubstr("1,000")) << figure;
  }
  Rule().set_accept_partners_per_million(5000);
  for (const v1::Quality quality : {v1::EXACT, v1::SUPPORTING}) {
    Rule().set_quality(quality);
    EXPECT_THAT(Refusal(), HasSubstr("STRONG rules only"));
  }
}

TEST_F(CovenantBudgetTest, EachQuotaThatEnumeratesAClassNeedsConsent) {
  EXPECT_THAT(*EnumerationsOf(covenant_), SizeIs(2)) << "names and dates are more than a year's";
  SetQuota(v1::PERSON, 100'000'000);
  covenant_.add_accept_enumeration(v1::PERSON);
  ASSERT_THAT(*EnumerationsOf(covenant_), SizeIs(3));
  ASSERT_THAT(Check(), IsOk());
  for (const int without : covenant_.accept_enumeration()) {
    v1::Covenant covenant = covenant_;
    covenant.clear_accept_enumeration();
    for (const int each : covenant_.accept_enumeration()) {
      if (each != without) covenant.add_accept_enumeration(static_cast<v1::IdentifierClass>(each));
    }
    const std::string name = v1::IdentifierClass_Name(static_cast<v1::IdentifierClass>(without));
    const absl::Status status = CheckLinkage(covenant);
    EXPECT_THAT(status, HasReason("COVENANT_INVALID")) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("class " + name));
    EXPECT_THAT(std::string(status.message()), HasSubstr("accept_enumeration: " + name));
  }
}

// q(n-c)/(t-c) with n = 4, t = 3, c = 2 is 2q; BSNs are 90,909,090.
TEST_F(CovenantBudgetTest, TheLargestQuotaThatDoesNotEnumerateIsExact) {
  covenant_.clear_accept_enumeration();
  constexpr uint64_t kLargest = 90'909'089 / (365 * 2);
  SetQuota(v1::PERSON, 100);
  SetQuota(v1::ADDRESS, 100);
  SetQuota(v1::BSN, kLargest);
  EXPECT_THAT(Check(), IsOk());
  SetQuota(v1::BSN, kLargest + 1);
  EXPECT_THAT(Refusal(), HasSubstr("at most 124,532"));
  covenant_.set_epoch_days(30);
  EXPECT_THAT(Check(), IsOk()) << "keys that are used for a shorter time";
  covenant_.set_epoch_days(366);
  EXPECT_THAT(Check(), HasReason("COVENANT_INVALID"));
  covenant_.clear_epoch_days();
  covenant_.set_quorum(4);
  EXPECT_THAT(Check(), IsOk()) << "with four of four needed, three on its side leave it q";
}

TEST_F(CovenantBudgetTest, AddressesAreThoseOfTheRegion) {
  covenant_.clear_accept_enumeration();
  SetQuota(v1::PERSON, 100);
  SetQuota(v1::BSN, 100);
  SetQuota(v1::ADDRESS, 142'857 / (365 * 2));
  EXPECT_THAT(Check(), IsOk());
  covenant_.set_population(200'000);
  EXPECT_THAT(Refusal(), HasSubstr("addresses"));
}

TEST_F(CovenantBudgetTest, ThePartnersOwnQuotaIsJudgedToo) {
  covenant_.clear_accept_enumeration();
  for (const auto identifier_class : {v1::BSN, v1::PERSON, v1::ADDRESS}) SetQuota(identifier_class, 100);
  v1::Quota& own = *covenant_.add_quotas();
  own.set_partner("politie");
  own.set_identifier_class(v1::BSN);
  own.set_elements_per_day(1'000'000);
  EXPECT_THAT(Refusal(), HasSubstr("quota of \"politie\" class BSN"));
}

TEST_F(CovenantBudgetTest, ConsentsAreToldInWords) {
  const auto notes = LinkageNotes(*BudgetOf(covenant_), *EnumerationsOf(covenant_));
  ASSERT_THAT(notes, SizeIs(4));
  EXPECT_THAT(notes[0], HasSubstr("over the collision budget"));
  EXPECT_THAT(notes[2], HasSubstr("all 90,909,090 BSNs in 46 days"));
  EXPECT_THAT(notes[3], HasSubstr("all 142,857 addresses in 1 day"));
  v1::Covenant plain = covenant_;
  plain.clear_accept_enumeration();
  for (v1::Purpose& purpose : *plain.mutable_purposes())
    purpose.mutable_rules()->DeleteSubrange(1, purpose.rules_size() - 1);
  EXPECT_THAT(LinkageNotes(*BudgetOf(plain), {}), IsEmpty());
}

TEST_F(CovenantBudgetTest, TheCheckIsMadeAnewForAnotherCovenant) {
  LinkageCheck check;
  const auto in_force = [this] { return *Covenant::Verify(*base::ReadFile(region_.covenant_path())); };
  const auto good = in_force();
  EXPECT_THAT(check.Check(*good), IsOk());
  EXPECT_THAT(check.Check(*good), IsOk());
  region_.covenant().clear_accept_enumeration();
  region_.Write();
  EXPECT_THAT(check.Check(*in_force()), HasReason("COVENANT_INVALID"));
}

TEST_F(CovenantBudgetTest, FiguresHaveTwoDigits) {
  EXPECT_EQ(FigureText(0), "0");
  EXPECT_EQ(FigureText(0.000314), "0.00031");
  EXPECT_EQ(FigureText(1e-6), "< 0.00001");
  EXPECT_EQ(FigureText(2.41), "2.4");
}

}  // namespace
}  // namespace raakvlak::policy
