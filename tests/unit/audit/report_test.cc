#include "audit/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/audit/records.h"

namespace raakvlak::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kAnna[] = "urn:raakvlak:maastricht:staff:anna";
constexpr char kBram[] = "urn:raakvlak:maastricht:staff:bram";
constexpr char kCees[] = "urn:raakvlak:maastricht:staff:cees";
constexpr int64_t kWeekMs = 7 * kDayMs;

class ReportTest : public ::testing::Test {
 protected:
  Report OfTheWeek() {
    std::vector<Record> records = log_.records();
    std::stable_sort(records.begin(), records.end(),
                     [](const Record& a, const Record& b) { return a.time_ms < b.time_ms; });
    ReportOptions options;
    options.from_ms = kMondayMs;
    options.until_ms = kMondayMs + kWeekMs;
    return MakeReport(records, options);
  }
  LogOfTest log_;
};

TEST_F(ReportTest, EachActionIsCountedUnderItsPurposePersonCaseAndDay) {
  log_.Add(kMondayMs, kAnna, "list");
  log_.Add(kMondayMs + kDayMs, kAnna, "open").details.set_case_reference("ZVH-1");
  log_.Add(kMondayMs + kDayMs + kHourMs, kBram, "open").details.set_case_reference("ZVH-1");
  log_.Add(kMondayMs + kDayMs, "urn:raakvlak:maastricht:node:politie", "submit");
  const Report report = OfTheWeek();
  EXPECT_EQ(report.entries, 4u);
  EXPECT_EQ(report.total, (Counts{.lists = 1, .opens = 2}));
  ASSERT_THAT(report.purposes, SizeIs(1));
  EXPECT_EQ(report.purposes[0].persons, 2u);
  ASSERT_THAT(report.persons, SizeIs(2));
  EXPECT_EQ(report.persons[0].actor, kAnna);
  EXPECT_EQ(report.persons[0].counts, (Counts{.lists = 1, .opens = 1}));
  ASSERT_THAT(report.cases, SizeIs(1));
  EXPECT_EQ(report.cases[0].counts.opens, 2u);
  EXPECT_EQ(report.cases[0].last_ms - report.cases[0].first_ms, kHourMs);
  ASSERT_THAT(report.days, SizeIs(7));
  EXPECT_EQ(report.days[1].counts.opens, 2u);
  EXPECT_EQ(report.days[2].counts, Counts());
}

TEST_F(ReportTest, WhatLiesOutsideThePeriodIsNotCounted) {
  log_.Add(kMondayMs - 1, kAnna, "open");
  log_.Add(kMondayMs, kAnna, "open");
  log_.Add(kMondayMs + kWeekMs - 1, kAnna, "open");
  log_.Add(kMondayMs + kWeekMs, kAnna, "open");
  EXPECT_EQ(OfTheWeek().total.opens, 2u);
}

TEST_F(ReportTest, RefusalsCountWhatTheyStandForAndNothingElse) {
  Record& flood = log_.Add(kMondayMs, "10.0.0.0/24", "refuse");
  flood.details.set_role("");
  flood.details.set_result("UNAUTHENTICATED");
  flood.details.set_object("/raakvlak.v1.Matches/Open");
  flood.details.set_count(1000);
  // The hub names a refused opening by its action.
  log_.Add(kMondayMs + 1, kAnna, "open").details.set_result("NOT_ALLOWED");
  const Report report = OfTheWeek();
  EXPECT_EQ(report.total, (Counts{.refusals = 1001}));
  ASSERT_THAT(report.refusals, SizeIs(2));
  EXPECT_EQ(report.refusals[0].count, 1000u);
  EXPECT_EQ(report.refusals[0].code, "UNAUTHENTICATED");
  EXPECT_EQ(report.refusals[1].actor, kAnna);
}

TEST_F(ReportTest, ErasedEntriesAreCountedAsSuchOnly) {
  Record& gone = log_.Add(kMondayMs, kAnna, "open");
  gone.erased = true;
  gone.details.Clear();
  const Report report = OfTheWeek();
  EXPECT_EQ(report.entries, 1u);
  EXPECT_EQ(report.erased, 1u);
  EXPECT_THAT(report.persons, IsEmpty());
}

TEST_F(ReportTest, SomebodyWhoOpensFarMoreThanBeforeStandsOut) {
  for (int week = 1; week <= 4; ++week) log_.AddMany(kMondayMs - week * kWeekMs, kAnna, "open", 3);
  log_.AddMany(kMondayMs, kAnna, "open", 20);
  const Report report = OfTheWeek();
  ASSERT_THAT(report.unusual, SizeIs(1));
  const UnusualRow& row = report.unusual[0];
  EXPECT_TRUE(row.against_own);
  EXPECT_FALSE(row.against_peers);
  EXPECT_EQ(row.periods, 4);
  EXPECT_DOUBLE_EQ(row.own_mean, 3);
  EXPECT_EQ(row.own_highest, 3u);
  EXPECT_THAT(Explain(row), HasSubstr("20 times open in this period; in the 4 periods before it was 3.0"));
}

