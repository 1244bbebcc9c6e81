#include "policy/roster.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

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
using ::testing::HasSubstr;

struct RosterCase {
  std::string name;
  std::string message;
  std::function<void(v1::Roster&)> spoil;
};

void PrintTo(const RosterCase& test_case, std::ostream* out) { *out << test_case.name; }

std::string SomeKey(const std::string& urn) {
  base::testing::SeededRandom random(99);
  return crypto::note::VerifierKey::Create(urn, crypto::note::PrivateKey::Generate(random).public_key())
      ->Encode();
}

v1::Member& Staff(v1::Roster& roster) { return *roster.mutable_members(0); }
v1::Member& Officer(v1::Roster& roster) { return *roster.mutable_members(1); }

// Each case breaks one rule alone.
std::vector<RosterCase> RosterCases() {
  return {
      {"Format", "format", [](auto& r) { r.set_format(2); }},
      {"NumberZero", "number", [](auto& r) { r.set_number(0); }},
      {"IssuedMalformed", "issued", [](auto& r) { r.set_issued("yesterday"); }},
      {"ExpiresMalformed", "expires", [](auto& r) { r.set_expires("infinite-future"); }},
      {"ExpiresNotAfterIssued", "expires", [](auto& r) { r.set_expires(r.issued()); }},
      {"ThirtyOneDaysAndASecond", "31 days",
       [](auto& r) {
         r.set_issued("2027-01-01T00:00:00Z");
         r.set_expires("2027-02-01T00:00:01Z");
       }},
      {"TooManyMembers", "at most 1,024",
       [](auto& r) {
         while (r.members_size() <= 1024) *r.add_members() = r.members(0);
       }},
      {"StaffOfAPartner", "only officers are of a partner", [](auto& r) { Staff(r).set_partner("politie"); }},
      {"OfficerOfNoPartner", "no partner \"anders\"", [](auto& r) { Officer(r).set_partner("anders"); }},
      {"MemberIdMalformed", "id", [](auto& r) { Staff(r).set_id("Anna"); }},
      {"MemberIdTwice", "id is used twice", [](auto& r) { *r.add_members() = r.members(0); }},
      {"UrnOfAnotherMember", "urn", [](auto& r) { Staff(r).set_urn("urn:raakvlak:maastricht:staff:bob"); }},
      {"UrnOfAnotherRegion", "urn", [](auto& r) { Staff(r).set_urn("urn:raakvlak:almere:staff:anna"); }},
      {"UrnOfAnotherRole", "urn", [](auto& r) { Staff(r).set_urn("urn:raakvlak:maastricht:officer:anna"); }},
      {"UrnOfANode", "urn", [](auto& r) { Staff(r).set_urn("urn:raakvlak:maastricht:node:anna"); }},
      {"KeyMissing", "signing_key", [](auto& r) { Staff(r).clear_signing_key(); }},
      {"KeyOfAnotherName", "signing_key",
       [](auto& r) { Staff(r).set_signing_key(SomeKey("urn:raakvlak:maastricht:staff:bob")); }},
      {"KeyShared", "signing_key is also somebody else's",
       [](auto& r) {
         Staff(r).set_signing_key(SomeKey("urn:raakvlak:maastricht:staff:anna"));
         Officer(r).set_signing_key(SomeKey("urn:raakvlak:maastricht:officer:olga"));
       }},
      {"RolesMissing", "roles", [](auto& r) { Staff(r).clear_roles(); }},
      {"RoleUnknown", "roles", [](auto& r) { Staff(r).add_roles(static_cast<v1::MemberRole>(7)); }},
      {"RoleTwice", "twice", [](auto& r) { Staff(r).add_roles(v1::STAFF); }},
      {"StaffWhoIsAlsoOfficer", "both staff and officer", [](auto& r) { Staff(r).add_roles(v1::OFFICER); }},
      {"StaffWithoutPurposes", "without purposes", [](auto& r) { Staff(r).clear_purposes(); }},
      {"PurposeUnknown", "no purpose \"anders\"", [](auto& r) { Staff(r).add_purposes("anders"); }},
      {"PurposeTwice", "twice", [](auto& r) { Staff(r).add_purposes("risicojeugd"); }},
      {"OfficerWithPurposes", "only staff", [](auto& r) { Officer(r).add_purposes("risicojeugd"); }},
      {"SuspendedUnknown", "no such partner", [](auto& r) { r.add_suspended_partners("anders"); }},
      {"SuspendedTwice", "twice",
       [](auto& r) {
         r.add_suspended_partners("politie");
         r.add_suspended_partners("politie");
       }},
  };
}

