#include "cli/row_reader.h"

#include <algorithm>
#include <random>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "cli/csv_reader.h"
#include "gtest/gtest.h"

namespace raakvlak::cli {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using std::string_literals::operator""s;
namespace reason = base::reason;

constexpr char kRowsHeader[] = "client_ref,purpose,kind,category,bsn\n";

struct Read {
  absl::Status status;
  std::vector<Row> rows;
};

Read ReadText(const std::string& text, Format format = Format::kCsv) {
  std::istringstream in(text);
  auto reader = MakeRowReader(in, format);
  Read read{reader.status(), {}};
  if (!reader.ok()) return read;
  Row row;
  while ((*reader)->Next(row)) read.rows.push_back(row);
  return read;
}

TEST(CsvRowsTest, ColumnsMayStandInAnyOrder) {
  std::vector<std::string> columns;
  for (const absl::string_view column : Columns()) columns.emplace_back(column);
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(columns.begin(), columns.end(), random);
    std::vector<std::string> values;
    for (const std::string& column : columns) values.push_back(absl::StrCat("<", column, ">"));
    const Read read =
        ReadText(absl::StrCat(absl::StrJoin(columns, ","), "\n", absl::StrJoin(values, ","), "\n"));
    ASSERT_THAT(read.status, IsOk());
    ASSERT_EQ(read.rows.size(), 1u);
    const v1::Record& record = read.rows[0].record;
    EXPECT_EQ(record.client_ref(), "<client_ref>");
    EXPECT_EQ(record.purpose(), "<purpose>");
    EXPECT_EQ(record.kind(), "<kind>");
    EXPECT_EQ(record.category(), "<category>");
    EXPECT_EQ(record.bsn(), "<bsn>");
    EXPECT_EQ(record.surname(), "<surname>");
    EXPECT_EQ(record.surname_prefix(), "<surname_prefix>");
    EXPECT_EQ(record.given_names(), "<given_names>");
    EXPECT_EQ(record.birth_date(), "<birth_date>");
    EXPECT_EQ(record.postcode(), "<postcode>");
    EXPECT_EQ(record.house_number(), "<house_number>");
    EXPECT_EQ(record.house_letter(), "<house_letter>");
    EXPECT_EQ(record.house_suffix(), "<house_suffix>");
    EXPECT_EQ(record.contact(), "<contact>");
    EXPECT_EQ(record.note(), "<note>");
  }
}

TEST(CsvRowsTest, EveryFieldOfTheRecordHasAColumn) {
  EXPECT_EQ(static_cast<int>(Columns().size()), v1::Record::descriptor()->field_count());
  for (int i = 0; i < v1::Record::descriptor()->field_count(); ++i) {
    EXPECT_EQ(v1::Record::descriptor()->field(i)->name(), std::string(Columns()[static_cast<size_t>(i)]));
  }
}

TEST(CsvRowsTest, HeaderThatIsNotRightIsRefused) {
  for (const std::string& text : {
           ""s, "\n\n"s,
           "client_ref,purpose,kind\nx\n"s,                  // category is missing
           "purpose,kind,category\n"s,                       // client_ref is missing
           "client_ref,purpose,kind,category,colour\n"s,     // unknown
           "client_ref,purpose,kind,category,Bsn\n"s,        // names are exact
           "client_ref,purpose,kind,category, bsn\n"s,       //
           "client_ref,purpose,kind,category,\n"s,           // empty name
           "client_ref,purpose,kind,category,bsn,bsn\n"s,    // twice
           "client_ref;purpose;kind;category;bsn\n"s,        //
           "\"client_ref,purpose,kind,category\n"s,          // unterminated
           "\xFF\xFE"s + "c\0l\0"s,                          // UTF-16
           "A-1,onaantastbaren,signal,geweld,999993847\n"s,  // no header
       }) {
    EXPECT_THAT(ReadText(text).status, HasReason(reason::kHeaderInvalid)) << text;
  }
}

