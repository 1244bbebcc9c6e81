#include "policy/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/policy_copy.h"
#include "policy/text.h"
#include "tests/support/region.h"
#include "tests/unit/policy/note_folder_fixture.h"

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
  for (const char* broken : {"nonsense", ""}) {
    PutCovenant(broken);
    EXPECT_THAT(Create(), HasReason(base::reason::kCovenantInvalid)) << broken;
  }
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
  const std::string first = authority_->Current()->covenant->id();
  PutRoster(new_roster);
  EXPECT_EQ(InForce(), "c2/r2");
  EXPECT_EQ(high_water_.newest.covenant_version, 2u);
  Snapshot snapshot = *authority_->Current();
  EXPECT_EQ(snapshot.FindCovenant(first)->id(), first);
  EXPECT_EQ(snapshot.FindCovenant("another"), nullptr);
  EXPECT_EQ(snapshot.TermsOf("another", 1), nullptr);
  snapshot.chain = nullptr;
  EXPECT_EQ(snapshot.FindCovenant(snapshot.covenant->id()), snapshot.covenant);
  EXPECT_EQ(snapshot.FindCovenant(first), nullptr);
  high_water_.newest = Newest();
  EXPECT_THAT(Create(), IsOk()) << "a process that comes later";
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

constexpr absl::Duration kOneDay = absl::Hours(24);

// What the command line of somebody with the region's first covenant and roster knows.
class PolicyCopyTest : public NoteFolderTest {
 protected:
  PolicyCopyTest() : first_(Remember()) {}

  absl::StatusOr<PolicyCopy> Read() {
    return PolicyCopy::Read({region_.covenant_path(), region_.roster_path(), folder()});
  }
  absl::Status Take(PolicyCopy& copy, const std::vector<std::string>& notes) {
    return copy.Take(notes, region_.clock().Now());
  }
  // "c<version>/r<number>", or why not.
  std::string Known(const PolicyCopy& copy) {
    const absl::Time now = region_.clock().Now();
    const auto covenant = copy.CovenantAt(now);
    if (!covenant.ok()) return base::ReasonOf(covenant.status());
    const auto roster = copy.RosterAt(now);
    return absl::StrCat(
        "c", (*covenant)->text().version(), "/",
        roster.ok() ? absl::StrCat("r", (*roster)->number()) : base::ReasonOf(roster.status()));
  }
  std::string KnownFromDisk() {
    const auto copy = Read();
    return copy.ok() ? Known(*copy) : base::ReasonOf(copy.status());
  }
  size_t Kept() { return ReadNotes(folder())->size(); }

  const Notes first_;
};

TEST_F(PolicyCopyTest, CovenantThatWasHandedOverIsInForceAtItsDateOnceItHasARoster) {
  const Notes next = Next(kOneDay);
  auto copy = Read();
  ASSERT_THAT(copy, IsOk());
  EXPECT_EQ(Known(*copy), "c1/r1");
  EXPECT_THAT(copy->Hashes(),
              ::testing::UnorderedElementsAre(base::Sha256(first_.covenant), base::Sha256(first_.roster)));
  ASSERT_THAT(Take(*copy, {next.covenant}), IsOk());
  EXPECT_EQ(Known(*copy), "c1/r1");
  region_.clock().Advance(kOneDay);
  EXPECT_EQ(Known(*copy), "c1/r1") << "as the processes, which wait for its roster";
  ASSERT_THAT(Take(*copy, {next.roster}), IsOk());
  EXPECT_EQ(Known(*copy), "c2/r2");
  EXPECT_THAT(copy->Hashes(), ::testing::SizeIs(4));
  EXPECT_EQ(KnownFromDisk(), "c2/r2") << "kept in the folder";
  region_.clock().Advance(-kOneDay);
  EXPECT_EQ(KnownFromDisk(), "c1/r1");
  region_.clock().Advance(40 * kOneDay);
  EXPECT_EQ(KnownFromDisk(), "c2/ROSTER_EXPIRED") << "and not that the other one is of another covenant";
}

