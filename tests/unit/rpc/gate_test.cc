#include "rpc/gate.h"

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/support/region.h"

namespace raakvlak::rpc {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;

constexpr Role kAllRoles[] = {Role::kBroker, Role::kNode,    Role::kHub,     Role::kIt,
                              Role::kStaff,  Role::kOfficer, Role::kOperator};

std::string MethodOf(Role role) { return "/raakvlak.v1.Test/For" + std::string(RoleName(role)); }

class GateTest : public ::testing::Test {
 protected:
  static std::vector<MethodRule> Table() {
    std::vector<MethodRule> table;
    for (const Role role : kAllRoles) table.push_back({MethodOf(role), {role}, ""});
    table.push_back({"/raakvlak.v1.Test/Own", {Role::kIt}, "politie"});
    table.push_back({"/raakvlak.v1.Test/Nobody", {}, ""});
    table.push_back({"/raakvlak.v1.Test/Both", {Role::kNode, Role::kHub}, ""});
    return table;
  }
  static std::string MemberOf(Role role) {
    switch (role) {
      case Role::kBroker:
        return TestRegion::Urn("broker", "centre");
      case Role::kNode:
        return TestRegion::Urn("node", "politie");
      case Role::kHub:
        return TestRegion::Urn("hub", "veiligheidshuis");
      case Role::kIt:
        return TestRegion::Urn("it", "politie");
      case Role::kStaff:
        return TestRegion::Urn("staff", "anna");
      case Role::kOfficer:
        return TestRegion::Urn("officer", "olga");
      case Role::kOperator:
        return TestRegion::Urn("operator", "piet");
    }
    return "";
  }
  absl::StatusOr<Gate::Pass> Check(const std::string& urn, const std::string& method) {
    return gate_.Check({urn}, method);
  }

