#include "linkage/normalise.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "linkage/fold.h"

namespace raakvlak::linkage {
namespace {

using base::testing::HasReason;
namespace reason = base::reason;

const absl::CivilDay kToday(2026, 6, 1);

Record RecordWith(absl::string_view field, absl::string_view value) {
  Record record;
  const std::vector<std::pair<absl::string_view, std::string*>> fields = {
      {kBsn, &record.bsn},
      {kSurname, &record.surname},
      {kSurnamePrefix, &record.surname_prefix},
      {kGivenNames, &record.given_names},
      {kBirthDate, &record.birth_date},
      {kPostcode, &record.postcode},
      {kHouseNumber, &record.house_number},
      {kHouseLetter, &record.house_letter},
      {kHouseSuffix, &record.house_suffix},
  };
  for (const auto& [name, member] : fields) {
    if (name == field) *member = std::string(value);
  }
  return record;
}

absl::StatusOr<Normalised> With(absl::string_view field, absl::string_view value) {
  return Normalise(RecordWith(field, value), kToday, Recipe::kOne);
}

void ExpectRefused(absl::string_view field, absl::string_view value, const char* why) {
  SCOPED_TRACE(absl::StrCat(field, "='", value, "'"));
  const auto result = With(field, value);
  ASSERT_THAT(result.status(), HasReason(why));
  EXPECT_EQ(FieldOf(result.status()), field);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(NormaliseTest, BsnOfEightDigitsGetsALeadingZero) {
  EXPECT_EQ(With(kBsn, "000009921")->bsn, "000009921");
  EXPECT_EQ(With(kBsn, "999993847")->bsn, "999993847");
  EXPECT_EQ(With(kBsn, "00009921")->bsn, "000009921");
  EXPECT_EQ(With(kBsn, " \t999993847\r\n")->bsn, "999993847");
  EXPECT_EQ(With(kBsn, "   ")->bsn, "");
}

TEST(NormaliseTest, BsnThatIsNoBsnIsRefused) {
  for (const char* value : {"000000000", "00000000", "999993848", "9999938470", "9999938", "99999-847",
                            "999.993.847", "99999384x", "-99999384", "+99999384", "٩٩٩٩٩٣٨٤٧", "0x1234567"}) {
    ExpectRefused(kBsn, value, reason::kBsnInvalid);
  }
}

TEST(NormaliseTest, TheElevenTestPassesExactly909OfTheTestRange) {
  int passed = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string bsn = absl::StrCat("99999", absl::Dec(i, absl::kZeroPad4));
    if (PassesElevenTest(bsn)) ++passed;
    EXPECT_TRUE(IsTestBsn(bsn));
  }
  EXPECT_EQ(passed, 909);
}

TEST(NormaliseTest, TheElevenTestPassesThePublishedCountsOfWholeRanges) {
  int low = 0;
  int high = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (PassesElevenTest(absl::StrCat("0000", absl::Dec(i, absl::kZeroPad5)))) ++low;
    if (PassesElevenTest(absl::StrCat("9999", absl::Dec(i, absl::kZeroPad5)))) ++high;
  }
  EXPECT_EQ(low, 9'091 - 1);  // without 000000000
  EXPECT_EQ(high, 9'091);
}

TEST(NormaliseTest, TheElevenTestDetectsEveryChangedDigitAndNeighbourSwap) {
  const std::string bsn = "999993847";
  ASSERT_TRUE(PassesElevenTest(bsn));
  for (size_t at = 0; at < bsn.size(); ++at) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string changed = bsn;
      changed[at] = digit;
      EXPECT_EQ(PassesElevenTest(changed), changed == bsn) << at;
    }
  }
  for (size_t at = 0; at + 1 < bsn.size(); ++at) {
    std::string swapped = bsn;
    std::swap(swapped[at], swapped[at + 1]);
    EXPECT_EQ(PassesElevenTest(swapped), swapped == bsn) << at;
  }
}

TEST(NormaliseTest, ElevenTestOfSomethingElseThanNineDigitsFails) {
  EXPECT_FALSE(PassesElevenTest(""));
  EXPECT_FALSE(PassesElevenTest("00009921"));
  EXPECT_FALSE(PassesElevenTest("0000099210"));
  EXPECT_FALSE(PassesElevenTest("00000992a"));
  EXPECT_FALSE(IsTestBsn("9999938"));
  EXPECT_FALSE(IsTestBsn("999893847"));
}

TEST(NormaliseTest, BirthDateOfTheCalendarIsKept) {
  const auto normal = With(kBirthDate, " 2010-02-28 ");
  EXPECT_EQ(normal->birth_date, "2010-02-28");
  EXPECT_EQ(normal->born, absl::CivilDay(2010, 2, 28));
  EXPECT_EQ(With(kBirthDate, "2000-02-29")->birth_date, "2000-02-29");
  EXPECT_EQ(With(kBirthDate, "2026-06-01")->birth_date, "2026-06-01");
  EXPECT_EQ(With(kBirthDate, "1880-01-01")->birth_date, "1880-01-01");
  EXPECT_FALSE(With(kBirthDate, "")->born.has_value());
}

TEST(NormaliseTest, BirthDateThatIsNoDayIsRefused) {
  for (const char* value :
       {"2010-02-29", "1900-02-29", "2010-00-10", "2010-13-01", "2010-04-31", "2010-01-00", "2010-01-32",
        "2010-1-1", "20100101", "01-01-2010", "2010/01/01", "2010-01-01T00:00", "0000-00-00", "2026-06-02",
        "1879-12-31", "2010-00-00", "-201-01-01", "201o-01-01", "２０１０-01-01"}) {
    ExpectRefused(kBirthDate, value, reason::kDateInvalid);
  }
}

TEST(NormaliseTest, EveryDayOfTwoCenturiesIsTakenAndNoOther) {
  int taken = 0;
  for (int year = 1880; year <= 2026; ++year) {
    for (int month = 0; month <= 13; ++month) {
      for (int day = 0; day <= 32; ++day) {
        const std::string text =
            absl::StrCat(year, "-", absl::Dec(month, absl::kZeroPad2), "-", absl::Dec(day, absl::kZeroPad2));
        if (With(kBirthDate, text).ok()) ++taken;
      }
    }
  }
  EXPECT_EQ(taken, kToday - absl::CivilDay(1880, 1, 1) + 1);
}

TEST(NormaliseTest, PostcodeIsFourDigitsAndTwoCapitals) {
  for (const char* value : {"6211AB", "6211ab", "6211 Ab", " 6211 aB\u00a0"}) {
    EXPECT_EQ(With(kPostcode, value)->postcode, "6211AB") << value;
  }
  for (const char* value : {"0211AB", "621AB", "62111AB", "6211  AB", "6211-AB", "6211A", "6211ABC", "AB6211",
                            "6211Á", "6211 A1", "62 11AB"}) {
    ExpectRefused(kPostcode, value, reason::kPostcodeInvalid);
  }
}

TEST(NormaliseTest, HouseNumberIsOneTo99999) {
  EXPECT_EQ(With(kHouseNumber, "1")->house_number, "1");
  EXPECT_EQ(With(kHouseNumber, " 99999 ")->house_number, "99999");
  EXPECT_EQ(With(kHouseNumber, "0012")->house_number, "12");
  for (const char* value : {"0", "000", "100000", "12a", "-1", "1.5", "12 14", "１２"}) {
    ExpectRefused(kHouseNumber, value, reason::kHouseNumberInvalid);
  }
}

TEST(NormaliseTest, HouseLetterAndSuffixAreUpperCase) {
  EXPECT_EQ(With(kHouseLetter, "a")->house_letter, "A");
  for (const char* value : {"ab", "1", "é", "-"})
    ExpectRefused(kHouseLetter, value, reason::kHouseLetterInvalid);
  EXPECT_EQ(With(kHouseSuffix, "bis")->house_suffix, "BIS");
  EXPECT_EQ(With(kHouseSuffix, "2-a ")->house_suffix, "2A");
  EXPECT_EQ(With(kHouseSuffix, " 1 h")->house_suffix, "1H");
  EXPECT_EQ(With(kHouseSuffix, "-")->house_suffix, "");
  for (const char* value : {"12345", "a/b", "bís", "a.b"}) {
    ExpectRefused(kHouseSuffix, value, reason::kHouseSuffixInvalid);
  }
}

TEST(NormaliseTest, SpellingsOfOneSurnameAreEqual) {
  const std::vector<std::vector<std::string>> same = {
      {"Käster", "Kaster", "KASTER", "Ka\u0308ster", " kaster "},
      {"Jansen-de Vries", "jansen de vries", "JANSENDEVRIES", "Jansen - de Vries",
       "Jansen\u2013de\u00a0Vries"},
      {"O'Neill", "O\u2019Neill", "ONeill", "O\u02bcNeill", "o`neill"},
      {"Strauß", "Strauss", "STRAUSS", "STRAU\u1e9e"},
      {"IJsselstein", "\u0132sselstein", "ijsselstein", "\u0133sselstein"},
      {"Ÿnsen", "Y\u0308nsen", "ynsen"},
      {"\uff2aansen", "Jansen", "Jansen2", "J.a.n.s.e.n"},
      {"Σίσυφος", "ΣΙΣΥΦΟΣ", "σισυφοσ"},
  };
  for (const auto& spellings : same) {
    const std::string first = With(kSurname, spellings[0])->surname;
    EXPECT_FALSE(first.empty());
    for (const std::string& spelling : spellings)
      EXPECT_EQ(With(kSurname, spelling)->surname, first) << spelling;
  }
}

TEST(NormaliseTest, DifferentSurnamesStayDifferent) {
  EXPECT_NE(With(kSurname, "Os")->surname, With(kSurname, "Oss")->surname);
  EXPECT_NE(With(kSurname, "Smit")->surname, With(kSurname, "Smid")->surname);
  EXPECT_NE(With(kSurname, "Иванов")->surname, With(kSurname, "Петров")->surname);
  EXPECT_EQ(With(kSurname, "Иванов")->surname, "иванов");
  EXPECT_EQ(With(kSurname, "Sørensen")->surname, "sørensen");
  EXPECT_EQ(With(kSurname, "李")->surname, "李");
}

TEST(NormaliseTest, NameWithoutAnyLetterCountsAsNotGiven) {
  for (const char* value : {"-", ".", "...", "' -", "123", "\u0301", "☃"}) {
    EXPECT_EQ(With(kSurname, value)->surname, "") << value;
    EXPECT_EQ(With(kGivenNames, value)->initial, "") << value;
  }
}

TEST(NormaliseTest, InitialIsTheFirstLetterOfTheFoldedGivenNames) {
  EXPECT_EQ(With(kGivenNames, "Élodie Maria")->initial, "e");
  EXPECT_EQ(With(kGivenNames, " 'Abdul")->initial, "a");
  EXPECT_EQ(With(kGivenNames, "J.P.")->initial, "j");
  EXPECT_EQ(With(kGivenNames, "\u0132sbrand")->initial, "i");
  EXPECT_EQ(With(kGivenNames, "Øyvind")->initial, "ø");
  EXPECT_EQ(With(kGivenNames, "\U00010400bc")->initial, "\U00010428");  // outside the basic plane
}

TEST(NormaliseTest, SurnamePrefixIsCheckedButIsNoPartOfAnyField) {
  Record record;
  record.surname = "Berg";
  record.surname_prefix = "van den";
  EXPECT_EQ(Normalise(record, kToday, Recipe::kOne)->surname, "berg");
  ExpectRefused(kSurnamePrefix, "\xff", reason::kNotUtf8);
}

TEST(NormaliseTest, EveryFieldIsCheckedForEncodingAndLength) {
  for (const char* field : {kBsn, kSurname, kSurnamePrefix, kGivenNames, kBirthDate, kPostcode, kHouseNumber,
                            kHouseLetter, kHouseSuffix}) {
    for (const char* bad : {"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf5\x80\x80\x80", "\x80"}) {
      ExpectRefused(field, bad, reason::kNotUtf8);
    }
    ExpectRefused(field, std::string(kMaxFieldSize + 1, ' '), reason::kFieldTooLong);
    EXPECT_TRUE(With(field, std::string(kMaxFieldSize, ' ')).ok()) << field;
  }
  EXPECT_EQ(With(kSurname, std::string(kMaxFieldSize, 'A'))->surname, std::string(kMaxFieldSize, 'a'));
}

TEST(NormaliseTest, AWholeFieldOfTheLongestDecompositionIsTaken) {
  std::string name;
  while (name.size() + 3 <= kMaxFieldSize) name += "\ufdfa";  // 18 code points each when decomposed
  EXPECT_GT(With(kSurname, name)->surname.size(), kMaxFieldSize);
}

TEST(NormaliseTest, ErrorMessagesHoldNoValue) {
  for (const char* field : {kBsn, kBirthDate, kPostcode, kHouseNumber, kHouseLetter, kHouseSuffix}) {
    const auto result = With(field, "7654321xyz");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(std::string(result.status().message()).find("7654321"), std::string::npos) << result.status();
  }
}

TEST(NormaliseTest, FieldsThatNoRuleNeedsAreCheckedToo) {
  Record record;
  record.bsn = "999993847";
  record.house_letter = "??";
  EXPECT_THAT(Normalise(record, kToday, Recipe::kOne).status(), HasReason(reason::kHouseLetterInvalid));
}

TEST(NormaliseTest, NormalisingTwiceChangesNothing) {
  Record record;
  record.bsn = "00009921";
  record.surname = "van 't Hôf-Gößling";
  record.given_names = "Ælfric";
  record.birth_date = "2011-03-04";
  record.postcode = "6211 ab";
  record.house_number = "007";
  record.house_letter = "b";
  record.house_suffix = "2-h";
  const auto once = Normalise(record, kToday, Recipe::kOne);
  ASSERT_TRUE(once.ok());
  Record again;
  again.bsn = once->bsn;
  again.surname = once->surname;
  again.given_names = once->initial;
  again.birth_date = once->birth_date;
  again.postcode = once->postcode;
  again.house_number = once->house_number;
  again.house_letter = once->house_letter;
  again.house_suffix = once->house_suffix;
  const auto twice = Normalise(again, kToday, Recipe::kOne);
  ASSERT_TRUE(twice.ok());
  EXPECT_EQ(twice->bsn, once->bsn);
  EXPECT_EQ(twice->surname, once->surname);
  EXPECT_EQ(twice->initial, once->initial);
  EXPECT_EQ(twice->birth_date, once->birth_date);
  EXPECT_EQ(twice->postcode, once->postcode);
  EXPECT_EQ(twice->house_number, once->house_number);
  EXPECT_EQ(twice->house_letter, once->house_letter);
  EXPECT_EQ(twice->house_suffix, once->house_suffix);
}

TEST(AgeTest, AgeGrowsOnTheBirthday) {
  const absl::CivilDay born(2010, 6, 15);
  EXPECT_EQ(AgeOn(born, absl::CivilDay(2026, 6, 14)), 15);
  EXPECT_EQ(AgeOn(born, absl::CivilDay(2026, 6, 15)), 16);
  EXPECT_EQ(AgeOn(born, absl::CivilDay(2026, 12, 31)), 16);
  EXPECT_EQ(AgeOn(born, born), 0);
}

TEST(AgeTest, BornOnALeapDayIsAYearOlderOnTheFirstOfMarch) {
  const absl::CivilDay born(2012, 2, 29);
  EXPECT_EQ(AgeOn(born, absl::CivilDay(2027, 2, 28)), 14);
  EXPECT_EQ(AgeOn(born, absl::CivilDay(2027, 3, 1)), 15);
  EXPECT_EQ(AgeOn(born, absl::CivilDay(2028, 2, 28)), 15);
  EXPECT_EQ(AgeOn(born, absl::CivilDay(2028, 2, 29)), 16);
}

TEST(AgeTest, AgeBeforeBirthAborts) {
  EXPECT_DEATH(AgeOn(absl::CivilDay(2026, 1, 2), absl::CivilDay(2026, 1, 1)), "before birth");
}

TEST(NormaliseTest, BirthDatesWithUnknownPartsAreTakenByRecipeTwo) {
  const auto two = [](absl::string_view date) {
    return Normalise(RecordWith(kBirthDate, date), kToday, Recipe::kTwo);
  };
  const auto month = two("2010-05-00");
  EXPECT_EQ(month->birth_date, "");
  EXPECT_EQ(month->birth_year, "2010");
  EXPECT_EQ(month->birth_month, "05");
  EXPECT_EQ(month->birth_day, "");
  EXPECT_EQ(month->born, absl::CivilDay(2010, 5, 1));
  EXPECT_EQ(month->born_last, absl::CivilDay(2010, 5, 31));
  EXPECT_EQ(two("2012-02")->born_last, absl::CivilDay(2012, 2, 29));
  const auto year = two("2010");
  EXPECT_EQ(year->birth_year, "2010");
  EXPECT_EQ(year->birth_month, "");
  EXPECT_EQ(year->born, absl::CivilDay(2010, 1, 1));
  EXPECT_EQ(year->born_last, absl::CivilDay(2010, 12, 31));
  EXPECT_EQ(two("2026")->born_last, kToday);
  const auto full = two("2010-05-06");
  EXPECT_EQ(full->birth_date, "2010-05-06");
  EXPECT_EQ(full->birth_day, "06");
  EXPECT_EQ(full->born_last, full->born);
  for (const char* unknown : {"0000-00-00", "0000-00", "0000", ""}) {
    EXPECT_FALSE(two(unknown)->born.has_value()) << unknown;
    EXPECT_EQ(two(unknown)->birth_year, "") << unknown;
  }
  for (const char* date : {"2010-00-06", "0000-05-06", "0000-05", "2010-13", "2010-13-00", "1879", "2027",
                           "2026-07", "2010-02-30", "10", "2010-5", "2010-", "201o"}) {
    EXPECT_THAT(two(date).status(), HasReason(reason::kDateInvalid)) << date;
    EXPECT_EQ(FieldOf(two(date).status()), kBirthDate);
  }
}

}  // namespace
}  // namespace raakvlak::linkage