TEST_F(ReportTest, SomebodyWhoDoesWhatTheyAlwaysDidDoesNot) {
  for (int week = 0; week <= 4; ++week) log_.AddMany(kMondayMs - week * kWeekMs, kAnna, "open", 20);
  EXPECT_THAT(OfTheWeek().unusual, IsEmpty());
}

TEST_F(ReportTest, SomebodyWhoOpensFarMoreThanColleaguesStandsOut) {
  log_.AddMany(kMondayMs, kAnna, "open", 20);
  log_.AddMany(kMondayMs, kBram, "open", 3);
  log_.AddMany(kMondayMs, kCees, "open", 5);
  const Report report = OfTheWeek();
  ASSERT_THAT(report.unusual, SizeIs(1));
  EXPECT_EQ(report.unusual[0].actor, kAnna);
  EXPECT_TRUE(report.unusual[0].against_peers);
  EXPECT_DOUBLE_EQ(report.unusual[0].peer_median, 4);
}

TEST_F(ReportTest, ColleaguesAreThoseInTheSameRole) {
  log_.AddMany(kMondayMs, kAnna, "open", 20);
  for (const char* officer : {"urn:raakvlak:maastricht:officer:o", "urn:raakvlak:maastricht:officer:p"}) {
    log_.Add(kMondayMs, officer, "audit_read").details.set_role("officer");
  }
  EXPECT_THAT(OfTheWeek().unusual, IsEmpty());
}

TEST_F(ReportTest, AYoungLogHasNoPastToCompareWith) {
  log_.Add(kMondayMs - kDayMs, kAnna, "list");
  log_.AddMany(kMondayMs, kAnna, "open", 20);
  EXPECT_THAT(OfTheWeek().unusual, IsEmpty());
}

TEST_F(ReportTest, OpeningsThatNobodyFollowedUpAreListed) {
  for (const char* name : {"ZVH-1", "ZVH-2", "ZVH-3"}) {
    Record& opening = log_.Add(kMondayMs, kAnna, "open");
    opening.details.set_case_reference(name);
    opening.details.set_object(std::string("match of ") + name);
  }
  log_.Add(kMondayMs + kDayMs, kBram, "list").details.set_case_reference("ZVH-1");
  log_.Add(kMondayMs + 13 * kDayMs, kBram, "open").details.set_object("match of ZVH-2");
  log_.Add(kMondayMs + 15 * kDayMs, kBram, "open").details.set_case_reference("ZVH-3");
  const Report report = OfTheWeek();
  EXPECT_THAT(report.without_follow_up, ElementsAre(Field(&OpeningRow::case_reference, "ZVH-3")));
}

TEST_F(ReportTest, AnOpeningWhoseTermStillRunsIsNotListed) {
  log_.Add(kMondayMs, kAnna, "open").details.set_case_reference("ZVH-1");
  log_.Add(kMondayMs + 3 * kDayMs, kBram, "list");
  EXPECT_THAT(OfTheWeek().without_follow_up, IsEmpty());
}

TEST_F(ReportTest, ARefusedAttemptIsNoFollowUp) {
  log_.Add(kMondayMs, kAnna, "open").details.set_case_reference("ZVH-1");
  Record& refused = log_.Add(kMondayMs + kDayMs, kBram, "open");
  refused.details.set_case_reference("ZVH-1");
  refused.details.set_result("NOT_ALLOWED");
  log_.Add(kMondayMs + 15 * kDayMs, kBram, "list");
  EXPECT_THAT(OfTheWeek().without_follow_up, SizeIs(1));
}

TEST(PoissonTailTest, EqualsTheSumOfItsTerms) {
  // 1 - e^-2 (1 + 2 + 2)
  EXPECT_NEAR(PoissonTail(3, 2), 1 - 5 * std::exp(-2.0), 1e-12);
  EXPECT_DOUBLE_EQ(PoissonTail(0, 2), 1);
  EXPECT_NEAR(PoissonTail(1, 0.5), 1 - std::exp(-0.5), 1e-12);
  EXPECT_GT(PoissonTail(1000, 1000), 0.4);
  EXPECT_LT(PoissonTail(1200, 1000), 1e-8);
}

}  // namespace
}  // namespace raakvlak::audit
