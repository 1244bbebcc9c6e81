#include "tests/quality/signals.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "linkage/normalise.h"
#include "tests/quality/misspell.h"

namespace raakvlak::quality {
namespace {

constexpr absl::CivilDay kToday(2026, 1, 1);
constexpr size_t kPeople = 20'000;

class RegionTest : public ::testing::Test {
 protected:
  static const Population& People() {
    static const Population* const population = new Population(MakePopulation(kPeople, 3, kToday));
    return *population;
  }
};

double Share(size_t part, size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

TEST_F(RegionTest, TheSameSeedMakesTheSameRegionAndAnotherAnother) {
  const std::vector<Signal> first = MakeSignals(MakePopulation(500, 5, kToday), Level::kMiddle, 5);
  const std::vector<Signal> again = MakeSignals(MakePopulation(500, 5, kToday), Level::kMiddle, 5);
  const std::vector<Signal> other = MakeSignals(MakePopulation(500, 6, kToday), Level::kMiddle, 6);
  ASSERT_EQ(first.size(), again.size());
  bool differs = first.size() != other.size();
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].person, again[i].person);
    EXPECT_EQ(first[i].record.surname, again[i].record.surname);
    EXPECT_EQ(first[i].record.birth_date, again[i].record.birth_date);
    differs = differs || first[i].record.surname != other[i].record.surname;
  }
  EXPECT_TRUE(differs);
}

TEST_F(RegionTest, SharesOfTwinsChildrenAndMoversAreThoseOfTheCountry) {
  std::map<std::pair<uint32_t, std::string>, size_t> births;
  size_t minors = 0;
  size_t moved = 0;
  size_t dutch = 0;
  for (const Person& person : People().people) {
    minors += linkage::AgeOn(person.born, kToday) < 18 ? 1 : 0;
    moved += person.moved() ? 1 : 0;
    dutch += person.origin == "dutch" ? 1 : 0;
    if (linkage::AgeOn(person.born, kToday) < 18) {
      ++births[{person.household, std::to_string(person.born - absl::CivilDay(1900, 1, 1))}];
    }
  }
  size_t twins = 0;
  for (const auto& [birth, count] : births) twins += count > 1 ? count : 0;
  EXPECT_NEAR(Share(minors, People().people.size()), 0.18, 0.06);
  EXPECT_NEAR(Share(twins, minors), 0.032, 0.012);
  EXPECT_NEAR(Share(moved, People().people.size()), 0.11, 0.02);
  EXPECT_NEAR(Share(dutch, People().people.size()), 0.79, 0.03);
}

TEST_F(RegionTest, NoTwoPeopleShareANumber) {
  std::set<std::string> numbers;
  for (const Person& person : People().people) {
    EXPECT_TRUE(linkage::PassesElevenTest(person.bsn));
    EXPECT_TRUE(numbers.insert(person.bsn).second);
  }
}

TEST_F(RegionTest, OneInTwentyIsKnownToTwoPartnersAndNobodyTwiceToOne) {
  const std::vector<Signal> signals = MakeSignals(People(), Level::kMiddle, 3);
  std::map<uint32_t, std::set<uint32_t>> partners;
  for (const Signal& signal : signals) {
    EXPECT_TRUE(partners[signal.person].insert(signal.partner).second);
  }
  size_t several = 0;
  for (const auto& [person, known_to] : partners) several += known_to.size() > 1 ? 1 : 0;
  EXPECT_NEAR(Share(several, People().people.size()), 0.05, 0.008);
  EXPECT_NEAR(Share(partners.size(), People().people.size()), 0.20, 0.02);
}

TEST_F(RegionTest, EveryRecordIsTakenAndHousingHasNoNumbers) {
  for (const Level level : {Level::kLow, Level::kMiddle, Level::kHigh}) {
    for (const Signal& signal : MakeSignals(People(), level, 4)) {
      const auto fields = linkage::Normalise(signal.record, kToday, linkage::Recipe::kTwo);
      EXPECT_TRUE(fields.ok()) << fields.status();
      if (signal.partner == kHousing) {
        EXPECT_EQ(signal.record.bsn, "");
      }
    }
  }
}

TEST_F(RegionTest, AHigherLevelMakesMoreErrors) {
  std::map<Level, size_t> wrong;
  for (const Level level : {Level::kLow, Level::kMiddle, Level::kHigh}) {
    for (const Signal& signal : MakeSignals(People(), level, 4)) {
      const absl::CivilDay born = People().people[signal.person].born;
      const auto fields = linkage::Normalise(signal.record, kToday, linkage::Recipe::kTwo);
      ASSERT_TRUE(fields.ok());
      wrong[level] += fields->born != born ? 1 : 0;
    }
  }
  EXPECT_LT(wrong[Level::kLow], wrong[Level::kMiddle]);
  EXPECT_LT(wrong[Level::kMiddle], wrong[Level::kHigh]);
}

TEST(MisspellTest, WrongDigitKeepsLengthAndNeverStartsWithZero) {
  Random random(1);
  for (int i = 0; i < 1000; ++i) {
    const std::string wrong = WrongDigit("6211", random);
    EXPECT_EQ(wrong.size(), 4u);
    EXPECT_NE(wrong[0], '0');
  }
}

TEST(MisspellTest, ATypoIsOneEditAndKeepsUtf8Whole) {
  Random random(2);
  size_t changed = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string typo = Typo("Şahin", random);
    linkage::Record record;
    record.surname = typo;
    EXPECT_TRUE(linkage::Normalise(record, kToday, linkage::Recipe::kTwo).ok());
    changed += typo != "Şahin" ? 1 : 0;
  }
  EXPECT_GT(changed, 900u);
}

TEST(MisspellTest, MarksAreLeftOutAndLettersStay) {
  EXPECT_EQ(WithoutMarks("Şahin Yılmaz Łukasz Zoë"), "Sahin Yilmaz Lukasz Zoe");
}

}  // namespace
}  // namespace raakvlak::quality
