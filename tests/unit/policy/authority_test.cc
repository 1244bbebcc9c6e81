#include "policy/authority.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/text.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;

// Keeps what it is told, or fails.
class FakeHighWater final : public HighWater {
 public:
  absl::StatusOr<Newest> Load() override { return newest; }
  absl::Status Store(const Newest& value) override {
    if (broken) return base::Error(absl::StatusCode::kInternal, base::reason::kStorageFailed, "full");
    newest = value;
    ++stores;
    return absl::OkStatus();
  }
  Newest newest;
  bool broken = false;
  int stores = 0;
};

class AuthorityTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Authority>> Create() {
    return Authority::Create({region_.covenant_path(), region_.roster_path(), folder_}, region_.clock(),
                             high_water_);
  }
  void Start() {
    auto authority = Create();
    ASSERT_THAT(authority, IsOk());
    authority_ = *std::move(authority);
  }
  std::string InForce() {
    const auto snapshot = authority_->Current();
    return snapshot.ok() ? snapshot->Name() : base::ReasonOf(snapshot.status());
  }
  void NextRoster() { region_.roster().set_number(region_.roster().number() + 1); }
  void NextCovenant() {
    region_.covenant().set_supersedes(base::Hex(base::Sha256(PrintText(region_.covenant()))));
    region_.covenant().set_version(region_.covenant().version() + 1);
  }
  std::string CovenantFile() { return *base::ReadFile(region_.covenant_path()); }
  std::string RosterFile() { return *base::ReadFile(region_.roster_path()); }
  void PutCovenant(const std::string& file) {
    ASSERT_THAT(base::WriteFileAtomically(region_.covenant_path(), file, 0644), IsOk());
  }
  void PutRoster(const std::string& file) {
    ASSERT_THAT(base::WriteFileAtomically(region_.roster_path(), file, 0644), IsOk());
  }

  TestRegion region_;
  // The tests of the files alone do without.
  std::string folder_;
  FakeHighWater high_water_;
  std::unique_ptr<Authority> authority_;
};

TEST_F(AuthorityTest, StartPutsInForceAndRemembersIt) {
  Start();
  EXPECT_EQ(InForce(), "c1/r1");
  EXPECT_EQ(high_water_.newest.covenant_version, 1u);
  EXPECT_EQ(high_water_.newest.roster_number, 1u);
  EXPECT_EQ(high_water_.newest.covenant_id, base::Sha256(PrintText(region_.covenant())));
}

TEST_F(AuthorityTest, UnchangedFilesAreStoredOnce) {
  Start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(InForce(), "c1/r1");
  Start();
  EXPECT_EQ(high_water_.stores, 1);
}

TEST_F(AuthorityTest, StartFailsOnWhatDoesNotVerify) {
  const std::string covenant = CovenantFile();
  const std::string roster = RosterFile();
  PutCovenant("nonsense");
  EXPECT_THAT(Create(), HasReason(base::reason::kCovenantInvalid));
  PutCovenant(covenant);
  PutRoster(covenant);
  EXPECT_THAT(Create(), HasReason(base::reason::kRosterInvalid));
  PutRoster(roster);
  std::filesystem::remove(region_.covenant_path());
  EXPECT_THAT(Create(), HasReason(base::reason::kFileUnreadable));
}

TEST_F(AuthorityTest, StartFailsWhenExpired) {
  region_.clock().Advance(absl::Hours(24 * 30));
  EXPECT_THAT(Create(), HasReason(base::reason::kRosterExpired));
  region_.clock().Advance(absl::Hours(24 * 365));
  EXPECT_THAT(Create(), HasReason(base::reason::kCovenantExpired));
}

TEST_F(AuthorityTest, StartFailsWhenTheNewestCannotBeStored) {
  high_water_.broken = true;
  EXPECT_THAT(Create(), HasReason(base::reason::kStorageFailed));
}

TEST_F(AuthorityTest, ExpiryWorksOnTheNextCallWithoutAChange) {
  Start();
  region_.clock().Advance(absl::Hours(24 * 29));
  EXPECT_EQ(InForce(), base::reason::kRosterExpired);
  region_.clock().Advance(absl::Hours(24 * 365));
  EXPECT_EQ(InForce(), base::reason::kCovenantExpired);
}

TEST_F(AuthorityTest, NewRosterWorksOnTheNextCall) {
  Start();
  region_.Suspend("jeugdzorg");
  EXPECT_EQ(InForce(), "c1/r2");
  const Snapshot snapshot = *authority_->Current();
  EXPECT_THAT(Authority::CheckPartner(snapshot, "jeugdzorg"), HasReason(base::reason::kPartnerSuspended));
  EXPECT_THAT(Authority::CheckPartner(snapshot, "politie"), IsOk());
  EXPECT_THAT(Authority::CheckPartner(snapshot, "anders"), HasReason(base::reason::kNotAllowed));
}

TEST_F(AuthorityTest, OlderRosterIsRefusedAlsoAfterRestart) {
  const std::string old = RosterFile();
  Start();
  region_.Suspend("jeugdzorg");
  EXPECT_EQ(InForce(), "c1/r2");
  PutRoster(old);
  EXPECT_EQ(InForce(), "c1/r2");
  EXPECT_THAT(Create(), HasReason(base::reason::kRosterOutdated));
}

TEST_F(AuthorityTest, OtherRosterOfTheSameNumberIsRefused) {
  Start();
  region_.roster().mutable_members()->RemoveLast();
  region_.Write();
  EXPECT_EQ(authority_->Current()->roster->text().members_size(), 3);
}