class RosterTest : public ::testing::Test {
 protected:
  RosterTest() : covenant_(*Covenant::Verify(*base::ReadFile(region_.covenant_path()))) {}

  std::string File() { return *base::ReadFile(region_.roster_path()); }
  std::string SignedBy(const std::string& text, const std::vector<std::string>& urns) {
    crypto::note::Note note{text, {}};
    for (const std::string& urn : urns) {
      const auto& key = region_.KeyOf(urn);
      crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
    }
    return crypto::note::Format(note);
  }
  // By the hub and the coordinating officer.
  std::string SignedByBoth(const std::string& text) { return SignedBy(text, {Hub(), Coordinator()}); }
  std::string Hub() { return region_.covenant().hub().urn(); }
  static std::string Coordinator() { return TestRegion::Urn("officer", "fg"); }
  std::string Text() { return PrintText(region_.roster()); }

  TestRegion region_;
  std::shared_ptr<const Covenant> covenant_;
};

class CheckRosterTest : public RosterTest, public ::testing::WithParamInterface<RosterCase> {};

TEST_P(CheckRosterTest, OneBrokenRuleIsRefusedByName) {
  ASSERT_THAT(CheckRoster(region_.roster(), *covenant_), IsOk());
  GetParam().spoil(region_.roster());
  const absl::Status status = CheckRoster(region_.roster(), *covenant_);
  EXPECT_THAT(status, HasReason(base::reason::kRosterInvalid));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
  EXPECT_THAT(Roster::Verify(SignedByBoth(Text()), *covenant_), HasReason(base::reason::kRosterInvalid));
}

INSTANTIATE_TEST_SUITE_P(EachRule, CheckRosterTest, ::testing::ValuesIn(RosterCases()),
                         [](const auto& test) { return test.param.name; });

TEST_F(RosterTest, KeyOfAPartnerOrTheHubIsNoMembersKey) {
  const std::string urn = "urn:raakvlak:maastricht:staff:anna";
  for (const std::string& owner : {TestRegion::Urn("node", "politie"), Hub(), Coordinator()}) {
    Staff(region_.roster())
        .set_signing_key(crypto::note::VerifierKey::Create(urn, region_.KeyOf(owner).public_key())->Encode());
    EXPECT_THAT(std::string(CheckRoster(region_.roster(), *covenant_).message()),
                HasSubstr("somebody else's"))
        << owner;
  }
}

TEST_F(RosterTest, ThirtyOneDaysAndNoMembersAreAllowed) {
  region_.roster().set_issued("2027-01-01T00:00:00Z");
  region_.roster().set_expires("2027-02-01T00:00:00Z");
  region_.roster().clear_members();
  EXPECT_THAT(CheckRoster(region_.roster(), *covenant_), IsOk());
}

TEST_F(RosterTest, OfficerMayBeOperatorToo) {
  Officer(region_.roster()).add_roles(v1::OPERATOR);
  EXPECT_THAT(CheckRoster(region_.roster(), *covenant_), IsOk());
}

TEST_F(RosterTest, OnlyTheSignaturesOfHubAndCoordinatingOfficerCount) {
  EXPECT_THAT(Roster::Verify(SignedByBoth(Text()), *covenant_), IsOk());
  for (const std::string& urn : {TestRegion::Urn("node", "politie"), TestRegion::Urn("staff", "anna")}) {
    EXPECT_THAT(Roster::Verify(SignedBy(Text(), {urn}), *covenant_),
                HasReason(base::reason::kSignatureInvalid))
        << urn;
  }
}