TEST(CsvRowsTest, HeaderErrorsHoldNothingOfTheFile) {
  const absl::Status status = ReadText("A-1,onaantastbaren,signal,geweld,999993847\n").status;
  EXPECT_EQ(std::string(status.message()).find("999993847"), std::string::npos);
  EXPECT_EQ(std::string(status.message()).find("A-1"), std::string::npos);
  EXPECT_NE(std::string(ReadText("client_ref;purpose\n").status.message()).find("';'"), std::string::npos);
}

TEST(CsvRowsTest, WrongNumberOfFieldsIsMalformedAndTheOthersAreRead) {
  const Read read =
      ReadText(absl::StrCat(kRowsHeader, "a,p,signal,c,1\nb,p,signal,c\nc,p,signal,c,1,2\nd,p,signal,c,\n"));
  ASSERT_EQ(read.rows.size(), 4u);
  EXPECT_EQ(read.rows[0].reason, "");
  EXPECT_EQ(read.rows[0].line, 2u);
  EXPECT_EQ(read.rows[1].reason, reason::kRowMalformed);
  EXPECT_EQ(read.rows[1].line, 3u);
  EXPECT_EQ(read.rows[2].reason, reason::kRowMalformed);
  EXPECT_EQ(read.rows[3].reason, "");
  EXPECT_EQ(read.rows[3].line, 5u);
  EXPECT_EQ(read.rows[3].record.client_ref(), "d");
}

TEST(CsvRowsTest, BytesThatAreNotUtf8NameTheirColumn) {
  const Read read =
      ReadText(absl::StrCat(kRowsHeader, "a,p,signal,c,\xff\nb,p,signal,\xc3,1\nc,p,signal,\xc3\xa9,1\n"));
  ASSERT_EQ(read.rows.size(), 3u);
  EXPECT_EQ(read.rows[0].reason, reason::kNotUtf8);
  EXPECT_EQ(read.rows[0].column, "bsn");
  EXPECT_EQ(read.rows[1].column, "category");
  EXPECT_EQ(read.rows[2].reason, "");
  EXPECT_EQ(read.rows[2].record.category(), "é");
}

TEST(CsvRowsTest, ARejectedRowHoldsNoDataAndLeavesNoneBehind) {
  const Read read = ReadText(
      absl::StrCat(kRowsHeader, "a,p,signal,c,999993847\nb,p,signal\nc,p,signal,\xff,1\nd,p,signal,c,\n"));
  ASSERT_EQ(read.rows.size(), 4u);
  EXPECT_EQ(read.rows[1].record.ByteSizeLong(), 0u);
  EXPECT_EQ(read.rows[2].record.ByteSizeLong(), 0u);
  EXPECT_EQ(read.rows[3].record.bsn(), "");
  EXPECT_EQ(read.rows[3].column, "");
}

TEST(CsvRowsTest, LinesAreThoseWhereRowsStart) {
  const Read read = ReadText(
      "\xEF\xBB\xBF"
      "client_ref,purpose,kind,category,note\r\n"
      "a,p,signal,c,\"one\r\ntwo\r\n\"\r\n"
      "\r\n"
      "b,p,signal,c,x\r\n");
  ASSERT_THAT(read.status, IsOk());
  ASSERT_EQ(read.rows.size(), 2u);
  EXPECT_EQ(read.rows[0].line, 2u);
  EXPECT_EQ(read.rows[0].record.note(), "one\r\ntwo\r\n");
  EXPECT_EQ(read.rows[1].line, 6u);
}

