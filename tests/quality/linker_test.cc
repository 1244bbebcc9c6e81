#include "tests/quality/linker.h"

#include <gtest/gtest.h>

namespace raakvlak::quality {
namespace {

Tag TagOf(uint8_t value) {
  Tag tag = {};
  tag[0] = value;
  return tag;
}

// person, source, tag of rule 0, tag of rule 1; 0: the rule does not apply.
Item Of(uint32_t person, uint32_t source, uint8_t first, uint8_t second) {
  Item item{person, source, {}};
  for (const uint8_t value : {first, second}) {
    item.tags.push_back(value == 0 ? std::optional<Tag>() : TagOf(value));
  }
  return item;
}

TEST(LinkerTest, PairsThatOnlyAThirdRecordConnectsCount) {
  const std::vector<Item> items = {Of(1, 0, 7, 0), Of(1, 1, 7, 8), Of(1, 2, 0, 8), Of(2, 3, 9, 0)};
  const Figures figures = Count(items, Link(items, {0, 1}, Pairs::kAll), Pairs::kAll);
  EXPECT_EQ(figures.truth, 3u);
  EXPECT_EQ(figures.found, 3u);
  EXPECT_EQ(figures.right, 3u);
  EXPECT_EQ(figures.recall(), 1);
}

TEST(LinkerTest, AMissingFieldIsNoAgreement) {
  const std::vector<Item> items = {Of(1, 0, 0, 0), Of(1, 1, 0, 0)};
  const Figures figures = Count(items, Link(items, {0, 1}, Pairs::kAll), Pairs::kAll);
  EXPECT_EQ(figures.found, 0u);
  EXPECT_EQ(figures.recall(), 0);
  EXPECT_EQ(figures.precision(), 1);
}

TEST(LinkerTest, AFalseLinkSpoilsAllPairsOfItsSet) {
  // Two people with two records each, joined by one false tag: four false pairs beside two true ones.
  const std::vector<Item> items = {Of(1, 0, 7, 0), Of(1, 1, 7, 5), Of(2, 0, 8, 5), Of(2, 1, 8, 0)};
  const Figures figures = Count(items, Link(items, {0, 1}, Pairs::kAll), Pairs::kAll);
  EXPECT_EQ(figures.found, 6u);
  EXPECT_EQ(figures.right, 2u);
  EXPECT_NEAR(figures.precision(), 1.0 / 3, 1e-9);
}

TEST(LinkerTest, AcrossSourcesAGroupNeedsTwoAndPairsWithinOneDoNotCount) {
  const std::vector<Item> alone = {Of(1, 0, 7, 0), Of(1, 0, 7, 0)};
  EXPECT_EQ(Count(alone, Link(alone, {0}, Pairs::kAcrossSources), Pairs::kAcrossSources).found, 0u);
  const std::vector<Item> both = {Of(1, 0, 7, 0), Of(1, 0, 7, 0), Of(1, 1, 7, 0)};
  const Figures figures = Count(both, Link(both, {0}, Pairs::kAcrossSources), Pairs::kAcrossSources);
  EXPECT_EQ(figures.truth, 2u);
  EXPECT_EQ(figures.right, 2u);
}

TEST(LinkerTest, OnlyTheRulesThatAreUsedLink) {
  const std::vector<Item> items = {Of(1, 0, 7, 8), Of(1, 1, 6, 8)};
  EXPECT_EQ(Count(items, Link(items, {0}, Pairs::kAll), Pairs::kAll).found, 0u);
  EXPECT_EQ(Count(items, Link(items, {1}, Pairs::kAll), Pairs::kAll).found, 1u);
}

TEST(LinkerTest, EqualFieldsOfDifferentRulesAreDifferentTags) {
  linkage::Normalised record;
  record.birth_date = "1980-02-03";
  record.birth_year = "1980";
  record.postcode = "6211AB";
  std::vector<linkage::DefaultRule> rules;
  for (const char* id : {"one", "other"}) {
    auto rule = linkage::DefineRule(id, linkage::kRecipeVersion, linkage::IdentifierClass::kPerson,
                                    linkage::Subject::kPerson, {"birth_date", "postcode"});
    ASSERT_TRUE(rule.ok()) << rule.status();
    rules.push_back({*std::move(rule), linkage::Quality::kStrong});
  }
  const Item item = MakeItem(1, 0, record, rules);
  ASSERT_TRUE(item.tags[0].has_value() && item.tags[1].has_value());
  EXPECT_NE(*item.tags[0], *item.tags[1]);
  record.postcode.clear();
  EXPECT_FALSE(MakeItem(1, 0, record, rules).tags[0].has_value());
}

}  // namespace
}  // namespace raakvlak::quality
