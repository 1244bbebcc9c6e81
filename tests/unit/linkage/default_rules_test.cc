// Who is recognised by the default rules, and who must not be: the cases on which comparable systems went
// wrong.
#include "linkage/default_rules.h"

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "linkage/fold.h"

namespace raakvlak::linkage {
namespace {

const absl::CivilDay kRulesDay(2026, 11, 22);

Record Person(absl::string_view given_names, absl::string_view surname, absl::string_view birth_date) {
  Record record;
  record.given_names = std::string(given_names);
  record.surname = std::string(surname);
  record.birth_date = std::string(birth_date);
  return record;
}

Record At(Record record, absl::string_view postcode, absl::string_view house_number) {
  record.postcode = std::string(postcode);
  record.house_number = std::string(house_number);
  return record;
}

Normalised Normal(const Record& record) {
  auto fields = Normalise(record, kRulesDay, Recipe::kTwo);
  EXPECT_TRUE(fields.ok()) << fields.status();
  return *std::move(fields);
}

// The best quality of the rules that agree on two records; 0 for none.
int Agreement(const Record& left, const Record& right) {
  const Normalised one = Normal(left);
  const Normalised other = Normal(right);
  int best = 0;
  for (const DefaultRule& each : DefaultPersonRules()) {
    const auto fields = FieldsOf(each.rule, one);
    if (fields.empty() || fields != FieldsOf(each.rule, other)) continue;
    const int quality = static_cast<int>(each.quality);
    best = best == 0 ? quality : std::min(best, quality);
  }
  return best;
}

bool IsMatch(const Record& left, const Record& right) {
  const int best = Agreement(left, right);
  return best == static_cast<int>(Quality::kExact) || best == static_cast<int>(Quality::kStrong);
}
bool IsSure(const Record& left, const Record& right) {
  return Agreement(left, right) == static_cast<int>(Quality::kExact);
}

constexpr char kHome[] = "6211AB";
constexpr char kBorn[] = "2012-03-24";

TEST(DefaultRulesTest, ThereAreSixToEightAndOnlyTheBsnIsSure) {
  const auto& rules = DefaultPersonRules();
  EXPECT_GE(rules.size(), 6u);
  EXPECT_LE(rules.size(), 8u);
  std::set<std::string> ids;
  for (const DefaultRule& each : rules) {
    EXPECT_EQ(each.quality == Quality::kExact, each.rule.identifier_class == IdentifierClass::kBsn)
        << each.rule.id;
    EXPECT_EQ(each.rule.subject, Subject::kPerson);
    EXPECT_LE(each.rule.id.size(), 32u);
    EXPECT_TRUE(ids.insert(each.rule.id).second) << each.rule.id;
  }
  for (const DefaultRule& each : DefaultHouseholdRules()) EXPECT_EQ(each.rule.subject, Subject::kHousehold);
}

TEST(DefaultRulesTest, OneBsnIsSureWhateverTheRestSays) {
  Record one = Person("Jan", "Jansen", kBorn);
  Record other = Person("Piet", "de Vries", "1980-05-06");
  one.bsn = other.bsn = "999993653";
  EXPECT_TRUE(IsSure(one, other));
  other.bsn = "999992077";
  EXPECT_FALSE(IsMatch(one, other));
}

TEST(DefaultRulesTest, ThePersonAsWrittenElsewhereIsRecognised) {
  const Record one = At(Person("Lisa Maria", "van den Berg", kBorn), kHome, "7");
  for (const Record& other :
       {At(Person("Lisa", "Berg", kBorn), kHome, "7"), At(Person("LISA", "Berg, van den", kBorn), "", ""),
        At(Person("Lisa", "v.d. Berg", kBorn), kHome, "7"), Person("Lísa", "Vandenberg", kBorn)}) {
    EXPECT_TRUE(IsMatch(one, other)) << other.surname;
    EXPECT_FALSE(IsSure(one, other));
  }
}

TEST(DefaultRulesTest, TwinsAreNoMatch) {
  const std::vector<std::pair<const char*, const char*>> twins = {
      {"Lisa", "Bram"}, {"Tim", "Tom"},  {"Daan", "Dion"}, {"Sanne", "Sem"},
      {"Jan", "Joris"}, {"Emma", "Eva"}, {"Yara", "Yusuf"}};
  for (const auto& [one, other] : twins) {
    EXPECT_FALSE(
        IsMatch(At(Person(one, "Jansen", kBorn), kHome, "7"), At(Person(other, "Jansen", kBorn), kHome, "7")))
        << one << " " << other;
    EXPECT_FALSE(IsMatch(Person(one, "Jansen", kBorn), Person(other, "Jansen", kBorn)))
        << one << " " << other;
  }
}

TEST(DefaultRulesTest, SiblingsWithTheSameInitialAreNoMatch) {
  EXPECT_FALSE(IsMatch(At(Person("Daan", "Jansen", kBorn), kHome, "7"),
                       At(Person("Dirk", "Jansen", "2014-03-24"), kHome, "7")));
  EXPECT_FALSE(IsMatch(At(Person("D.", "Jansen", kBorn), kHome, "7"),
                       At(Person("D.", "Jansen", "2014-06-02"), kHome, "7")));
}

TEST(DefaultRulesTest, ParentAndChildOfOneNameAreNoMatch) {
  EXPECT_FALSE(IsMatch(At(Person("Jan", "Jansen", "1984-05-06"), kHome, "7"),
                       At(Person("Jan", "Jansen", kBorn), kHome, "7")));
}

TEST(DefaultRulesTest, TheFirstOfJanuaryAndJulyWithASurnameAloneIsNoMatch) {
  for (const char* born : {"1990-01-01", "1990-07-01"}) {
    EXPECT_FALSE(IsMatch(Person("M.", "Mohamed", born), Person("M.", "Mohamed", born)));
    EXPECT_FALSE(IsMatch(Person("Mustafa", "Ali", born), Person("Said", "Ali", born)));
    EXPECT_FALSE(IsMatch(At(Person("Ahmed", "Ali", born), kHome, "7"),
                         At(Person("Fatima", "Hassan", born), kHome, "7")));
  }
}

TEST(DefaultRulesTest, MoversAreRecognised) {
  EXPECT_TRUE(IsMatch(At(Person("Lisa", "Jansen", kBorn), kHome, "7"),
                      At(Person("Lisa", "Jansen", kBorn), "1315XX", "210")));
}

TEST(DefaultRulesTest, MarriedNamesAreRecognised) {
  const char* born = "1984-05-06";
  const std::vector<std::pair<const char*, const char*>> names = {
      {"Jansen", "de Vries-Jansen"}, {"Jansen", "Vries-Jansen, de"},  {"Jansen", "de Vries geb. Jansen"},
      {"Jansen", "Jansen-de Vries"}, {"de Vries", "de Vries-Jansen"}, {"Jansen-de Vries", "de Vries-Jansen"},
      {"Jansen", "de Vries"}};
  for (const auto& [one, other] : names) {
    EXPECT_TRUE(
        IsMatch(At(Person("Maria", one, born), kHome, "7"), At(Person("Maria", other, born), kHome, "7")))
        << one << " / " << other;
  }
  // Away from home: the own name in the usual order, behind the partner's.
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(IsMatch(Person("Maria", names[i].first, born), Person("Maria", names[i].second, born)))
        << names[i].second;
  }
  EXPECT_FALSE(IsMatch(Person("Maria", "Jansen", born), Person("Maria", "de Vries", born)));
}

TEST(DefaultRulesTest, PartnersWithOneDoubleNameAreNoMatch) {
  EXPECT_FALSE(IsMatch(At(Person("Maria", "Jansen-de Vries", "1984-05-06"), kHome, "7"),
                       At(Person("Peter", "de Vries", "1983-02-11"), kHome, "7")));
}

TEST(DefaultRulesTest, TransliterationsAreRecognised) {
  const std::vector<std::pair<Record, Record>> pairs = {
      {Person("Mohamed", "El Idrissi", kBorn), Person("Muhammad", "El-Idrissi", kBorn)},
      {At(Person("Fatima", "Bakkali", kBorn), kHome, "7"), At(Person("Fatma", "Bekkali", kBorn), kHome, "7")},
      {Person("Latifah", "Haddou", kBorn), Person("Latifa", "Haddou", kBorn)},
      {Person("Youssef", "Yılmaz", kBorn), Person("Yusuf", "Yilmaz", kBorn)},
      {Person("Ayşe", "Öztürk", kBorn), Person("Aisha", "Ozturk", kBorn)},
      {Person("Łukasz", "Wiśniewski", kBorn), Person("Lukasz", "Wisniewski", kBorn)},
      {Person("Abd el Kader", "Ait Ali", kBorn), Person("Abdelkader", "Ali", kBorn)}};
  for (const auto& [one, other] : pairs) EXPECT_TRUE(IsMatch(one, other)) << one.given_names;
}

TEST(DefaultRulesTest, MissingPartsNeverAgree) {
  EXPECT_FALSE(IsMatch(Record(), Record()));
  // "Missing birth name and a different first name counted as match."
  EXPECT_FALSE(IsMatch(At(Person("Lisa", "", kBorn), kHome, "7"), At(Person("Bram", "", kBorn), kHome, "7")));
  EXPECT_FALSE(IsMatch(Person("", "Jansen", kBorn), Person("", "Jansen", kBorn)));
  EXPECT_FALSE(IsMatch(At(Record(), kHome, "7"), At(Record(), kHome, "7")));
  EXPECT_FALSE(IsMatch(Person("Lisa", "Jansen", ""), Person("Lisa", "Jansen", "")));
  EXPECT_FALSE(IsMatch(Person("Lisa", "Jansen", "2012-00-00"), Person("Lisa", "Jansen", "2012-00-00")));
  EXPECT_FALSE(IsMatch(Person("onbekend", "onbekend", kBorn), Person("onbekend", "onbekend", kBorn)));
  EXPECT_FALSE(IsMatch(Person(".", "-", kBorn), Person(".", "-", kBorn)));
}

TEST(DefaultRulesTest, ASingleWrongDatePartIsNeverSureAndNeverAMatchOnNamesAlone) {
  for (const char* wrong : {"2012-03-25", "2012-04-24", "2013-03-24"}) {
    const Record one = Person("Lisa", "Jansen", kBorn);
    const Record other = Person("Lisa", "Jansen", wrong);
    EXPECT_FALSE(IsMatch(one, other)) << wrong;
    EXPECT_FALSE(IsSure(At(one, kHome, "7"), At(other, kHome, "7"))) << wrong;
  }
}

TEST(DefaultRulesTest, DateAndAddressAreNoMatchForMinors) {
  EXPECT_FALSE(IsMatch(At(Person("", "", kBorn), kHome, "7"), At(Person("", "", kBorn), kHome, "7")));
  EXPECT_FALSE(IsMatch(At(Person("Lisa", "", kBorn), kHome, "7"), At(Person("", "", kBorn), kHome, "7")));
}

TEST(DefaultRulesTest, DateAndAddressAreAMatchForThoseWhoAreSettledAndNotOnTheFirstOfJanuary) {
  const auto settled = [](const char* given, const char* born) {
    return At(Person(given, "Jansen", born), kHome, "7");
  };
  EXPECT_TRUE(IsMatch(settled("J.", "1999-12-31"), settled("Johannes", "1999-12-31")));
  EXPECT_FALSE(IsMatch(settled("J.", "2000-01-02"), settled("Johannes", "2000-01-02")));
  EXPECT_FALSE(IsMatch(settled("J.", "1980-01-01"), settled("Johannes", "1980-01-01")));
}

TEST(DefaultRulesTest, NamesAndAddressAreAMatchUnlessOneIsKnownToBeYoung) {
  const Record undated = At(Person("Lisa", "Jansen", ""), kHome, "7");
  EXPECT_TRUE(IsMatch(undated, At(Person("Lisa", "Jansen", "1980-05-06"), kHome, "7")));
  EXPECT_FALSE(IsMatch(undated, At(Person("Lisa", "Jansen", kBorn), kHome, "7")));
  // Johan and Johanna of one home are two.
  EXPECT_FALSE(IsMatch(At(Person("Johan", "Jansen", ""), kHome, "7"),
                       At(Person("Johanna", "Jansen", ""), kHome, "7")));
}

TEST(DefaultRulesTest, SwappedDigitsAndSwappedDayAndMonthAreRecognised) {
  EXPECT_TRUE(IsMatch(Person("Lisa", "Jansen", "2012-03-04"), Person("Lisa", "Jansen", "2012-04-03")));
  EXPECT_TRUE(IsMatch(At(Person("Lisa", "Jansen", kBorn), "6211AB", "12"),
                      At(Person("Lisa", "de Vries", kBorn), "6121BA", "21")));
}

TEST(DefaultRulesTest, LettersThatOtherSystemsRefusedAreTaken) {
  EXPECT_TRUE(IsMatch(Person("Jörg", "Strauß", kBorn), Person("Jorg", "Strauss", kBorn)));
}

TEST(DefaultRulesTest, ManyThreadsGetTheSameFields) {
  const auto fields = [] {
    std::string all;
    for (const char* name : {"Zoë", "Muhammad Ali", "Çelik", "Jörg"}) {
      const Normalised record = Normal(At(Person(name, "van den Berg-Öztürk", "1984-05-06"), kHome, "7"));
      for (const DefaultRule& each : DefaultPersonRules()) {
        absl::StrAppend(&all, absl::StrJoin(FieldsOf(each.rule, record), " "), "\n");
      }
    }
    return all;
  };
  std::vector<std::string> results(4);
  std::vector<std::thread> threads;
  for (std::string& result : results) threads.emplace_back([&] { result = fields(); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& result : results) EXPECT_EQ(result, fields());
  EXPECT_NE(fields(), "");
}

// Normalised text is all that a rule sees: what was normalised gives the same identifiers again.
TEST(DefaultRulesTest, RandomTextGivesTheSameFieldsOnceAndTwice) {
  std::random_device device;
  const uint64_t seed = device();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> pieces = {
      "van", "den", "de", "Jansen", "abd", "el",      "klein",  "geb", "vander", "ß",          "Ĳ", "ø",  "'",
      "-",   " ",   ",",  ".",      "é",   "e\u0301", "\u0130", "李",  "и",      "\U00010400", "b", "x y"};
  const auto text = [&] {
    std::string out;
    for (uint64_t n = random() % 12; n > 0; --n) out += pieces[random() % pieces.size()];
    return out;
  };
  for (int i = 0; i < 20'000; ++i) {
    Record record = Person(text(), text(), "2012-03");
    record.surname_prefix = text();
    const Normalised once = Normal(record);
    const Normalised twice = Normal(CanonicalRecord(once, Recipe::kTwo));
    for (const DerivedField& field : DerivedFields()) {
      if (field.name == "surname" || field.name == "initial") continue;
      ASSERT_EQ(field.derive(twice), field.derive(once))
          << field.name << ": " << record.surname << " | " << record.given_names;
    }
    EXPECT_EQ(twice.surname_prefix, once.surname_prefix) << record.surname_prefix << " | " << record.surname;
  }
}

}  // namespace
}  // namespace raakvlak::linkage
