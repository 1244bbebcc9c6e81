// Normalisation: from text as partners write it to canonical fields (docs/format/normalisation.md).
//
// Recipe 1 belongs to the built-in rules of linkage/rules.h, recipe 2 to rules with fields. They differ in
// birth dates, which recipe 2 also takes with unknown parts, and in names, which recipe 2 takes apart.
// Every field that is given is checked, also one that no rule of the purpose needs. Unicode by ICU,
// independent of the locale. Normalising what was normalised changes nothing. Canonical fields are UTF-8 NFC.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "linkage/record.h"

namespace raakvlak::linkage {

// The recipe of rules with fields.
inline constexpr uint32_t kRecipeVersion = 2;
enum class Recipe : uint32_t { kOne = 1, kTwo = 2 };
// Bytes of one field as given.
inline constexpr size_t kMaxFieldSize = 256;

// Canonical fields; an empty string (or nullopt) means: not given.
struct Normalised {
  std::string bsn;           // 9 digits, passes the 11-test, not 000000000
  std::string surname;       // case folded, letters only, without diacritics, hyphens, apostrophes, blanks
  std::string initial;       // first letter of the first given name, folded the same way
  std::string birth_date;    // YYYY-MM-DD; empty when a part is not known
  std::string postcode;      // 1234AB
  std::string house_number;  // 1 to 99999, no leading zeros
  std::string house_letter;  // A..Z
  std::string house_suffix;  // upper case, blanks and hyphens removed
  // Recipe 2; empty in recipe 1.
  std::string surname_prefix;              // canonical tussenvoegsels, "van der"
  std::vector<std::string> surname_parts;  // see linkage/names.h
  std::vector<std::string> given_names;    // folded; an initial is one letter
  std::string birth_year;                  // YYYY
  std::string birth_month;                 // MM; empty when not known
  std::string birth_day;                   // DD; empty when not known
  // First and last day on which this person may have been born: the same when birth_date is given.
  std::optional<absl::CivilDay> born;
  std::optional<absl::CivilDay> born_last;

  Normalised() = default;
  Normalised(Normalised&&) = default;
  Normalised& operator=(Normalised&&) = default;
  Normalised(const Normalised&) = default;
  Normalised& operator=(const Normalised&) = default;
  ~Normalised();  // wipes
};

// Normalise checks and normalises. `today` bounds birth dates. Errors (each names its field): NOT_UTF8,
// FIELD_TOO_LONG, BSN_INVALID, DATE_INVALID, POSTCODE_INVALID, HOUSE_NUMBER_INVALID, HOUSE_LETTER_INVALID,
// HOUSE_SUFFIX_INVALID. A name without any letter ("-", ".") counts as not given.
absl::StatusOr<Normalised> Normalise(const Record& record, absl::CivilDay today, Recipe recipe);

// CanonicalRecord returns `normalised` written as a record: normalising that by the same recipe changes
// nothing of what the recipe gives.
Record CanonicalRecord(const Normalised& normalised, Recipe recipe);

// AgeOn returns whole years on `day`. REQUIRES: born <= day. Someone born on 29 February is a year older on 1
// March.
int AgeOn(absl::CivilDay born, absl::CivilDay day);

// IsTestBsn: in the range 99999xxxx that demonstrations use. `bsn` is canonical.
bool IsTestBsn(absl::string_view bsn);

// PassesElevenTest: nine digits with 9a+8b+7c+6d+5e+4f+3g+2h-i = 0 mod 11, not all zero.
bool PassesElevenTest(absl::string_view nine_digits);

}  // namespace raakvlak::linkage
