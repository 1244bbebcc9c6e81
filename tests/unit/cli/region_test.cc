#include "cli/region.h"

#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace raakvlak::cli {
namespace {

using base::testing::HasReason;
using ::testing::HasSubstr;
namespace reason = base::reason;

constexpr char kRegion[] = R"({
  "broker": {"address": "127.0.0.1:7001"},
  "hub": {"address": "127.0.0.1:7002"},
  "nodes": {"politie": {"intake": "127.0.0.1:7003", "peer": "127.0.0.1:7004"}},
  "identities": {"staff": {"cert": "pki/s.pem", "key": "/abs/s.key", "ca": "pki/ca.pem",
                           "urn": "urn:raakvlak:demo:staff:anna", "signing_key": "../keys/s.pem"},
                 "politie": {"cert": "pki/p.pem", "key": "pki/p.key", "ca": "pki/ca.pem"}},
  "covenant": "covenant.note", "roster": "roster.note", "pids": {"broker": 12}})";

TEST(RegionTest, PathsAreRelativeToTheFile) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Region region, ParseRegion(kRegion, "/etc/raakvlak"));
  EXPECT_EQ(region.broker_address, "127.0.0.1:7001");
  EXPECT_EQ(region.hub_address, "127.0.0.1:7002");
  EXPECT_EQ(region.nodes.at("politie").intake, "127.0.0.1:7003");
  EXPECT_EQ(region.nodes.at("politie").peer, "127.0.0.1:7004");
  EXPECT_EQ(region.covenant_path, "/etc/raakvlak/covenant.note");
  EXPECT_EQ(region.roster_path, "/etc/raakvlak/roster.note");
  EXPECT_EQ(region.policy_folder, "/etc/raakvlak/policy");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Region other,
                                ParseRegion(R"({"policy": "../notes"})", "/etc/raakvlak"));
  EXPECT_EQ(other.policy_folder, "/etc/notes");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Identity* staff, FindIdentity(region, "staff"));
  EXPECT_EQ(staff->name, "staff");
  EXPECT_EQ(staff->certificate, "/etc/raakvlak/pki/s.pem");
  EXPECT_EQ(staff->key, "/abs/s.key");
  EXPECT_EQ(staff->signing_key, "/etc/keys/s.pem");
  EXPECT_EQ(staff->urn, "urn:raakvlak:demo:staff:anna");
  EXPECT_EQ(region.identities.at("politie").signing_key, "");
}

TEST(RegionTest, AFileInTheCurrentFolderWorksToo) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Region region, ParseRegion(kRegion, ""));
  EXPECT_EQ(region.covenant_path, "covenant.note");
}

TEST(RegionTest, AnUnknownIdentityNamesThoseThatExist) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Region region, ParseRegion(kRegion, ""));
  const auto missing = FindIdentity(region, "nobody");
  EXPECT_THAT(missing.status(), HasReason(reason::kConfigInvalid));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("politie, staff"));
}

TEST(RegionTest, WhatIsNoRegionIsRefused) {
  for (const char* text :
       {"", "[]", "{", "{\"broker\": \"x\"}", "{\"broker\": {\"address\": 1}}", "{\"nodes\": []}",
        "{\"nodes\": {\"a\": 1}}", "{\"identities\": {\"a\": {}}}", "{\"identities\": {\"a\": 1}}",
        "{\"identities\": {\"a\": {\"cert\": \"c\", \"key\": \"k\"}}}", "{\"covenant\": 1}"}) {
    EXPECT_THAT(ParseRegion(text, "").status(), HasReason(reason::kConfigInvalid)) << text;
  }
}

TEST(RegionTest, AMissingFileIsUnreadable) {
  const base::testing::TemporaryFolder folder;
  EXPECT_THAT(LoadRegion(folder.path() + "/none.json").status(), HasReason(reason::kFileUnreadable));
}

}  // namespace
}  // namespace raakvlak::cli