TEST(JsonLinesTest, ObjectsBecomeRecords) {
  const Read read = ReadText(
      "\xEF\xBB\xBF{\"client_ref\":\"a\",\"purpose\":\"p\",\"surname\":\"K\\u00e4ster\",\"note\":\"x\\ny\","
      "\"bsn\":null}\r\n"
      "\n  \r\n"
      "{ \"note\" : \"\" , \"client_ref\" : \"b\" }",
      Format::kJsonLines);
  ASSERT_THAT(read.status, IsOk());
  ASSERT_EQ(read.rows.size(), 2u);
  EXPECT_EQ(read.rows[0].line, 1u);
  EXPECT_EQ(read.rows[0].record.surname(), "Käster");
  EXPECT_EQ(read.rows[0].record.note(), "x\ny");
  EXPECT_EQ(read.rows[0].record.bsn(), "");
  EXPECT_EQ(read.rows[1].line, 4u);
  EXPECT_EQ(read.rows[1].record.client_ref(), "b");
  EXPECT_EQ(read.rows[1].record.surname(), "");
}

TEST(JsonLinesTest, WhatIsNoRecordIsRejectedAndTheNextIsRead) {
  struct Bad {
    std::string line;
    const char* reason;
    const char* column;
  };
  const std::vector<Bad> bad = {
      {"{", reason::kRowMalformed, ""},
      {"[]", reason::kRowMalformed, ""},
      {"\"text\"", reason::kRowMalformed, ""},
      {"{} {}", reason::kRowMalformed, ""},
      {"{\"client_ref\":\"a\"", reason::kRowMalformed, ""},
      {"{\"colour\":\"red\"}", reason::kRowMalformed, ""},
      {"{\"bsn\":999993847}", reason::kRowMalformed, "bsn"},
      {"{\"note\":[\"x\"]}", reason::kRowMalformed, "note"},
      {"{\"note\":\"a\\u0000b\"}", reason::kRowMalformed, "note"},
      {"{\"note\":\"\\ud800\"}", reason::kRowMalformed, ""},
      {"{\"bsn\":\"1\",\"bsn\":\"2\"}", reason::kRowMalformed, ""},
      {"{\"note\":\"\xff\"}", reason::kNotUtf8, ""},
      {std::string(30'000, '['), reason::kRowMalformed, ""},
      {absl::StrCat("{\"note\":\"", std::string(kMaxRowSize, 'x'), "\"}"), reason::kTooLarge, ""},
  };
  std::string text;
  for (const Bad& each : bad) absl::StrAppend(&text, each.line, "\n{\"client_ref\":\"good\"}\n");
  const Read read = ReadText(text, Format::kJsonLines);
  ASSERT_EQ(read.rows.size(), 2 * bad.size());
  for (size_t i = 0; i < bad.size(); ++i) {
    SCOPED_TRACE(bad[i].line.substr(0, 60));
    EXPECT_EQ(read.rows[2 * i].reason, bad[i].reason);
    EXPECT_EQ(read.rows[2 * i].column, bad[i].column);
    EXPECT_EQ(read.rows[2 * i].line, 2 * i + 1);
    EXPECT_EQ(read.rows[2 * i].record.ByteSizeLong(), 0u);
    EXPECT_EQ(read.rows[2 * i + 1].reason, "");
    EXPECT_EQ(read.rows[2 * i + 1].record.client_ref(), "good");
  }
}

TEST(JsonLinesTest, SameNameInAnInnerObjectIsNotTakenForARepeat) {
  const Read read = ReadText("{\"note\":{\"note\":1}}\n", Format::kJsonLines);
  ASSERT_EQ(read.rows.size(), 1u);
  EXPECT_EQ(read.rows[0].column, "note");
}

TEST(FormatTest, FormatIsToldByTheNamesEnd) {
  EXPECT_EQ(FormatOf("a.jsonl"), Format::kJsonLines);
  EXPECT_EQ(FormatOf("A.NDJSON"), Format::kJsonLines);
  EXPECT_EQ(FormatOf("a.jsonl.csv"), Format::kCsv);
  EXPECT_EQ(FormatOf("-"), Format::kCsv);
  EXPECT_EQ(FormatOf("a"), Format::kCsv);
}

}  // namespace
}  // namespace raakvlak::cli