TEST_F(RosterTest, OfficersNeedTheCoordinatingOfficersSignatureOthersDoNot) {
  EXPECT_THAT(Roster::Verify(SignedBy(Text(), {Hub()}), *covenant_),
              HasReason(base::reason::kSignatureInvalid));
  EXPECT_THAT(Roster::Verify(SignedBy(Text(), {Hub(), TestRegion::Urn("officer", "olga")}), *covenant_),
              HasReason(base::reason::kSignatureInvalid))
      << "an officer of the roster is not the coordinating one";
  EXPECT_THAT(Roster::Verify(SignedBy(Text(), {Coordinator()}), *covenant_),
              HasReason(base::reason::kSignatureInvalid));
  region_.roster().mutable_members()->DeleteSubrange(1, 1);
  EXPECT_THAT(Roster::Verify(SignedBy(Text(), {Hub()}), *covenant_), IsOk());
}

TEST_F(RosterTest, WithoutACoordinatingOfficerThereAreNoOfficers) {
  region_.covenant().clear_coordinating_officer_key();
  covenant_ = region_.SignedCovenant();
  region_.roster().set_covenant_id(base::Hex(covenant_->id()));
  EXPECT_THAT(Roster::Verify(SignedByBoth(Text()), *covenant_), HasReason(base::reason::kRosterInvalid));
  region_.roster().mutable_members()->DeleteSubrange(1, 1);
  EXPECT_THAT(Roster::Verify(SignedBy(Text(), {Hub()}), *covenant_), IsOk());
}

TEST_F(RosterTest, NoByteOfTheFileCanBeChanged) {
  const std::string file = File();
  std::mt19937 engine(1);
  for (size_t i = 0; i < file.size(); ++i) {
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ (1 << (engine() % 8)));
    EXPECT_FALSE(Roster::Verify(changed, *covenant_).ok()) << "byte " << i << ", seed 1";
  }
}

TEST_F(RosterTest, OtherCovenantIsCalledThat) {
  region_.roster().set_covenant_id(std::string(64, '0'));
  EXPECT_THAT(Roster::Verify(SignedByBoth(Text()), *covenant_), HasReason(base::reason::kCovenantMismatch));
  EXPECT_THAT(CheckRoster(region_.roster(), *covenant_), HasReason(base::reason::kRosterInvalid));
}

TEST_F(RosterTest, UnknownFieldIsRefused) {
  EXPECT_THAT(Roster::Verify(SignedByBoth(Text() + "surprise: 1\n"), *covenant_),
              HasReason(base::reason::kRosterInvalid));
}

TEST_F(RosterTest, ValidFromItsFirstToBeforeItsLastMoment) {
  region_.roster().set_issued("2027-01-01T00:00:00Z");
  region_.roster().set_expires("2027-02-01T00:00:00Z");
  const auto roster = *Roster::Verify(SignedByBoth(Text()), *covenant_);
  const absl::Time issued = *ParseUtc("2027-01-01T00:00:00Z");
  const absl::Time expires = *ParseUtc("2027-02-01T00:00:00Z");
  EXPECT_THAT(roster->CheckValidAt(issued - absl::Nanoseconds(1)), HasReason(base::reason::kRosterExpired));
  EXPECT_THAT(roster->CheckValidAt(issued), IsOk());
  EXPECT_THAT(roster->CheckValidAt(expires - absl::Nanoseconds(1)), IsOk());
  EXPECT_THAT(roster->CheckValidAt(expires), HasReason(base::reason::kRosterExpired));
}

TEST_F(RosterTest, LookUpsFindWhatIsThereAndNothingElse) {
  region_.roster().add_suspended_partners("jeugdzorg");
  const auto roster = *Roster::Verify(SignedByBoth(Text()), *covenant_);
  const v1::Member* anna = roster->FindMember("urn:raakvlak:maastricht:staff:anna");
  ASSERT_NE(anna, nullptr);
  EXPECT_EQ(roster->FindMember("urn:raakvlak:maastricht:staff:ann"), nullptr);
  EXPECT_TRUE(Roster::HasRole(*anna, v1::STAFF));
  EXPECT_FALSE(Roster::HasRole(*anna, v1::OFFICER));
  EXPECT_TRUE(Roster::HasPurpose(*anna, "risicojeugd"));
  EXPECT_FALSE(Roster::HasPurpose(*anna, "risico"));
  EXPECT_TRUE(roster->KeyOf(*anna) == region_.KeyOf(anna->urn()).public_key());
  EXPECT_TRUE(roster->IsSuspended("jeugdzorg"));
  EXPECT_FALSE(roster->IsSuspended("politie"));
}

}  // namespace
}  // namespace raakvlak::policy
