#include "linkage/names.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linkage/fold.h"
#include "linkage/name_tables.h"

namespace raakvlak::linkage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Parts(absl::string_view surname) { return ParseSurname(surname, "").parts; }

std::string EncodeUtf8(UChar32 code_point) {
  char buffer[U8_MAX_LENGTH];
  int32_t size = 0;
  UBool error = false;
  U8_APPEND(reinterpret_cast<uint8_t*>(buffer), size, U8_MAX_LENGTH, code_point, error);
  return error ? std::string() : std::string(buffer, static_cast<size_t>(size));
}

TEST(SurnameTest, TussenvoegselsAreTakenOffWhereverTheyAreWritten) {
  for (const char* surname :
       {"Berg", "van den Berg", "Van Den Berg", "VAN DEN BERG", "Berg, van den", "Berg,van den", "v.d. Berg",
        "v/d Berg", "vd Berg", "vandenBerg", "Vandenberg", "van  den\u00a0Berg"}) {
    EXPECT_THAT(Parts(surname), ElementsAre("berg")) << surname;
  }
  for (const char* surname :
       {"van 't Hof", "van ’t Hof", "van t Hof", "van`t Hof", "Hof, van 't", "van het Hof"}) {
    EXPECT_THAT(Parts(surname), ElementsAre("hof")) << surname;
  }
}

TEST(SurnameTest, TussenvoegselsHaveOneCanonicalForm) {
  EXPECT_EQ(ParseSurname("Berg", "van den").prefix, "van den");
  EXPECT_EQ(ParseSurname("Berg", " VAN  DEN ").prefix, "van den");
  EXPECT_EQ(ParseSurname("van den Berg", "").prefix, "van den");
  EXPECT_EQ(ParseSurname("Berg, van den", "").prefix, "van den");
  EXPECT_EQ(ParseSurname("van den Berg", "van den").prefix, "van den");
  EXPECT_EQ(ParseSurname("v.d. Berg", "").prefix, "van de");
  EXPECT_EQ(ParseSurname("Hof", "van 't").prefix, "van het");
  EXPECT_EQ(ParseSurname("Vandermeer", "").prefix, "van der");
  EXPECT_EQ(ParseSurname("Jansen-de Vries", "").prefix, "");
  EXPECT_EQ(ParseSurname(".", "van").prefix, "");
}

TEST(SurnameTest, ANameThatIsNothingButTussenvoegselsIsAName) {
  EXPECT_THAT(Parts("Do"), ElementsAre("do"));
  EXPECT_THAT(Parts("Van"), ElementsAre("van"));
  EXPECT_THAT(Parts("van Os"), ElementsAre("os"));
  EXPECT_THAT(Parts("van de"), ElementsAre("de"));
}

TEST(SurnameTest, DoubleNamesHaveTheSamePartsInEitherOrder) {
  for (const char* surname :
       {"Jansen-de Vries", "Jansen - de Vries", "Jansen–de Vries", "Jansen de Vries", "Jansen e.v. de Vries",
        "Jansen e/v de Vries", "Jansen geb. de Vries", "Jansen, de Vries"}) {
    EXPECT_THAT(Parts(surname), ElementsAre("jansen", "vries")) << surname;
  }
  EXPECT_THAT(Parts("de Vries-Jansen"), ElementsAre("vries", "jansen"));
  EXPECT_THAT(Parts("Vries-Jansen, de"), ElementsAre("vries", "jansen"));
}

TEST(SurnameTest, ArticlesWithAHyphenAreNoPart) {
  EXPECT_THAT(Parts("El-Idrissi"), ElementsAre("idrissi"));
  EXPECT_THAT(Parts("Ait-Ali"), ElementsAre("ali"));
  EXPECT_THAT(Parts("Al Hassan-El Idrissi"), ElementsAre("hassan", "idrissi"));
}

TEST(SurnameTest, AnAdjectiveAndItsNameAreOnePart) {
  for (const char* surname : {"Klein Gebbink", "Klein  gebbink", "Kleingebbink", "KLEIN GEBBINK"}) {
    EXPECT_THAT(Parts(surname), ElementsAre("kleingebbink")) << surname;
  }
  EXPECT_THAT(Parts("Groot"), ElementsAre("groot"));
  EXPECT_THAT(Parts("de Groot-Jansen"), ElementsAre("groot", "jansen"));
  EXPECT_THAT(Parts("Jansen-Klein Gebbink"), ElementsAre("jansen", "kleingebbink"));
  EXPECT_THAT(Parts("Groot van Os"), ElementsAre("groot", "os"));
}

TEST(SurnameTest, LettersOutsideBasicLatinHaveTheirCustomaryForm) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"Käster", "kaster"}, {"Łukasz", "lukasz"},  {"Sørensen", "sorensen"}, {"Đorđević", "dordevic"},
      {"Yılmaz", "yilmaz"}, {"İnönü", "inonu"},    {"Strauß", "strauss"},    {"Ærø", "aero"},
      {"Þór", "thor"},      {"Œuvray", "oeuvray"}, {"Ĳssel", "ijssel"},      {"Nguyễn", "nguyen"},
      {"Иванов", "иванов"}, {"李", "李"}};
  for (const auto& [surname, part] : cases) EXPECT_THAT(Parts(surname), ElementsAre(part)) << surname;
}

TEST(SurnameTest, UnknownNamesAreNotGiven) {
  for (const char* surname : {".", "-", "", "'", "123", "Onbekend", "ONBEKEND", "NN", " nvt "}) {
    EXPECT_THAT(Parts(surname), IsEmpty()) << surname;
    EXPECT_THAT(ParseGivenNames(surname), IsEmpty()) << surname;
  }
}

