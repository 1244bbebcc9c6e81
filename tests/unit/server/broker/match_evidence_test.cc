// What Matches says about why a match is one. Matches come from the real Matcher.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/testing/status_matchers.h"
#include "tests/unit/server/broker/matches_fixture.h"

namespace raakvlak::broker {
namespace {

using ::testing::ElementsAre;
using testing::kListPurpose;
using MatchEvidenceTest = testing::MatchesTest;

// "STRONG bsn: agree | differ | absent".
std::vector<std::string> EvidenceTexts(const v1::MatchSummary& match) {
  std::vector<std::string> texts;
  for (const v1::RuleEvidence& entry : match.evidence()) {
    texts.push_back(absl::StrCat(v1::Quality_Name(entry.quality()), " ", entry.rule(), ": ",
                                 absl::StrJoin(entry.agree(), ","), " | ", absl::StrJoin(entry.differ(), ","),
                                 " | ", absl::StrJoin(entry.absent(), ",")));
  }
  return texts;
}

TEST_F(MatchEvidenceTest, EvidenceSaysWhoAgreesWhoDiffersAndWhoHadNothing) {
  other_subject_ = {{"address", "b"}};
  Signal("politie", kListPurpose, "a");
  other_subject_ = {{"bsn", "b"}};
  Signal("gemeente", kListPurpose, "a");
  other_subject_.clear();
  Signal("woningcorporatie", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  EXPECT_THAT(match.rules(), ElementsAre("address", "surname-initial-birthdate"));
  EXPECT_THAT(EvidenceTexts(match),
              ElementsAre("EXACT bsn:  | gemeente,politie | woningcorporatie",
                          "STRONG surname-initial-birthdate: gemeente,politie,woningcorporatie |  | ",
                          "SUPPORTING address: gemeente,woningcorporatie | politie | "));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const v1::OpenMatchResponse opened, Open(OrderFor(match)));
  EXPECT_EQ(EvidenceTexts(opened.match()), EvidenceTexts(match));
}

TEST_F(MatchEvidenceTest, EvidenceIsOfTheLiveSignalsOfTheMatchOnly) {
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  const std::string gone = Signal("woningcorporatie", kListPurpose, "a");
  Signal("jeugdzorg", kListPurpose, "b");
  Signal("woningcorporatie", kListPurpose, "b");
  RunMatcher();
  Withdraw("woningcorporatie", gone);
  for (int i = 0; i < 2; ++i) {
    const std::vector<v1::MatchSummary> matches = ListAll(kListPurpose);
    ASSERT_EQ(matches.size(), 2u);
    EXPECT_THAT(EvidenceTexts(matches[0]),
                ElementsAre("EXACT bsn: gemeente,politie |  | ",
                            "STRONG surname-initial-birthdate: gemeente,politie |  | ",
                            "SUPPORTING address: gemeente,politie |  | "))
        << "before and after the matcher has run";
    EXPECT_THAT(EvidenceTexts(matches[1]),
                ElementsAre("STRONG surname-initial-birthdate: jeugdzorg,woningcorporatie |  | ",
                            "SUPPORTING address: jeugdzorg,woningcorporatie |  | "))
        << "one of two alone had the BSN";
    RunMatcher();
  }
}

TEST_F(MatchEvidenceTest, EvidenceOfAConflictDiffers) {
  Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  wrong_commitments_ = "bsn";
  Signal("jeugdzorg", kListPurpose, "a");
  RunMatcher();
  const v1::MatchSummary match = ListAll(kListPurpose).at(0);
  EXPECT_TRUE(match.conflict());
  EXPECT_EQ(EvidenceTexts(match).at(0), "EXACT bsn: gemeente,politie | jeugdzorg | ");
}

class MixedMatchesTest : public MatchEvidenceTest {
 protected:
  MixedMatchesTest()
      : MatchEvidenceTest([](v1::Covenant& covenant) {
          v1::LinkageRule& rule = *covenant.mutable_purposes(0)->mutable_rules(1);
          rule.set_id("household");
          rule.set_subject(v1::HOUSEHOLD_SUBJECT);
        }) {}
};

TEST_F(MixedMatchesTest, EvidenceOfPersonsIsNotOfTheirHousehold) {
  other_subject_ = {{"household", "home of politie"}};
  Signal("politie", kListPurpose, "a");
  other_subject_ = {{"household", "home of gemeente"}};
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  EXPECT_THAT(EvidenceTexts(ListAll(kListPurpose).at(0)),
              ElementsAre("EXACT bsn: gemeente,politie |  | ", "SUPPORTING address: gemeente,politie |  | "));
}

TEST_F(MatchEvidenceTest, ClosedMatchHasNoEvidence) {
  const std::string id = Signal("politie", kListPurpose, "a");
  Signal("gemeente", kListPurpose, "a");
  RunMatcher();
  Withdraw("politie", id);
  RunMatcher();
  EXPECT_THAT(ListAll(kListPurpose, true).at(0).evidence(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace raakvlak::broker
