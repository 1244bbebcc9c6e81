#include "policy/excluded_addresses.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "base/file.h"
#include "base/testing/status_matchers.h"
#include "crypto/note/note.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;

constexpr char kText[] =
    "raakvlak/v1/excluded-addresses\n"
    "region maastricht\n"
    "number 3\n"
    "issued 2026-01-15T08:00:00Z\n"
    "address 6211AB 12\n"
    "address 6211AB 2\n";

class ExcludedAddressesTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Covenant> Written() {
    region_.Write();
    return *Covenant::Verify(*base::ReadFile(region_.covenant_path()));
  }
  std::string Signed(const std::string& text, const std::string& urn) {
    crypto::note::Note note{text, {}};
    const auto& key = region_.KeyOf(urn);
    crypto::note::Sign(note, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
    return crypto::note::Format(note);
  }
  std::string SignedByHub(const std::string& text) { return Signed(text, region_.covenant().hub().urn()); }

  TestRegion region_;
};

TEST_F(ExcludedAddressesTest, ParsingIsTheInverseOfFormatting) {
  const auto parsed = ParseExcludedAddresses(kText);
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->region, "maastricht");
  EXPECT_EQ(parsed->number, 3u);
  EXPECT_EQ(parsed->addresses, (std::set<std::string>{"6211AB 12", "6211AB 2"}));
  EXPECT_EQ(FormatExcludedAddresses(*parsed), kText);
}

TEST_F(ExcludedAddressesTest, WhateverIsNotInItsNormalFormIsRefused) {
  const std::pair<const char*, const char*> spoils[] = {
      {"excluded-addresses", "excluded"},
      {"region maastricht", "region Maastricht"},
      {"number 3", "number 0"},
      {"number 3", "number 03"},
      {"issued 2026-01-15T08:00:00Z", "issued 2026-01-15"},
      {"address 6211AB 2\n", "address 6211AB 12\n"},
      {"address 6211AB 12", "address 6211AB 3"},
      {"address 6211AB 12", "address 6211AB 012"},
      {"address 6211AB 12", "address 6211ab 12"},
      {"address 6211AB 12", "address 0211AB 12"},
      {"address 6211AB 12", "address 6211AB 12 A"},
      {"address 6211AB 12", "address 6211AB"},
      {"address 6211AB 12", "address 6211AB 100000"},
      {"address 6211AB 2\n", "address 6211AB 2"},
      {"address 6211AB 2\n", "address 6211AB 2\n\n"},
      {"address 6211AB 12", "addresses 6211AB 12"},
  };
  for (const auto& [from, to] : spoils) {
    const std::string text = absl::StrReplaceAll(kText, {{from, to}});
    ASSERT_NE(text, kText) << to;
    EXPECT_THAT(ParseExcludedAddresses(text), HasReason("EXCLUDED_LIST_INVALID")) << text;
  }
  EXPECT_THAT(ParseExcludedAddresses(""), HasReason("EXCLUDED_LIST_INVALID"));
}

TEST_F(ExcludedAddressesTest, OnlyTheHubOfTheRegionSigns) {
  const auto covenant = Written();
  EXPECT_THAT(ExcludedAddresses::Verify(SignedByHub(kText), *covenant), IsOk());
  EXPECT_THAT(ExcludedAddresses::Verify(kText, *covenant), HasReason("EXCLUDED_LIST_INVALID"));
  EXPECT_THAT(ExcludedAddresses::Verify(Signed(kText, TestRegion::Urn("node", "politie")), *covenant),
              HasReason("SIGNATURE_INVALID"));
  const std::string changed = absl::StrReplaceAll(SignedByHub(kText), {{"6211AB 2\n", "6211AB 3\n"}});
  EXPECT_THAT(ExcludedAddresses::Verify(changed, *covenant), HasReason("SIGNATURE_INVALID"));
  const std::string other = absl::StrReplaceAll(kText, {{"maastricht", "almere"}});
  EXPECT_THAT(ExcludedAddresses::Verify(SignedByHub(other), *covenant), HasReason("EXCLUDED_LIST_INVALID"));
}

TEST_F(ExcludedAddressesTest, AHouseNumberStandsForAllItsLetters) {
  const auto list = *ExcludedAddresses::Verify(SignedByHub(kText), *Written());
  EXPECT_TRUE(list->Contains("6211AB", "12"));
  EXPECT_FALSE(list->Contains("6211AB", "1"));
  EXPECT_FALSE(list->Contains("6211AC", "12"));
  EXPECT_FALSE(list->Contains("6211AB", ""));
}

TEST_F(ExcludedAddressesTest, AListIsGoodForAsLongAsTheCovenantSays) {
  for (const uint32_t days : {0u, 7u}) {
    region_.covenant().set_excluded_addresses_max_age_days(days);
    const auto covenant = Written();
    const auto list = *ExcludedAddresses::Verify(SignedByHub(kText), *covenant);
    const absl::Time issued = list->text().issued;
    const absl::Duration good = absl::Hours(24 * (days == 0 ? 31 : days));
    EXPECT_THAT(list->CheckFresh(*covenant, issued), IsOk());
    EXPECT_THAT(list->CheckFresh(*covenant, issued + good - absl::Seconds(1)), IsOk());
    EXPECT_THAT(list->CheckFresh(*covenant, issued + good), HasReason("EXCLUDED_LIST_STALE"));
    EXPECT_THAT(list->CheckFresh(*covenant, issued - absl::Hours(24)), IsOk()) << "a clock that is behind";
    EXPECT_THAT(list->CheckFresh(*covenant, issued - absl::Hours(25)), HasReason("EXCLUDED_LIST_STALE"));
  }
}

TEST_F(ExcludedAddressesTest, AListIsNeededWhereAnAddressIsARule) {
  EXPECT_TRUE(HasAddressRules(*Written()));
  region_.covenant().mutable_purposes()->RemoveLast();
  region_.covenant().mutable_hub()->mutable_seal_keys()->RemoveLast();
  EXPECT_FALSE(HasAddressRules(*Written()));
}

}  // namespace
}  // namespace raakvlak::policy
