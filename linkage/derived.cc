#include "linkage/derived.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/secret.h"
#include "linkage/name_tables.h"
#include "linkage/phonetic.h"

namespace raakvlak::linkage {
namespace {

constexpr size_t kSurnameStart = 4;
constexpr size_t kGivenNameStart = 3;
// Born before it: grown up, out of the parents' house as a rule. A later recipe may move it.
constexpr absl::string_view kSettledBefore = "2000";

using Text = std::string;
using Word = std::string (*)(absl::string_view);

// The first `count` code points.
std::string StartOf(absl::string_view word, size_t count) {
  size_t end = 0;
  for (; end < word.size(); ++end) {
    const bool begins = (static_cast<unsigned char>(word[end]) & 0xC0u) != 0x80u;
    if (begins && count-- == 0) break;
  }
  return std::string(word.substr(0, end));
}

std::string Variant(absl::string_view word) { return std::string(CanonicalVariant(word)); }
std::string VariantSound(absl::string_view word) { return SoundOf(CanonicalVariant(word)); }
std::string VariantSkeleton(absl::string_view word) { return SkeletonOf(CanonicalVariant(word)); }
std::string SurnameStart(absl::string_view word) { return StartOf(CanonicalVariant(word), kSurnameStart); }
std::string GivenNameStart(absl::string_view word) {
  return StartOf(CanonicalVariant(word), kGivenNameStart);
}

// The start of how it sounds, and whether it is written with a vowel at the end: tells Jan from Janna.
std::string Code(absl::string_view written) {
  const absl::string_view word = CanonicalVariant(written);
  std::string sound = SoundOf(word, kGivenNameStart);
  std::string code = StartOf(sound, kGivenNameStart);
  base::WipeString(sound);
  if (absl::string_view("aeiouy").find(word.back()) != absl::string_view::npos) code += '+';
  return code;
}

// The own name in the Dutch order "partner-own".
template <Word word>
Text Own(const Normalised& r) {
  return r.surname_parts.empty() ? "" : word(r.surname_parts.back());
}

template <Word word>
Text Lowest(const Normalised& r) {
  std::string lowest;
  for (const std::string& part : r.surname_parts) {
    std::string form = word(part);
    if (lowest.empty() || form < lowest) std::swap(lowest, form);
    base::WipeString(form);
  }
  return lowest;
}

template <Word word>
Text Highest(const Normalised& r) {
  std::string highest;
  for (const std::string& part : r.surname_parts) {
    std::string form = word(part);
    if (form > highest) std::swap(highest, form);
    base::WipeString(form);
  }
  return highest;
}

// A name of which only the initial is known is none.
absl::string_view FirstGivenName(const Normalised& r) {
  if (r.given_names.empty() || StartOf(r.given_names[0], 1).size() == r.given_names[0].size()) return "";
  return r.given_names[0];
}

Text GivenInitial(const Normalised& r) { return r.given_names.empty() ? "" : StartOf(r.given_names[0], 1); }

template <Word word>
Text GivenName(const Normalised& r) {
  const absl::string_view name = FirstGivenName(r);
  return name.empty() ? "" : word(name);
}

// Sorted, without doubles, blanks between; so that the order in which they were written does not count.
Text Sorted(std::vector<std::string> words) {
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  std::string out;
  for (std::string& word : words) {
    absl::StrAppend(&out, out.empty() ? "" : " ", word);
    base::WipeString(word);
  }
  return out;
}

template <Word word>
Text AllSurnames(const Normalised& r) {
  std::vector<std::string> words;
  for (const std::string& part : r.surname_parts) words.push_back(word(part));
  return Sorted(std::move(words));
}

template <Word word>
Text AllNames(const Normalised& r) {
  const absl::string_view given = FirstGivenName(r);
  if (given.empty() || r.surname_parts.empty()) return "";
  std::vector<std::string> words = {word(given)};
  for (const std::string& part : r.surname_parts) words.push_back(word(part));
  return Sorted(std::move(words));
}

// Given name and own surname, whichever is which.
Text NamesCode(const Normalised& r) {
  const absl::string_view given = FirstGivenName(r);
  if (given.empty() || r.surname_parts.empty()) return "";
  std::string first = Code(given);
  std::string second = Code(r.surname_parts.back());
  if (second < first) std::swap(first, second);
  Text both = absl::StrCat(first, " ", second);
  base::WipeString(first);
  base::WipeString(second);
  return both;
}

template <std::string Normalised::*field>
Text Plain(const Normalised& r) {
  return r.*field;
}

// Two texts with a hyphen between; nothing when one is missing.
Text Both(absl::string_view first, absl::string_view second) {
  return first.empty() || second.empty() ? "" : absl::StrCat(first, "-", second);
}

// 1 January and 1 July are what is written when the day is not known: they say little.
Text CertainBirthDate(const Normalised& r) {
  const bool stands_for_unknown =
      absl::EndsWith(r.birth_date, "-01-01") || absl::EndsWith(r.birth_date, "-07-01");
  return stands_for_unknown ? "" : r.birth_date;
}

// Twins share a date and a home; of those who are settled, hardly any still do.
Text SettledBirthDate(const Normalised& r) {
  return r.birth_year < kSettledBefore ? CertainBirthDate(r) : "";
}

// "1" unless the year of birth says young: a father and his son of the same name share a home and no date.
Text NotKnownYoung(const Normalised& r) {
  return r.birth_year.empty() || r.birth_year < kSettledBefore ? "1" : "";
}

Text UnorderedBirthDate(const Normalised& r) {
  if (r.birth_month.empty() || r.birth_day.empty()) return "";
  const auto [first, second] = std::minmax(r.birth_month, r.birth_day);
  return absl::StrCat(r.birth_year, "-", first, "-", second);
}

Text BirthYearMonth(const Normalised& r) { return Both(r.birth_year, r.birth_month); }
Text BirthYearDay(const Normalised& r) { return Both(r.birth_year, r.birth_day); }
Text BirthMonthDay(const Normalised& r) { return Both(r.birth_month, r.birth_day); }

// Its characters in order: two that were swapped make no difference.
template <std::string Normalised::*field>
Text Unordered(const Normalised& r) {
  Text text = r.*field;
  std::sort(text.begin(), text.end());
  return text;
}

Text LetterSuffix(const Normalised& r) { return absl::StrCat(r.house_letter, "/", r.house_suffix); }

// Letter and suffix in one: partners put the same addition in either.
Text House(const Normalised& r) {
  if (r.house_number.empty() || (r.house_letter.empty() && r.house_suffix.empty())) return r.house_number;
  return absl::StrCat(r.house_number, "-", r.house_letter, r.house_suffix);
}

Text Address(const Normalised& r) {
  const std::string house = House(r);
  return r.postcode.empty() || house.empty() ? "" : absl::StrCat(r.postcode, " ", house);
}

Text PostcodeArea(const Normalised& r) { return StartOf(r.postcode, 4); }

constexpr DerivedField kFields[] = {
    {"bsn", FieldKind::kNumber, Plain<&Normalised::bsn>},
    // Recipe 1.
    {"surname", FieldKind::kFamily, Plain<&Normalised::surname>},
    {"initial", FieldKind::kPerson, Plain<&Normalised::initial>},
    {"birth_date", FieldKind::kPerson, Plain<&Normalised::birth_date>},
    {"postcode", FieldKind::kAddress, Plain<&Normalised::postcode>},
    {"house_number", FieldKind::kAddress, Plain<&Normalised::house_number>},
    {"house_letter_suffix", FieldKind::kAddress, LetterSuffix},
    // Surnames.
    {"surname_low", FieldKind::kFamily, Lowest<Variant>},
    {"surname_high", FieldKind::kFamily, Highest<Variant>},
    {"surname_all", FieldKind::kFamily, AllSurnames<Variant>},
    {"surname_low_sound", FieldKind::kFamily, Lowest<VariantSound>},
    {"surname_high_sound", FieldKind::kFamily, Highest<VariantSound>},
    {"surname_low_skeleton", FieldKind::kFamily, Lowest<VariantSkeleton>},
    {"surname_high_skeleton", FieldKind::kFamily, Highest<VariantSkeleton>},
    {"surname_low_start", FieldKind::kFamily, Lowest<SurnameStart>},
    {"surname_high_start", FieldKind::kFamily, Highest<SurnameStart>},
    {"surname_own_start", FieldKind::kFamily, Own<GivenNameStart>},
    {"surname_own_skeleton", FieldKind::kFamily, Own<VariantSkeleton>},
    // Given names.
    {"given_initial", FieldKind::kPerson, GivenInitial},
    {"given_name", FieldKind::kPerson, GivenName<Variant>},
    {"given_name_sound", FieldKind::kPerson, GivenName<VariantSound>},
    {"given_name_skeleton", FieldKind::kPerson, GivenName<VariantSkeleton>},
    {"given_name_start", FieldKind::kPerson, GivenName<GivenNameStart>},
    {"given_name_code", FieldKind::kPerson, GivenName<Code>},
    // Surnames and given name, whichever is which.
    {"names", FieldKind::kPerson, AllNames<Variant>},
    {"names_sound", FieldKind::kPerson, AllNames<VariantSound>},
    {"names_skeleton", FieldKind::kPerson, AllNames<VariantSkeleton>},
    {"names_start", FieldKind::kPerson, AllNames<GivenNameStart>},
    {"names_code", FieldKind::kPerson, NamesCode},
    // Dates of birth.
    {"settled_birth_date", FieldKind::kPerson, SettledBirthDate},
    {"not_known_young", FieldKind::kPerson, NotKnownYoung},
    {"birth_date_certain", FieldKind::kPerson, CertainBirthDate},
    {"birth_date_unordered", FieldKind::kPerson, UnorderedBirthDate},
    {"birth_year", FieldKind::kPerson, Plain<&Normalised::birth_year>},
    {"birth_month", FieldKind::kPerson, Plain<&Normalised::birth_month>},
    {"birth_day", FieldKind::kPerson, Plain<&Normalised::birth_day>},
    {"birth_year_month", FieldKind::kPerson, BirthYearMonth},
    {"birth_year_day", FieldKind::kPerson, BirthYearDay},
    {"birth_month_day", FieldKind::kPerson, BirthMonthDay},
    // Addresses.
    {"postcode_unordered", FieldKind::kAddress, Unordered<&Normalised::postcode>},
    {"house_number_unordered", FieldKind::kAddress, Unordered<&Normalised::house_number>},
    {"postcode_area", FieldKind::kAddress, PostcodeArea},
    {"house", FieldKind::kAddress, House},
    {"address", FieldKind::kAddress, Address},
};

}  // namespace

absl::Span<const DerivedField> DerivedFields() { return kFields; }

const DerivedField* FindDerivedField(absl::string_view name) {
  for (const DerivedField& field : kFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

}  // namespace raakvlak::linkage
