// The conformance vectors of tests/vectors/linkage, made by a second implementation from the format page.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "gtest/gtest.h"
#include "linkage/derived.h"
#include "linkage/name_tables.h"
#include "linkage/normalise.h"
#include "linkage/phonetic.h"

namespace raakvlak::linkage {
namespace {

using Json = nlohmann::json;

// The day on which the vectors were made.
const absl::CivilDay kVectorsDay(2026, 11, 22);

std::vector<Json> ReadLines(const std::string& name) {
  std::ifstream file(absl::StrCat(RAAKVLAK_SOURCE_DIR "/tests/vectors/linkage/", name));
  EXPECT_TRUE(file.is_open()) << name;
  std::vector<Json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

// Takes attributes out; what is left was not looked at.
class Attributes {
 public:
  explicit Attributes(const Json& json) : json_(json) {}

  bool Has(const std::string& name) const { return json_.contains(name); }
  Json Take(const std::string& name) {
    const Json value = json_.value(name, Json());
    json_.erase(name);
    return value;
  }
  std::string TakeText(const std::string& name) {
    const Json value = Take(name);
    return value.is_null() ? std::string() : value.get<std::string>();
  }
  void ExpectAllUsed() const { EXPECT_TRUE(json_.empty()) << "unused: " << json_.dump(); }

 private:
  Json json_;
};

Record RecordOf(const Json& json) {
  Attributes attributes(json);
  Record record;
  record.bsn = attributes.TakeText(kBsn);
  record.surname = attributes.TakeText(kSurname);
  record.surname_prefix = attributes.TakeText(kSurnamePrefix);
  record.given_names = attributes.TakeText(kGivenNames);
  record.birth_date = attributes.TakeText(kBirthDate);
  record.postcode = attributes.TakeText(kPostcode);
  record.house_number = attributes.TakeText(kHouseNumber);
  record.house_letter = attributes.TakeText(kHouseLetter);
  record.house_suffix = attributes.TakeText(kHouseSuffix);
  attributes.ExpectAllUsed();
  return record;
}

Json Names(const std::vector<std::string>& names) { return names.empty() ? Json() : Json(names); }

void ExpectNormalised(const Json& json, const Normalised& got) {
  Attributes expected(json);
  EXPECT_EQ(got.bsn, expected.TakeText("bsn"));
  EXPECT_EQ(got.surname, expected.TakeText("surname"));
  EXPECT_EQ(got.initial, expected.TakeText("initial"));
  EXPECT_EQ(got.birth_date, expected.TakeText("birth_date"));
  EXPECT_EQ(got.postcode, expected.TakeText("postcode"));
  EXPECT_EQ(got.house_number, expected.TakeText("house_number"));
  EXPECT_EQ(got.house_letter, expected.TakeText("house_letter"));
  EXPECT_EQ(got.house_suffix, expected.TakeText("house_suffix"));
  EXPECT_EQ(got.surname_prefix, expected.TakeText("surname_prefix"));
  EXPECT_EQ(Names(got.surname_parts), expected.Take("surname_parts"));
  EXPECT_EQ(Names(got.given_names), expected.Take("given_names"));
  EXPECT_EQ(got.birth_year, expected.TakeText("birth_year"));
  EXPECT_EQ(got.birth_month, expected.TakeText("birth_month"));
  EXPECT_EQ(got.birth_day, expected.TakeText("birth_day"));
  expected.ExpectAllUsed();
}

TEST(LinkageVectorsTest, EveryRecordIsNormalisedAsTheSecondImplementationDoes) {
  std::set<absl::string_view> seen_fields;
  int refused = 0;
  for (const Json& line : ReadLines("normalise.jsonl")) {
    SCOPED_TRACE(line.at("record").dump());
    Attributes vector(line);
    const auto recipe = static_cast<Recipe>(vector.Take("recipe").get<uint32_t>());
    const auto got = Normalise(RecordOf(vector.Take("record")), kVectorsDay, recipe);
    if (vector.Has("error")) {
      Attributes error(vector.Take("error"));
      EXPECT_EQ(base::ReasonOf(got.status()), error.TakeText("reason"));
      EXPECT_EQ(FieldOf(got.status()), error.TakeText("field"));
      error.ExpectAllUsed();
      vector.ExpectAllUsed();
      ++refused;
      continue;
    }
    ASSERT_TRUE(got.ok()) << got.status();
    ExpectNormalised(vector.Take("normalised"), *got);
    Attributes derived(vector.Take("derived"));
    for (const DerivedField& field : DerivedFields()) {
      const std::string expected = derived.TakeText(std::string(field.name));
      EXPECT_EQ(field.derive(*got), expected) << field.name;
      if (!expected.empty()) seen_fields.insert(field.name);
    }
    derived.ExpectAllUsed();
    vector.ExpectAllUsed();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_EQ(seen_fields.size(), DerivedFields().size());
  EXPECT_GE(refused, 30);
}

TEST(LinkageVectorsTest, EveryWordHasTheVariantSoundAndSkeletonOfTheSecondImplementation) {
  std::set<std::string> words;
  for (const Json& line : ReadLines("words.jsonl")) {
    Attributes vector(line);
    const std::string word = vector.TakeText("word");
    EXPECT_EQ(CanonicalVariant(word), vector.TakeText("variant")) << word;
    EXPECT_EQ(SoundOf(word), vector.TakeText("sound")) << word;
    EXPECT_EQ(SkeletonOf(word), vector.TakeText("skeleton")) << word;
    vector.ExpectAllUsed();
    words.insert(word);
  }
  // Every row of the tables is among them.
  for (const WordPair& pair : NameVariants())
    EXPECT_TRUE(words.contains(std::string(pair.from))) << pair.from;
  for (const SoundRule& rule : SoundRules()) {
    EXPECT_TRUE(words.contains(std::string(rule.spelling))) << rule.spelling;
  }
}

}  // namespace
}  // namespace raakvlak::linkage