TEST_F(PolicyCopyTest, OfTwoRostersTheHigherNumberCounts) {
  const std::string second = NextRoster().roster, third = NextRoster().roster;
  PutFiles(first_);
  for (const auto& order : {std::vector{second, third}, std::vector{third, second}}) {
    auto copy = Read();
    ASSERT_THAT(Take(*copy, order), IsOk());
    EXPECT_EQ(Known(*copy), "c1/r3");
    EXPECT_EQ(Kept(), 1u) << "the older one is of no use";
    std::filesystem::remove_all(folder());
  }
  PutFiles({first_.covenant, third});
  auto copy = Read();
  ASSERT_THAT(Take(*copy, {second}), IsOk());
  EXPECT_EQ(Known(*copy), "c1/r3");
}

TEST_F(PolicyCopyTest, WhoWasAwayUntilEverythingExpiredFindsBack) {
  auto copy = Read();
  region_.clock().Advance(40 * kOneDay);
  EXPECT_EQ(Known(*copy), "c1/ROSTER_EXPIRED");
  // Past the end of the first covenant.
  region_.clock().Set(*ParseUtc(region_.covenant().valid_until()) + kOneDay);
  EXPECT_EQ(Known(*copy), "COVENANT_EXPIRED");
  const Notes next = Next(absl::ZeroDuration(), [&](v1::Covenant& covenant) {
    covenant.set_valid_until(FormatUtc(region_.clock().Now() + 300 * kOneDay));
    region_.roster().set_issued(FormatUtc(region_.clock().Now()));
    region_.roster().set_expires(FormatUtc(region_.clock().Now() + 30 * kOneDay));
  });
  ASSERT_THAT(Take(*copy, {next.roster, next.covenant}), IsOk());
  EXPECT_EQ(Known(*copy), absl::StrCat("c2/r", region_.roster().number()));
  EXPECT_EQ(KnownFromDisk(), absl::StrCat("c2/r", region_.roster().number()));
}

TEST_F(PolicyCopyTest, WhatDoesNotFollowIsNeitherTakenNorKept) {
  // Valid before the one that it follows.
  const Notes early = Next(-181 * kOneDay);
  std::string altered = Next().roster;
  altered.replace(altered.find("number: "), 9, "number: 9");
  crypto::note::Note withdrawal{
      WithdrawalText(base::Sha256(crypto::note::Parse(first_.covenant)->text), "politie"), {}};
  const std::string by_hand = crypto::note::Format(withdrawal);
  auto copy = Read();
  ASSERT_THAT(Take(*copy, {early.covenant, early.roster, altered, by_hand, "no note"}), IsOk());
  EXPECT_EQ(Known(*copy), "c1/r1");
  EXPECT_EQ(Kept(), 0u);
  ASSERT_THAT(Take(*copy, {Withdrawal(first_.covenant, "politie", "politie")}), IsOk());
  EXPECT_EQ(Kept(), 1u);
  EXPECT_EQ(KnownFromDisk(), "c1/r1");
}

TEST_F(PolicyCopyTest, FolderThatTakesNothingIsNoHindrance) {
  const Notes next = Next();
  ASSERT_THAT(base::WriteFileAtomically(folder(), "a file", 0644), IsOk());
  auto copy = Read();
  ASSERT_THAT(copy, IsOk());
  EXPECT_THAT(Take(*copy, {next.covenant, next.roster}), HasReason(base::reason::kStorageFailed));
  EXPECT_EQ(Known(*copy), "c2/r2");
  EXPECT_EQ(KnownFromDisk(), "c1/r1");
}

TEST_F(PolicyCopyTest, FilesThatAreMissingAreTold) {
  std::filesystem::remove(region_.roster_path());
  EXPECT_EQ(KnownFromDisk(), "c1/FILE_UNREADABLE");
  EXPECT_EQ(Known(*PolicyCopy::Read({.covenant = region_.covenant_path(), .roster = ""})),
            "c1/ROSTER_EXPIRED");
  ASSERT_THAT(base::WriteFileAtomically(region_.covenant_path(), first_.roster, 0644), IsOk());
  const auto copy = Read();
  EXPECT_THAT(copy.status(), HasReason(base::reason::kCovenantInvalid));
  EXPECT_THAT(std::string(copy.status().message()), ::testing::HasSubstr(region_.covenant_path()));
  std::filesystem::remove(region_.covenant_path());
  EXPECT_EQ(KnownFromDisk(), "FILE_UNREADABLE");
}

}  // namespace
}  // namespace raakvlak::policy