TEST(SurnameTest, InitialsBesideAnameAreNoParts) {
  EXPECT_THAT(Parts("Jansen B."), ElementsAre("jansen"));
  EXPECT_THAT(Parts("J.P. Jansen"), ElementsAre("jansen"));
  EXPECT_THAT(Parts("N.N."), ElementsAre("n", "n"));
}

TEST(GivenNamesTest, NamesAndInitialsAreToldApart) {
  EXPECT_THAT(ParseGivenNames("Élodie Maria"), ElementsAre("elodie", "maria"));
  EXPECT_THAT(ParseGivenNames("Anne-Marie"), ElementsAre("anne", "marie"));
  for (const char* initials : {"J.P.", "J P", "JP", "j.p"}) {
    EXPECT_THAT(ParseGivenNames(initials), ElementsAre("j", "p")) << initials;
  }
  EXPECT_THAT(ParseGivenNames("Al"), ElementsAre("al"));
}

TEST(GivenNamesTest, ArabicNamesInSeveralWordsAreOne) {
  for (const char* name : {"Abdelkader", "Abdel Kader", "Abd el Kader", "Abd-el-Kader"}) {
    EXPECT_THAT(ParseGivenNames(name), ElementsAre("abdelkader")) << name;
  }
  EXPECT_THAT(ParseGivenNames("El Mehdi"), ElementsAre("mehdi"));
  EXPECT_THAT(ParseGivenNames("Abdel J."), ElementsAre("abdel", "j"));
}

TEST(NamesTest, LongNamesAreCutSoThatIdentifiersFit) {
  std::string text;
  for (char c = 'a'; c <= 'p'; ++c) absl::StrAppend(&text, std::string(2, c), " ");
  EXPECT_EQ(ParseSurname(text, "").parts.size(), kMaxNameParts);
  EXPECT_EQ(ParseGivenNames(text).size(), kMaxNameParts);
  EXPECT_THAT(Parts(std::string(200, 'a')), ElementsAre(std::string(kMaxNameLetters, 'a')));
  std::string greek;
  for (int i = 0; i < 100; ++i) greek += "λ";
  EXPECT_EQ(Parts(greek)[0].size(), 2 * kMaxNameLetters);
}

TEST(NamesTest, EveryCodePointGivesWordsThatStayTheSame) {
  for (UChar32 c = 0; c <= 0x10FFFF; ++c) {
    if (U_IS_SURROGATE(c)) continue;
    const std::vector<std::string> once = FoldToWords(EncodeUtf8(c));
    ASSERT_EQ(FoldToWords(absl::StrJoin(once, " ")), once) << std::hex << c;
    for (const std::string& word : once) ASSERT_TRUE(IsUtf8(word)) << std::hex << c;
  }
}

TEST(NamesTest, WhatIsLookedUpIsWhatTheGeneralWayGives) {
  for (UChar32 c = 0x80; c < 0x400; ++c) {
    const std::string text = absl::StrCat("Xa", EncodeUtf8(c), "b", EncodeUtf8(c), "c, d");
    std::vector<std::string> general = FoldToWords(absl::StrCat(text, " \u4E00"));
    ASSERT_EQ(general.back(), "\u4E00");
    general.pop_back();
    EXPECT_EQ(FoldToWords(text), general) << std::hex << c;
  }
}

TEST(NamesTest, AsciiIsFoldedAsAnyOtherText) {
  for (int c = 0; c < 128; ++c) {
    const std::string text = absl::StrCat("a", std::string(1, static_cast<char>(c)), "b");
    // With a neighbour outside ASCII, which is skipped, the general way is taken.
    EXPECT_EQ(FoldToWords(text), FoldToWords(text + "\u2019")) << c;
  }
}

template <typename Range>
bool IsSortedWithoutDoubles(const Range& pairs) {
  return std::adjacent_find(pairs.begin(), pairs.end(), [](const WordPair& left, const WordPair& right) {
           return !(left.from < right.from);
         }) == pairs.end();
}

TEST(NameTablesTest, TablesCanBeSearchedAndLeadNowhereElse) {
  EXPECT_TRUE(IsSortedWithoutDoubles(PrefixWords()));
  EXPECT_TRUE(IsSortedWithoutDoubles(NameVariants()));
  for (const WordPair& pair : NameVariants()) {
    EXPECT_EQ(CanonicalVariant(pair.from), pair.to);
    EXPECT_EQ(CanonicalVariant(pair.to), pair.to) << pair.from;
    EXPECT_THAT(FoldToWords(pair.from), ElementsAre(std::string(pair.from)));
  }
  for (const WordPair& pair : PrefixWords()) {
    for (const std::string& word : FoldToWords(pair.to)) EXPECT_EQ(FindPrefixWord(word), word) << pair.from;
  }
  for (const WordPair& glued : GluedPrefixes()) EXPECT_EQ(FindPrefixWord(glued.from), glued.to);
}

// Otherwise a name that was taken apart would be taken apart again.
TEST(NameTablesTest, JoinedWordsAreInNoTable) {
  for (const absl::string_view glued : GluedWords()) {
    EXPECT_TRUE(FindPrefixWord(glued).empty());
    for (const absl::string_view word : GluedWords()) {
      EXPECT_TRUE(glued == word || !absl::StartsWith(word, glued) || word.size() < glued.size() + 3) << word;
    }
    for (const WordPair& pair : PrefixWords()) EXPECT_FALSE(absl::StartsWith(pair.from, glued)) << pair.from;
  }
}

}  // namespace
}  // namespace raakvlak::linkage