TEST_F(AuthorityTest, BrokenRosterLeavesTheOldOneInForce) {
  Start();
  PutRoster("nonsense");
  EXPECT_EQ(InForce(), "c1/r1");
  std::filesystem::remove(region_.roster_path());
  EXPECT_EQ(InForce(), "c1/r1");
  NextRoster();
  region_.Write();
  EXPECT_EQ(InForce(), "c1/r2") << "and a good one mends it";
}

TEST_F(AuthorityTest, RosterIssuedInTheFutureWaitsForItsTime) {
  Start();
  NextRoster();
  region_.roster().set_issued(FormatUtc(region_.clock().Now() + absl::Hours(1)));
  region_.Write();
  EXPECT_EQ(InForce(), "c1/r1");
  region_.clock().Advance(absl::Minutes(59));
  EXPECT_EQ(InForce(), "c1/r1");
  region_.clock().Advance(absl::Minutes(1));
  EXPECT_EQ(InForce(), "c1/r2") << "the file did not change";
}

TEST_F(AuthorityTest, SucceedingCovenantComesIntoForceWithItsRoster) {
  Start();
  const std::string old_roster = RosterFile();
  NextCovenant();
  NextRoster();
  region_.Write();
  const std::string new_roster = RosterFile();
  PutRoster(old_roster);
  EXPECT_EQ(InForce(), "c1/r1") << "the covenant waits for its roster";
  EXPECT_EQ(high_water_.newest.covenant_version, 1u);
  PutRoster(new_roster);
  EXPECT_EQ(InForce(), "c2/r2");
  EXPECT_EQ(high_water_.newest.covenant_version, 2u);
}

TEST_F(AuthorityTest, SuspensionDoesNotWaitForACovenantThatIsBroken) {
  Start();
  region_.Suspend("jeugdzorg");
  PutCovenant("nonsense");
  EXPECT_EQ(InForce(), "c1/r2");
}

TEST_F(AuthorityTest, SuspensionUnderTheOldCovenantDoesNotWaitForTheNewOnesRoster) {
  Start();
  region_.Suspend("jeugdzorg");
  const std::string roster = RosterFile();
  NextCovenant();
  region_.Write();
  PutRoster(roster);
  EXPECT_EQ(InForce(), "c1/r2");
}

TEST_F(AuthorityTest, OlderCovenantIsRefusedAlsoAfterRestart) {
  const std::string old_covenant = CovenantFile();
  const std::string old_roster = RosterFile();
  Start();
  NextCovenant();
  NextRoster();
  region_.Write();
  EXPECT_EQ(InForce(), "c2/r2");
  PutCovenant(old_covenant);
  PutRoster(old_roster);
  EXPECT_EQ(InForce(), "c2/r2");
  EXPECT_THAT(Create(), HasReason(base::reason::kCovenantOutdated));
}

TEST_F(AuthorityTest, OtherCovenantOfTheSameVersionIsRefused) {
  Start();
  region_.covenant().set_population(299'999);
  NextRoster();
  region_.Write();
  EXPECT_EQ(InForce(), "c1/r1");
  EXPECT_THAT(Create(), HasReason(base::reason::kCovenantOutdated));
}

TEST_F(AuthorityTest, CovenantThatSupersedesAnotherIsRefused) {
  Start();
  NextCovenant();
  region_.covenant().set_supersedes(std::string(64, 'a'));
  NextRoster();
  region_.Write();
  EXPECT_EQ(InForce(), "c1/r1");
  EXPECT_THAT(Create(), HasReason(base::reason::kCovenantOutdated));
}

TEST_F(AuthorityTest, ProcessThatMissedACovenantTakesThemInOrder) {
  Start();
  NextCovenant();
  NextRoster();
  region_.Write();
  const std::string second_covenant = CovenantFile();
  const std::string second_roster = RosterFile();
  NextCovenant();
  NextRoster();
  region_.Write();
  const std::string third_covenant = CovenantFile();
  const std::string third_roster = RosterFile();
  EXPECT_EQ(InForce(), "c1/r1") << "the third does not supersede the first";
  PutCovenant(second_covenant);
  PutRoster(second_roster);
  EXPECT_EQ(InForce(), "c2/r2");
  PutCovenant(third_covenant);
  PutRoster(third_roster);
  EXPECT_EQ(InForce(), "c3/r3");
}

TEST_F(AuthorityTest, RosterNumberGoesOnUnderANewCovenant) {
  NextRoster();
  region_.Write();
  Start();
  NextCovenant();
  region_.roster().set_number(1);
  region_.Write();
  EXPECT_EQ(InForce(), "c1/r2");
}

TEST_F(AuthorityTest, CovenantValidLaterWaitsForItsTime) {
  Start();
  NextCovenant();
  NextRoster();
  region_.covenant().set_valid_from(FormatUtc(region_.clock().Now() + absl::Hours(1)));
  region_.Write();
  EXPECT_EQ(InForce(), "c1/r1");
  region_.clock().Advance(absl::Hours(1));
  EXPECT_EQ(InForce(), "c2/r2");
}

TEST_F(AuthorityTest, SuspensionHoldsWhenItCannotBeStoredAndIsStoredLater) {
  Start();
  high_water_.broken = true;
  region_.Suspend("jeugdzorg");
  EXPECT_EQ(InForce(), "c1/r2");
  EXPECT_EQ(high_water_.newest.roster_number, 1u);
  EXPECT_EQ(InForce(), "c1/r2");
  high_water_.broken = false;
  EXPECT_EQ(InForce(), "c1/r2");
  EXPECT_EQ(high_water_.newest.roster_number, 2u);
}

}  // namespace
}  // namespace raakvlak::policy
