#include "cli/output.h"

#include <sstream>

#include "gtest/gtest.h"
#include "linkage/fold.h"

namespace raakvlak::cli {
namespace {

using std::string_literals::operator""s;

TEST(PrintableTest, TextIsKept) {
  EXPECT_EQ(Printable("Käster, 李 — 10% \U0001F600"), "Käster, 李 — 10% \U0001F600");
  EXPECT_EQ(Printable(""), "");
}

TEST(PrintableTest, WhatSteersATerminalGoes) {
  EXPECT_EQ(Printable("a\x1b[31mb"), "a [31mb");
  EXPECT_EQ(Printable("a\x1b]0;title\x07z"), "a ]0;title z");
  EXPECT_EQ(Printable("two\r\nlines\n"), "two lines");
  EXPECT_EQ(Printable("\x08\x7f tab\there"), " tab here");
  EXPECT_EQ(Printable("csi\xc2\x9b"
                      "31m"),
            "csi 31m");
  EXPECT_EQ(Printable("nul\0byte"s), "nul byte");
}

TEST(PrintableTest, WhatHidesOrTurnsTextGoes) {
  EXPECT_EQ(Printable("a\u202eb\u2066c\u200bd\u2028e\ufeff"), "a b c d e");
  EXPECT_EQ(Printable("a\U000E0041b"), "a b");
}

TEST(PrintableTest, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(Printable("a\xff"
                      "b"),
            "a\uFFFDb");
  EXPECT_EQ(Printable("\xc3"), "\uFFFD");
  EXPECT_EQ(Printable("\xe2\x82"
                      "x"),
            "\uFFFD\uFFFDx");
  EXPECT_EQ(Printable("\x9b"
                      "1m"),
            "\uFFFD"
            "1m");
}

TEST(PrintableTest, EveryPairOfBytesGivesSafeUtf8) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string out = Printable(std::string{static_cast<char>(first), static_cast<char>(second)});
      ASSERT_TRUE(linkage::IsUtf8(out));
      for (const char c : out) ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
      ASSERT_EQ(Printable(out), out);
    }
  }
}

TEST(TableTest, ColumnsAlignByCharacters) {
  Table table({"NAME", "N"});
  table.Add({"Käster", "1"});
  table.Add({"x", "22"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "NAME    N\nKäster  1\nx       22\n");
}

TEST(TableTest, LaterRowsComeWithoutTitlesAndKeepTheWidths) {
  Table table({"A", "B"});
  table.Add({"long-cell", "1"});
  std::ostringstream out;
  table.Print(out);
  out.str("");
  table.Add({"x", "2"});
  table.Print(out);
  EXPECT_EQ(out.str(), "x          2\n");
}

TEST(TableTest, CellsCannotSteerTheTerminal) {
  Table table({"A"});
  table.Add({"x\x1b[2J\ny"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "A\nx [2J y\n");
}

TEST(TableTest, WithoutRowsOnlyTheTitlesAreShown) {
  Table table({"A", "B"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "A  B\n");
}

TEST(JsonTest, JsonIsAsciiAndTakesAnyBytes) {
  std::ostringstream out;
  PrintJson(out, {{"a", "K\xc3\xa4\x1b\xc2\x9b"}, {"b", "\xff"}});
  for (const char c : out.str()) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
  EXPECT_EQ(nlohmann::json::parse(out.str())["a"], "K\u00e4\x1b\u009b");
  EXPECT_EQ(JsonText({{"x", 1}}), "{\"x\":1}");
}

TEST(TimeTest, DaysAndTimesAreIso) {
  EXPECT_EQ(DayText(0), "1970-01-01");
  EXPECT_EQ(DayText(20'454), "2026-01-01");
  EXPECT_EQ(TimeText(0), "");
  EXPECT_EQ(TimeText(1'767'225'600'123), "2026-01-01T00:00:00.123Z");
}

}  // namespace
}  // namespace raakvlak::cli
