#include "cli/csv_reader.h"

#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/reason.h"
#include "gtest/gtest.h"

namespace raakvlak::cli {
namespace {

using std::string_literals::operator""s;

// Every row as "line:field|field" or "line!REASON".
std::vector<std::string> ReadAll(const std::string& text) {
  std::istringstream in(text);
  CsvReader reader(in);
  std::vector<std::string> rows;
  CsvRow row;
  while (reader.Next(row)) {
    rows.push_back(row.error.empty() ? absl::StrCat(row.line, ":", absl::StrJoin(row.fields, "|"))
                                     : absl::StrCat(row.line, "!", row.error));
    EXPECT_TRUE(row.error.empty() || row.fields.empty());
  }
  return rows;
}

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> rows;
};

class CsvTable : public ::testing::TestWithParam<Case> {};

TEST_P(CsvTable, IsReadAsRfc4180Says) { EXPECT_EQ(ReadAll(GetParam().text), GetParam().rows); }

using Rows = std::vector<std::string>;
INSTANTIATE_TEST_SUITE_P(
    CsvReaderTest, CsvTable,
    ::testing::Values(
        Case{"EmptyFile", "", Rows{}},                                                                  //
        Case{"OnlyByteOrderMark", "\xEF\xBB\xBF", Rows{}}, Case{"OnlyEmptyLines", "\n\r\n\n", Rows{}},  //
        Case{"OneRow", "a,b\n", Rows{"1:a|b"}},                                                         //
        Case{"NoFinalNewline", "a,b\nc,d", Rows{"1:a|b", "2:c|d"}},
        Case{"QuotedWithoutFinalNewline", "a,\"b\"", Rows{"1:a|b"}},
        Case{"CarriageReturns", "a,b\r\nc,d\r\n", Rows{"1:a|b", "2:c|d"}},
        Case{"MixedLineEnds", "a,b\r\nc,d\ne,f\r\n", Rows{"1:a|b", "2:c|d", "3:e|f"}},
        Case{"EmptyLinesAreCounted", "\na,b\n\n\r\nc,d\n", Rows{"2:a|b", "5:c|d"}},
        Case{"EmptyFields", ",\n,,\n", Rows{"1:|", "2:||"}},
        Case{"EmptyLastFieldAtTheEnd", "a,", Rows{"1:a|"}}, Case{"OneEmptyQuotedField", "\"\"\n", Rows{"1:"}},
        Case{"BlanksBelongToFields", " a , b \n", Rows{"1: a | b "}},
        Case{"ByteOrderMarkIsPassedOver",
             "\xEF\xBB\xBF"
             "a,b\n",
             Rows{"1:a|b"}},
        Case{"ByteOrderMarkBeforeAQuote", "\xEF\xBB\xBF\"a\",b\n", Rows{"1:a|b"}},
        Case{"ByteOrderMarkLaterIsText",
             "a\n\xEF\xBB\xBF"
             "b\n",
             Rows{"1:a",
                  "2:\xEF\xBB\xBF"
                  "b"}},
        Case{"CommaInQuotes", "\"a,b\",c\n", Rows{"1:a,b|c"}},
        Case{"DoubledQuotes", "\"a\"\"b\",\"\"\"\"\n", Rows{"1:a\"b|\""}},
        Case{"LineEndInQuotes", "\"a\nb\",c\nd,e\n", Rows{"1:a\nb|c", "3:d|e"}},
        Case{"CarriageReturnInQuotes", "\"a\r\nb\r\",c\r\nd,e\r\n", Rows{"1:a\r\nb\r|c", "3:d|e"}},
        Case{"EmptyLinesInQuotes", "\"\n\n\n\"\nx\n", Rows{"1:\n\n\n", "5:x"}},
        Case{"QuoteInsideAPlainField", "a\"b,c\nd,e\n", Rows{"1!ROW_MALFORMED", "2:d|e"}},
        Case{"BlankBeforeAQuote", "a, \"b\"\nd,e\n", Rows{"1!ROW_MALFORMED", "2:d|e"}},
        Case{"TextBehindAClosingQuote", "\"a\"b,c\nd,e\n", Rows{"1!ROW_MALFORMED", "2:d|e"}},
        Case{"LoneCarriageReturn", "a\rb\nc\n", Rows{"1!ROW_MALFORMED", "2:c"}},
        Case{"CarriageReturnAtTheEnd", "a\nb\r", Rows{"1:a", "2!ROW_MALFORMED"}},
        Case{"CarriageReturnBehindAQuote", "\"a\"\rb\nc\n", Rows{"1!ROW_MALFORMED", "2:c"}},
        Case{"NulInAPlainField", "a\0b,c\nd\n"s, Rows{"1!ROW_MALFORMED", "2:d"}},
        Case{"NulInAQuotedField", "\"a\0b\",c\nd\n"s, Rows{"1!ROW_MALFORMED", "2:d"}},
        Case{"UnterminatedQuoteInTheLastRow", "a,b\n\"c,d", Rows{"1:a|b", "2!ROW_MALFORMED"}},
        Case{"UnterminatedQuoteCostsOneRow", "a,b\n\"c,d\ne,f\ng,h\n",
             Rows{"1:a|b", "2!ROW_MALFORMED", "3:e|f", "4:g|h"}},
        Case{"ForgottenQuoteMeetsTheNextQuotedRow", "\"a,b\nc,\"d\"\ne,\"f\"\n",
             Rows{"1!ROW_MALFORMED", "2:c|d", "3:e|f"}},
        Case{"OnlyAQuote", "\"", Rows{"1!ROW_MALFORMED"}},
        Case{"BytesThatAreNotUtf8AreKept", "\xff,b\n", Rows{"1:\xff|b"}}),
    [](const auto& made) { return std::string(made.param.name); });

TEST(CsvReaderTest, RowAtTheLimitIsTakenAndOneOverItIsNot) {
  const std::string fits(kMaxRowSize - 2, 'x');
  EXPECT_EQ(ReadAll(absl::StrCat("a,", fits, "\nb\n")), (Rows{absl::StrCat("1:a|", fits), "2:b"}));
  EXPECT_EQ(ReadAll(absl::StrCat("a,", fits, "x\nb\n")), (Rows{"1!TOO_LARGE", "2:b"}));
  const std::string quoted = absl::StrCat("\"", std::string(kMaxRowSize, 'x'), "\"");
  EXPECT_EQ(ReadAll(absl::StrCat(quoted, ",y\nb\n")), (Rows{"1!TOO_LARGE", "2:b"}));
}

TEST(CsvReaderTest, HugeRowIsSkippedToItsLineEnd) {
  const std::string huge(10 * kMaxRowSize + 123, 'x');
  EXPECT_EQ(ReadAll(absl::StrCat("a\n", huge, "\n\"b\"\n", huge)),
            (Rows{"1:a", "2!TOO_LARGE", "3:b", "4!TOO_LARGE"}));
}

TEST(CsvReaderTest, HugeRowOfManyFieldsIsRefused) {
  const std::string commas(kMaxRowSize + 10, ',');
  EXPECT_EQ(ReadAll(absl::StrCat(commas, "\nb\n")), (Rows{"1!TOO_LARGE", "2:b"}));
}

TEST(CsvReaderTest, QuoteNeverClosedCostsOnlyItsRowInALongFile) {
  std::string text = "\"open\n";
  for (int i = 0; i < 20'000; ++i) absl::StrAppend(&text, "row,", i, "\n");
  const Rows rows = ReadAll(text);
  ASSERT_EQ(rows.size(), 20'001u);
  EXPECT_EQ(rows[0], "1!TOO_LARGE");
  EXPECT_EQ(rows[1], "2:row|0");
  EXPECT_EQ(rows[20'000], "20001:row|19999");
}

// Where the chunks that are read end must not matter.
TEST(CsvReaderTest, RowsAcrossChunksAreReadWhole) {
  for (size_t padding = (64 << 10) - 12; padding <= (64 << 10) + 2; ++padding) {
    const std::string first(padding / 2, 'p');
    const std::string second(padding - padding / 2, 'q');
    const std::string text = absl::StrCat(first, "\n", second, "\n\"a\"\"\r\n\",b\r\nc,d\n");
    EXPECT_EQ(ReadAll(text),
              (Rows{absl::StrCat("1:", first), absl::StrCat("2:", second), "3:a\"\r\n|b", "5:c|d"}))
        << padding;
  }
}

// Another implementation, slow and plain, over all short texts of an alphabet of what matters.
class NaiveReader {
 public:
  static Rows Read(const std::string& text) {
    Rows rows;
    size_t at = 0;
    uint64_t line = 1;
    while (at < text.size()) {
      if (text[at] == '\n') {
        ++at;
        ++line;
        continue;
      }
      if (text.compare(at, 2, "\r\n") == 0) {
        at += 2;
        ++line;
        continue;
      }
      std::vector<std::string> fields;
      size_t end = 0;
      if (Parse(text, at, fields, end)) {
        rows.push_back(absl::StrCat(line, ":", absl::StrJoin(fields, "|")));
      } else {
        rows.push_back(absl::StrCat(line, "!ROW_MALFORMED"));
        const size_t newline = text.find('\n', at);
        end = newline == std::string::npos ? text.size() : newline + 1;
      }
      for (; at < end; ++at) line += text[at] == '\n';
    }
    return rows;
  }

 private:
  static bool Parse(const std::string& text, size_t at, std::vector<std::string>& fields, size_t& end) {
    while (true) {
      std::string field;
      if (text.compare(at, 1, "\"") == 0) {
        size_t close = at + 1;
        while (true) {
          close = text.find('"', close);
          if (close == std::string::npos) return false;
          if (text.compare(close, 2, "\"\"") != 0) break;
          close += 2;
        }
        for (size_t i = at + 1; i < close; ++i) {
          field += text[i];
          if (text[i] == '"') ++i;
        }
        at = close + 1;
      } else {
        const size_t stop = std::min(text.find_first_of(",\n\r\"", at), text.size());
        field = text.substr(at, stop - at);
        at = stop;
      }
      fields.push_back(field);
      if (at == text.size()) {
        end = at;
        return true;
      }
      if (text[at] == ',') {
        ++at;
        continue;
      }
      if (text[at] == '\n') {
        end = at + 1;
        return true;
      }
      if (text.compare(at, 2, "\r\n") == 0) {
        end = at + 2;
        return true;
      }
      return false;
    }
  }
};

TEST(CsvReaderTest, AgreesWithANaiveReaderOnEveryShortText) {
  const std::string alphabet = "a,\"\r\n";
  constexpr int kLongest = 7;
  int texts = 0;
  for (int size = 1; size <= kLongest; ++size) {
    int count = 1;
    for (int i = 0; i < size; ++i) count *= static_cast<int>(alphabet.size());
    for (int number = 0; number < count; ++number) {
      std::string text;
      for (int i = 0, rest = number; i < size; ++i, rest /= static_cast<int>(alphabet.size())) {
        text += alphabet[static_cast<size_t>(rest) % alphabet.size()];
      }
      ASSERT_EQ(ReadAll(text), NaiveReader::Read(text)) << ::testing::PrintToString(text);
      ++texts;
    }
  }
  EXPECT_GT(texts, 90'000);
}

}  // namespace
}  // namespace raakvlak::cli
