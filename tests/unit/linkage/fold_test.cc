#include "linkage/fold.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <fstream>
#include <string>

#include "base/bytes.h"
#include "gtest/gtest.h"

namespace raakvlak::linkage {
namespace {

std::string Utf8(UChar32 code_point) {
  char buffer[U8_MAX_LENGTH];
  int32_t size = 0;
  UBool error = false;
  U8_APPEND(reinterpret_cast<uint8_t*>(buffer), size, U8_MAX_LENGTH, code_point, error);
  return error ? std::string() : std::string(buffer, static_cast<size_t>(size));
}

TEST(FoldTest, FoldingTwiceChangesNothingForEveryCodePoint) {
  for (UChar32 c = 0; c <= 0x10FFFF; ++c) {
    if (U_IS_SURROGATE(c)) continue;
    const std::string once = FoldToLetters(Utf8(c));
    ASSERT_EQ(FoldToLetters(once), once) << std::hex << c;
    ASSERT_TRUE(IsUtf8(once)) << std::hex << c;
  }
}

TEST(FoldTest, AsciiIsFoldedAsAnyOtherText) {
  for (int c = 0; c < 128; ++c) {
    // With a non-ASCII neighbour the general way is taken.
    const std::string general = FoldToLetters(std::string(1, static_cast<char>(c)) + "\u2019");
    EXPECT_EQ(FoldToLetters(std::string(1, static_cast<char>(c))), general) << c;
  }
}

TEST(FoldTest, WhatIsLookedUpIsWhatTheGeneralWayGives) {
  for (UChar32 c = 0x80; c < 0x400; ++c) {
    const std::string text = "Xa" + Utf8(c) + "b" + Utf8(c);
    // A letter that has no form in basic Latin makes the general way be taken, and stays itself.
    EXPECT_EQ(FoldToLetters(text) + "\u4E00", FoldToLetters(text + "\u4E00")) << std::hex << c;
  }
}

// The file is made by fold_vectors.py with Python's unicodedata, another implementation of the Unicode
// tables.
TEST(FoldTest, AgreesWithAnotherUnicodeImplementation) {
  std::ifstream file(RAAKVLAK_SOURCE_DIR "/tests/unit/linkage/fold_vectors.txt");
  ASSERT_TRUE(file.is_open());
  int vectors = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t blank = line.find(' ');
    ASSERT_NE(blank, std::string::npos) << line;
    const std::string given = *base::ParseHex(line.substr(0, blank));
    const std::string folded = *base::ParseHex(line.substr(blank + 1));
    EXPECT_EQ(base::Hex(FoldToLetters(given)), base::Hex(folded)) << line;
    ++vectors;
  }
  EXPECT_GE(vectors, 500);
}

TEST(FoldTest, FirstLetterTakesAWholeCodePoint) {
  EXPECT_EQ(FirstLetter(""), "");
  EXPECT_EQ(FirstLetter("a"), "a");
  EXPECT_EQ(FirstLetter("øy"), "ø");
  EXPECT_EQ(FirstLetter("\U00010428x"), "\U00010428");
}

TEST(FoldTest, TrimTakesUnicodeWhiteSpaceAtBothEndsOnly) {
  EXPECT_EQ(TrimWhiteSpace(" \t\r\n\u00a0\u2003a b\u3000\u2028 "), "a b");
  EXPECT_EQ(TrimWhiteSpace("\u00a0 \u3000"), "");
  EXPECT_EQ(TrimWhiteSpace(""), "");
  EXPECT_EQ(TrimWhiteSpace("é"), "é");
}

}  // namespace
}  // namespace raakvlak::linkage
