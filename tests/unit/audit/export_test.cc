#include "audit/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/audit/records.h"

namespace raakvlak::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Record Opening() {
  LogOfTest log;
  Record record = log.Add(kMondayMs, "urn:raakvlak:maastricht:staff:anna", "open");
  record.details.set_role("staff");
  record.details.set_object("8f2b");
  record.details.set_origin("127.0.0.0/24");
  record.details.set_case_reference("ZVH-1");
  record.details.set_trace_id(std::string(16, '\x01'));
  return record;
}

TEST(ExportTest, CsvRowHasACellForEachColumn) {
  const std::string header = CsvHeader();
  const std::string row = CsvRow(Opening());
  EXPECT_EQ(std::count(header.begin(), header.end(), ','), std::count(row.begin(), row.end(), ','));
  EXPECT_THAT(row, HasSubstr("2026-05-04T00:00:00.000Z"));
  EXPECT_EQ(row.substr(row.size() - 2), "\r\n");
}

TEST(ExportTest, CsvCellsAreQuoted) {
  Record record = Opening();
  record.details.set_reason("overleg, \"spoed\"\nmorgen");
  EXPECT_THAT(CsvRow(record), HasSubstr("\"overleg, \"\"spoed\"\"\nmorgen\""));
}

TEST(ExportTest, WhatASpreadsheetWouldRunIsDefused) {
  for (const char* text : {"=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx"}) {
    Record record = Opening();
    record.details.set_reason(text);
    EXPECT_THAT(CsvRow(record), HasSubstr(std::string("'") + text)) << text;
  }
}

TEST(ExportTest, AllSixOfBioAreInEveryForm) {
  for (const char* name : {"action", "object", "result", "origin", "actor", "time"}) {
    EXPECT_THAT(CsvHeader(), HasSubstr(name));
    EXPECT_TRUE(ToJson(Opening()).contains(name)) << name;
    EXPECT_TRUE(ToLogboek(Opening(), "maastricht")["attributes"].contains(std::string("raakvlak.") + name))
        << name;
  }
}

TEST(ExportTest, LogboekHasTheFieldsOfTheStandardAndNoOthers) {
  const auto line = ToLogboek(Opening(), "maastricht");
  EXPECT_EQ(line["trace_id"], "01010101010101010101010101010101");
  EXPECT_EQ(line["span_id"].get<std::string>().size(), 16u);
  EXPECT_EQ(line["status"], "Ok");
  EXPECT_EQ(line["name"], "open");
  EXPECT_EQ(line["start_time"], kMondayMs);
  EXPECT_EQ(line["end_time"], kMondayMs);
  EXPECT_EQ(line["attributes"]["dpl.core.processing_activity_id"],
            "urn:raakvlak:maastricht:purpose:onaantastbaren");
  for (const auto& [name, value] : line["attributes"].items()) {
    EXPECT_TRUE(name.rfind("raakvlak.", 0) == 0 || name == "dpl.core.processing_activity_id") << name;
  }
}

TEST(ExportTest, LogboekStatusTellsRefusalFromFailure) {
  Record record = Opening();
  record.details.set_result("NOT_ALLOWED");
  EXPECT_EQ(ToLogboek(record, "maastricht")["status"], "Unset");
  record.details.set_result("STORAGE_FAILED");
  EXPECT_EQ(ToLogboek(record, "maastricht")["status"], "Error");
}

TEST(ExportTest, AnEntryKeepsItsTraceAndSpan) {
  Record job = Opening();
  job.details.clear_trace_id();
  Record next = job;
  ++next.index;
  EXPECT_EQ(ToLogboek(job, "maastricht"), ToLogboek(job, "maastricht"));
  EXPECT_NE(ToLogboek(job, "maastricht")["trace_id"], ToLogboek(next, "maastricht")["trace_id"]);
  EXPECT_NE(ToLogboek(job, "maastricht")["span_id"], ToLogboek(next, "maastricht")["span_id"]);
}

TEST(ExportTest, AnErasedEntryStillHasItsPlace) {
  Record record;
  record.log = "urn:raakvlak:maastricht:broker:centrum/2026";
  record.index = 7;
  record.erased = true;
  EXPECT_EQ(ToJson(record)["erased"], true);
  EXPECT_EQ(ToLogboek(record, "maastricht")["name"], "erased");
  EXPECT_THAT(ToLogboek(record, "maastricht")["attributes"].dump(), Not(HasSubstr("dpl.core")));
  EXPECT_EQ(IdOf(record), "2026/7");
}

}  // namespace
}  // namespace raakvlak::audit
