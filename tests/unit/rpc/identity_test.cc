#include "rpc/identity.h"

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::rpc {
namespace {

using base::testing::HasReason;

TEST(IdentityTest, EveryRoleParses) {
  for (const Role role :
       {Role::kBroker, Role::kNode, Role::kHub, Role::kIt, Role::kStaff, Role::kOfficer, Role::kOperator}) {
    const std::string urn = "urn:raakvlak:maastricht:" + std::string(RoleName(role)) + ":a-1";
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Caller caller, ParseUrn(urn));
    EXPECT_EQ(caller.urn, urn);
    EXPECT_EQ(caller.region, "maastricht");
    EXPECT_EQ(caller.role, role);
    EXPECT_EQ(caller.id, "a-1");
  }
}

TEST(IdentityTest, NameOfSixtyFourCharactersIsTaken) {
  EXPECT_TRUE(ParseUrn("urn:raakvlak:r:node:" + std::string(64, 'a')).ok());
}

TEST(IdentityTest, AnythingElseIsUnauthenticated) {
  const std::string others[] = {
      "",
      "politie",
      "urn:raakvlak:maastricht:node",
      "urn:raakvlak:maastricht:node:",
      "urn:raakvlak::node:politie",
      "urn:raakvlak:maastricht:node:politie:",
      "urn:raakvlak:maastricht:node:politie:x",
      "urn:raakvlak:maastricht:admin:politie",
      "urn:raakvlak:maastricht:Node:politie",
      "urn:raakvlak:maastricht::politie",
      "URN:raakvlak:maastricht:node:politie",
      "urn:Raakvlak:maastricht:node:politie",
      "urn:other:maastricht:node:politie",
      "urn:raakvlak:maastricht:node:Politie",
      "urn:raakvlak:maastricht:node:pol_itie",
      "urn:raakvlak:maastricht:node:poli tie",
      "urn:raakvlak:maastricht:node:politi\xC3\xAB",
      " urn:raakvlak:maastricht:node:politie",
      "urn:raakvlak:maastricht:node:politie\n",
      std::string("urn:raakvlak:maastricht:node:politie\0", 37),
      std::string("urn:raakvlak:maastricht:node:a\0b", 32),
      "urn:raakvlak:maastricht:node:" + std::string(65, 'a'),
      "urn:raakvlak:" + std::string(65, 'a') + ":node:politie",
      "spiffe://maastricht/node/politie",
  };
  for (const std::string& urn : others) {
    EXPECT_THAT(ParseUrn(urn), HasReason(base::reason::kUnauthenticated)) << urn;
  }
}

TEST(IdentityTest, CertificateWithOneUriNameParses) {
  EXPECT_TRUE(ParseNames({"urn:raakvlak:maastricht:node:politie"}).ok());
}

TEST(IdentityTest, CertificateWithNoneOrTwoUriNamesIsUnauthenticated) {
  EXPECT_THAT(ParseNames({}), HasReason(base::reason::kUnauthenticated));
  const std::string urn = "urn:raakvlak:maastricht:node:politie";
  EXPECT_THAT(ParseNames({urn, "urn:raakvlak:maastricht:hub:a"}), HasReason(base::reason::kUnauthenticated));
  EXPECT_THAT(ParseNames({urn, urn}), HasReason(base::reason::kUnauthenticated));
}

TEST(IdentityTest, AddressIsShortenedToItsNetwork) {
  const std::pair<const char*, const char*> cases[] = {
      {"ipv4:192.0.2.7:4711", "192.0.2.0/24"},
      {"ipv4:255.255.255.255:65535", "255.255.255.0/24"},
      {"ipv6:%5B2001:db8:1234:5678::9%5D:4711", "2001:db8:1234::/48"},
      {"ipv6:[2001:db8:1234:ffff:ffff:ffff:ffff:ffff]:4711", "2001:db8:1234::/48"},
      {"ipv6:%5Bfe80::1%25eth0%5D:4711", "fe80::/48"},
      {"ipv6:[::1]:1", "::/48"},
  };
  for (const auto& [peer, network] : cases) EXPECT_EQ(NetworkOf(peer), network) << peer;
}

TEST(IdentityTest, WhatIsNoAddressStaysUnknown) {
  for (const char* peer : {"", "ipv4:", "ipv4:192.0.2.7", "ipv4:192.0.2:4711", "ipv4:name:1", "ipv6:[::x]:1",
                           "unix:/run/raakvlak/socket", "192.0.2.7:4711", "dns:host:1"}) {
    EXPECT_EQ(NetworkOf(peer), "unknown address") << peer;
  }
}

}  // namespace
}  // namespace raakvlak::rpc