  TestRegion region_;
  Gate gate_{region_.authority(), Table()};
};

TEST_F(GateTest, EveryRolePassesItsOwnRowAndNoOther) {
  for (const Role caller : kAllRoles) {
    for (const Role row : kAllRoles) {
      const auto pass = Check(MemberOf(caller), MethodOf(row));
      if (caller != row) {
        EXPECT_THAT(pass, HasReason(base::reason::kNotAllowed))
            << RoleName(caller) << " on " << MethodOf(row);
        continue;
      }
      ASSERT_THAT(pass, IsOk()) << RoleName(caller);
      EXPECT_EQ(pass->caller.urn, MemberOf(caller));
      EXPECT_EQ(pass->snapshot.covenant->region(), "maastricht");
      EXPECT_EQ(pass->snapshot.Name(), "c1/r1");
    }
  }
}

TEST_F(GateTest, RowWithTwoRolesTakesBoth) {
  EXPECT_THAT(Check(MemberOf(Role::kNode), "/raakvlak.v1.Test/Both"), IsOk());
  EXPECT_THAT(Check(MemberOf(Role::kHub), "/raakvlak.v1.Test/Both"), IsOk());
  EXPECT_THAT(Check(MemberOf(Role::kStaff), "/raakvlak.v1.Test/Both"), HasReason(base::reason::kNotAllowed));
}

TEST_F(GateTest, MethodWithoutRowOrRolesIsRefusedToEveryone) {
  for (const Role role : kAllRoles) {
    for (const char* method :
         {"/raakvlak.v1.Test/Unknown", "", "/raakvlak.v1.Test/Nobody", "/raakvlak.v1.Test/for"}) {
      EXPECT_THAT(Check(MemberOf(role), method), HasReason(base::reason::kNotAllowed))
          << RoleName(role) << method;
    }
  }
}

TEST_F(GateTest, OnlyTheNamedPartnerPassesAnOwnRow) {
  EXPECT_THAT(Check(TestRegion::Urn("it", "politie"), "/raakvlak.v1.Test/Own"), IsOk());
  EXPECT_THAT(Check(TestRegion::Urn("it", "gemeente"), "/raakvlak.v1.Test/Own"),
              HasReason(base::reason::kNotAllowed));
  EXPECT_THAT(Check(TestRegion::Urn("node", "politie"), "/raakvlak.v1.Test/Own"),
              HasReason(base::reason::kNotAllowed));
}

TEST_F(GateTest, CallerOfAnotherRegionIsRefused) {
  EXPECT_THAT(Check("urn:raakvlak:almere:node:politie", MethodOf(Role::kNode)),
              HasReason(base::reason::kNotAllowed));
}

TEST_F(GateTest, UnknownMembersAreRefused) {
  for (const Role role : kAllRoles) {
    EXPECT_THAT(Check(TestRegion::Urn(std::string(RoleName(role)), "stranger"), MethodOf(role)),
                HasReason(base::reason::kNotAllowed))
        << RoleName(role);
  }
}

TEST_F(GateTest, MemberInAnotherRoleThanTheRosterSaysIsRefused) {
  EXPECT_THAT(Check(TestRegion::Urn("officer", "anna"), MethodOf(Role::kOfficer)),
              HasReason(base::reason::kNotAllowed));
  EXPECT_THAT(Check(TestRegion::Urn("staff", "piet"), MethodOf(Role::kStaff)),
              HasReason(base::reason::kNotAllowed));
}

TEST_F(GateTest, SuspensionWorksOnTheNextCallForNodeAndIt) {
  ASSERT_THAT(Check(MemberOf(Role::kNode), MethodOf(Role::kNode)), IsOk());
  region_.Suspend("politie");
  EXPECT_THAT(Check(MemberOf(Role::kNode), MethodOf(Role::kNode)),
              HasReason(base::reason::kPartnerSuspended));
  EXPECT_THAT(Check(MemberOf(Role::kIt), MethodOf(Role::kIt)), HasReason(base::reason::kPartnerSuspended));
  EXPECT_THAT(Check(TestRegion::Urn("node", "gemeente"), MethodOf(Role::kNode)), IsOk());
}

TEST_F(GateTest, OperatorWithAPartnersIdIsThatPartnersOwn) {
  const std::string own = "/raakvlak.v1.Test/OwnOperator";
  const Gate gate(region_.authority(), {{own, {Role::kOperator}, "politie"}});
  EXPECT_THAT(gate.Check({TestRegion::Urn("operator", "politie")}, own), IsOk());
  EXPECT_THAT(gate.Check({TestRegion::Urn("operator", "gemeente")}, own),
              HasReason(base::reason::kNotAllowed));
  EXPECT_THAT(gate.Check({TestRegion::Urn("operator", "piet")}, own), HasReason(base::reason::kNotAllowed));
  EXPECT_THAT(Check(TestRegion::Urn("operator", "brandweer"), MethodOf(Role::kOperator)),
              HasReason(base::reason::kNotAllowed));
  EXPECT_THAT(Check(TestRegion::Urn("operator", "politie"), MethodOf(Role::kIt)),
              HasReason(base::reason::kNotAllowed));
}

TEST_F(GateTest, OperatorOfASuspendedPartnerIsRefusedWhateverTheRosterSaysOfIt) {
  v1::Member& member = *region_.roster().add_members();
  member = region_.roster().members(2);
  member.set_id("politie");
  member.set_urn(TestRegion::Urn("operator", "politie"));
  member.set_signing_key(
      crypto::note::VerifierKey::Create(member.urn(), region_.KeyOf(member.urn()).public_key())->Encode());
  region_.Suspend("politie");
  EXPECT_THAT(Check(TestRegion::Urn("operator", "politie"), MethodOf(Role::kOperator)),
              HasReason(base::reason::kPartnerSuspended));
  EXPECT_THAT(Check(TestRegion::Urn("operator", "gemeente"), MethodOf(Role::kOperator)), IsOk());
}

TEST_F(GateTest, MemberTakenFromTheRosterIsRefusedOnTheNextCall) {
  ASSERT_THAT(Check(MemberOf(Role::kStaff), MethodOf(Role::kStaff)), IsOk());
  region_.roster().mutable_members()->DeleteSubrange(0, 1);
  region_.roster().set_number(2);
  region_.Write();
  EXPECT_THAT(Check(MemberOf(Role::kStaff), MethodOf(Role::kStaff)), HasReason(base::reason::kNotAllowed));
}

TEST_F(GateTest, ExpiredRosterAndCovenantRefuseEveryone) {
  region_.clock().Advance(absl::Hours(24 * 30));
  EXPECT_THAT(Check(MemberOf(Role::kNode), MethodOf(Role::kNode)), HasReason(base::reason::kRosterExpired));
  region_.clock().Advance(absl::Hours(24 * 200));
  EXPECT_THAT(Check(MemberOf(Role::kNode), MethodOf(Role::kNode)), HasReason(base::reason::kCovenantExpired));
}

TEST_F(GateTest, NoneOrTwoUriNamesAreUnauthenticated) {
  EXPECT_THAT(gate_.Check({}, MethodOf(Role::kNode)), HasReason(base::reason::kUnauthenticated));
  EXPECT_THAT(gate_.Check({MemberOf(Role::kNode), MemberOf(Role::kHub)}, MethodOf(Role::kNode)),
              HasReason(base::reason::kUnauthenticated));
  EXPECT_THAT(gate_.Check({"https://example.org"}, MethodOf(Role::kNode)),
              HasReason(base::reason::kUnauthenticated));
}

TEST(GateDeathTest, TwoRowsForOneMethodAreABrokenTable) {
  TestRegion region;
  EXPECT_DEATH(Gate(region.authority(), {{"/a", {Role::kNode}, ""}, {"/a", {Role::kHub}, ""}}),
               "one row per method");
}

TEST_F(GateTest, MembersAreKnownWhateverTheyMayDo) {
  for (const Role role : kAllRoles) EXPECT_TRUE(gate_.Knows({MemberOf(role)})) << RoleName(role);
  region_.Suspend("politie");
  EXPECT_TRUE(gate_.Knows({MemberOf(Role::kNode)}));
}

TEST_F(GateTest, StrangersAreNotKnown) {
  const std::vector<std::vector<std::string>> strangers = {
      {},
      {"spiffe://maastricht/node/politie"},
      {MemberOf(Role::kNode), MemberOf(Role::kHub)},
      {"urn:raakvlak:almere:node:politie"},
      {TestRegion::Urn("node", "brandweer")},
      {TestRegion::Urn("broker", "other")},
      {TestRegion::Urn("officer", "anna")},
  };
  for (const std::vector<std::string>& names : strangers) {
    EXPECT_FALSE(gate_.Knows(names)) << (names.empty() ? "no name" : names[0]);
  }
}

TEST_F(GateTest, NobodyIsKnownWhileNothingIsInForce) {
  region_.clock().Advance(absl::Hours(24 * 40));
  for (const Role role : kAllRoles) EXPECT_FALSE(gate_.Knows({MemberOf(role)})) << RoleName(role);
}

}  // namespace
}  // namespace raakvlak::rpc
