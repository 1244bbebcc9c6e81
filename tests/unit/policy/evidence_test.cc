#include "policy/evidence.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace raakvlak::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

EvidenceToken Token(const std::string& partner, uint32_t organisation, const std::string& tag,
                    const std::string& rule = "names", v1::Quality quality = v1::STRONG) {
  return {partner, organisation, rule, quality, tag, "C of " + tag};
}

// "names: a,b | c | d": who agrees, differs, lacks it.
std::vector<std::string> Texts(const std::vector<std::string>& partners,
                               const std::vector<EvidenceToken>& tokens) {
  std::vector<std::string> texts;
  for (const v1::RuleEvidence& entry : EvidenceOf(partners, tokens)) {
    texts.push_back(absl::StrCat(entry.rule(), ": ", absl::StrJoin(entry.agree(), ","), " | ",
                                 absl::StrJoin(entry.differ(), ","), " | ",
                                 absl::StrJoin(entry.absent(), ",")));
  }
  return texts;
}

TEST(EvidenceTest, EveryPartnerStandsInOneOfThree) {
  EXPECT_THAT(
      Texts({"d", "c", "b", "a"}, {Token("b", 2, "jan"), Token("a", 1, "jan"), Token("c", 3, "piet")}),
      ElementsAre("names: a,b | c | d"));
}

TEST(EvidenceTest, TwoPairsThatAgreeAmongThemselvesAllAgree) {
  EXPECT_THAT(Texts({"a", "b", "c", "d"}, {Token("a", 1, "jan"), Token("b", 2, "jan"), Token("c", 3, "piet"),
                                           Token("d", 4, "piet")}),
              ElementsAre("names: a,b,c,d |  | "));
}

TEST(EvidenceTest, OneSignalThatAgreesIsEnoughForItsPartner) {
  EXPECT_THAT(Texts({"a", "b"}, {Token("a", 1, "piet"), Token("a", 1, "jan"), Token("b", 2, "jan")}),
              ElementsAre("names: a,b |  | "));
}

TEST(EvidenceTest, OneOrganisationDoesNotAgreeWithItself) {
  EXPECT_THAT(
      Texts({"a", "a-zuid", "b"}, {Token("a", 1, "jan"), Token("a-zuid", 1, "jan"), Token("b", 2, "piet")}),
      ElementsAre("names:  | a,a-zuid,b | "));
}

TEST(EvidenceTest, WhatOneOrganisationAloneHasComparesNothing) {
  EXPECT_THAT(Texts({"a", "a-zuid", "b"}, {Token("a", 1, "jan"), Token("a-zuid", 1, "piet")}), IsEmpty());
  EXPECT_THAT(Texts({"a", "b"}, {}), IsEmpty());
}

TEST(EvidenceTest, OtherCommitmentsUnderOneTagDoNotAgree) {
  EvidenceToken wrong = Token("c", 3, "jan");
  wrong.commitments = "another";
  EXPECT_THAT(Texts({"a", "b", "c"}, {Token("a", 1, "jan"), Token("b", 2, "jan"), wrong}),
              ElementsAre("names: a,b | c | "));
}

EvidenceToken InEpoch(uint32_t epoch, EvidenceToken token) {
  token.epoch = epoch;
  return token;
}

TEST(EvidenceTest, AgreementInOneEpochIsEnough) {
  EXPECT_THAT(Texts({"a", "b", "c"}, {InEpoch(1, Token("a", 1, "jan")), InEpoch(1, Token("b", 2, "jan")),
                                      InEpoch(2, Token("a", 1, "piet")), InEpoch(2, Token("c", 3, "klaas"))}),
              ElementsAre("names: a,b | c | "));
}

TEST(EvidenceTest, QualityIsTheBestThatTheRuleHasInAnyEpoch) {
  const std::vector<EvidenceToken> tokens = {InEpoch(1, Token("a", 1, "jan", "names", v1::EXACT)),
                                             InEpoch(1, Token("b", 2, "jan", "names", v1::EXACT)),
                                             InEpoch(2, Token("a", 1, "jan")),
                                             InEpoch(2, Token("b", 2, "jan"))};
  ASSERT_EQ(EvidenceOf({"a", "b"}, tokens).size(), 1u);
  EXPECT_EQ(EvidenceOf({"a", "b"}, tokens)[0].quality(), v1::EXACT);
}

TEST(EvidenceTest, TagsOfTwoEpochsAreNotCompared) {
  EXPECT_THAT(Texts({"a", "b"}, {InEpoch(1, Token("a", 1, "jan")), InEpoch(2, Token("b", 2, "jan"))}),
              IsEmpty());
  EXPECT_THAT(Texts({"a", "b", "c"}, {InEpoch(1, Token("a", 1, "jan")), InEpoch(1, Token("b", 2, "piet")),
                                      InEpoch(2, Token("c", 3, "jan"))}),
              ElementsAre("names:  | a,b | c"))
      << "c has nothing in an epoch that another has too";
}

TEST(EvidenceTest, BestQualityComesFirstThenTheRulesId) {
  std::vector<EvidenceToken> tokens;
  for (const auto& [partner, organisation] : {std::pair("a", 1), std::pair("b", 2)}) {
    const auto index = static_cast<uint32_t>(organisation);
    tokens.push_back(Token(partner, index, "x", "a-phone", v1::SUPPORTING));
    tokens.push_back(Token(partner, index, "x", "z-names", v1::STRONG));
    tokens.push_back(Token(partner, index, "x", "c-names", v1::STRONG));
    tokens.push_back(Token(partner, index, "x", "zz-bsn", v1::EXACT));
  }
  const std::vector<v1::RuleEvidence> evidence = EvidenceOf({"a", "b"}, tokens);
  ASSERT_EQ(evidence.size(), 4u);
  EXPECT_EQ(evidence[0].rule(), "zz-bsn");
  EXPECT_EQ(evidence[0].quality(), v1::EXACT);
  EXPECT_EQ(evidence[1].rule(), "c-names");
  EXPECT_EQ(evidence[2].rule(), "z-names");
  EXPECT_EQ(evidence[3].rule(), "a-phone");
  EXPECT_EQ(evidence[3].quality(), v1::SUPPORTING);
}

}  // namespace
}  // namespace raakvlak::policy
