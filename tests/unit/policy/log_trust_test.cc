#include "policy/log_trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

using base::testing::HasReason;
using raakvlak::testing::TestRegion;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class LogTrustTest : public ::testing::Test {
 protected:
  LogTrustTest() { region_.Write(); }
  absl::StatusOr<LogTrust> TrustIn(const std::string& role, const std::string& id) {
    return TrustOf(*region_.authority().Current()->covenant, TestRegion::Urn(role, id) + "/2026");
  }
  static std::vector<std::string> NamesOf(const LogTrust& trust) {
    std::vector<std::string> names;
    for (const crypto::tlog::WitnessKey& witness : trust.witnesses) names.push_back(witness.name());
    return names;
  }
  TestRegion region_;
};

TEST_F(LogTrustTest, TheBrokersLogIsWitnessedByMoreThanHalfOfThePartners) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const LogTrust trust, TrustIn("broker", "centre"));
  EXPECT_EQ(trust.log.name(), TestRegion::Urn("broker", "centre") + "/2026");
  EXPECT_EQ(trust.log.key(), TestRegion::LogKeyOf(TestRegion::Urn("broker", "centre")).public_key());
  EXPECT_THAT(NamesOf(trust),
              ElementsAre(TestRegion::Urn("node", "politie"), TestRegion::Urn("node", "gemeente"),
                          TestRegion::Urn("node", "jeugdzorg"), TestRegion::Urn("node", "woningcorporatie")));
  EXPECT_EQ(trust.witnesses[0].key(),
            TestRegion::WitnessKeyOf(TestRegion::Urn("node", "politie")).public_key());
  EXPECT_EQ(trust.quorum, 3u);
}

TEST_F(LogTrustTest, TheCovenantMaySetTheQuorum) {
  region_.covenant().set_witness_quorum(2);
  region_.Write();
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const LogTrust trust, TrustIn("broker", "centre"));
  EXPECT_EQ(trust.quorum, 2u);
}

TEST_F(LogTrustTest, LogsOfNodesAreWitnessedByTheBroker) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const LogTrust trust, TrustIn("node", "gemeente"));
  EXPECT_EQ(trust.log.key(), TestRegion::LogKeyOf(TestRegion::Urn("node", "gemeente")).public_key());
  EXPECT_THAT(NamesOf(trust), ElementsAre(TestRegion::Urn("broker", "centre")));
  EXPECT_THAT(trust.witnesses, SizeIs(1));
  EXPECT_EQ(trust.quorum, 1u);
}

TEST_F(LogTrustTest, ALogOfNobodyIsNotTrusted) {
  EXPECT_THAT(TrustIn("node", "stranger"), HasReason(base::reason::kNotFound));
  EXPECT_THAT(TrustIn("staff", "anna"), HasReason(base::reason::kNotFound));
}

}  // namespace
}  // namespace raakvlak::policy
