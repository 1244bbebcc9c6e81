#include "linkage/normalise.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/reason.h"
#include "base/status.h"
#include "linkage/fold.h"
#include "linkage/names.h"

namespace raakvlak::linkage {
namespace {

namespace reason = base::reason;

constexpr size_t kBsnSize = 9;
constexpr int kFirstBirthYear = 1880;
constexpr size_t kMaxHouseNumberDigits = 5;
constexpr size_t kMaxHouseSuffixSize = 4;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }

bool AllDigits(absl::string_view text) {
  for (const char c : text) {
    if (!IsDigit(c)) return false;
  }
  return true;
}

absl::StatusOr<std::string> NormaliseBsn(absl::string_view text) {
  if (text.empty()) return std::string();
  if (!AllDigits(text) || text.size() < kBsnSize - 1 || text.size() > kBsnSize) {
    return FieldError(reason::kBsnInvalid, kBsn, "not 8 or 9 digits");
  }
  std::string bsn = text.size() == kBsnSize ? std::string(text) : absl::StrCat("0", text);
  if (!PassesElevenTest(bsn)) {
    base::WipeString(bsn);
    return FieldError(reason::kBsnInvalid, kBsn, "fails the 11-test, or is all zero");
  }
  return bsn;
}

// A date of birth; month and day are 0 when they are not known.
struct BirthDate {
  int year = 0;
  int month = 0;
  int day = 0;
};

int NumberOf(absl::string_view digits) {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Nothing when the text has another shape. Recipe 2 also takes YYYY and YYYY-MM.
std::optional<BirthDate> ParseShape(absl::string_view text, Recipe recipe) {
  const size_t size = text.size();
  if (size != 10 && (recipe == Recipe::kOne || (size != 4 && size != 7))) return std::nullopt;
  if ((size >= 7 && text[4] != '-') || (size == 10 && text[7] != '-')) return std::nullopt;
  const absl::string_view year = text.substr(0, 4);
  const absl::string_view month = size >= 7 ? text.substr(5, 2) : "00";
  const absl::string_view day = size == 10 ? text.substr(8, 2) : "00";
  if (!AllDigits(year) || !AllDigits(month) || !AllDigits(day)) return std::nullopt;
  return BirthDate{NumberOf(year), NumberOf(month), NumberOf(day)};
}

// Sets birth_date, its parts and born of `out`.
absl::Status NormaliseBirthDate(absl::string_view text, absl::CivilDay today, Recipe recipe,
                                Normalised& out) {
  if (text.empty()) return absl::OkStatus();
  const std::optional<BirthDate> date = ParseShape(text, recipe);
  if (!date.has_value()) return FieldError(reason::kDateInvalid, kBirthDate, "not YYYY-MM-DD");
  const bool partial_taken = recipe == Recipe::kTwo;
  if (partial_taken && date->year == 0 && date->month == 0 && date->day == 0) return absl::OkStatus();
  const bool partial = partial_taken && date->day == 0;
  const int first_month = partial && date->month == 0 ? 1 : date->month;
  const int last_month = partial && date->month == 0 ? 12 : date->month;
  // A CivilDay carries overflow into the next month: what it changed is no day of the calendar.
  const absl::CivilDay born(date->year, first_month, partial ? 1 : date->day);
  if (born.year() != date->year || born.month() != first_month || (!partial && born.day() != date->day)) {
    return FieldError(reason::kDateInvalid, kBirthDate, "not a date of the calendar");
  }
  if (born > today) return FieldError(reason::kDateInvalid, kBirthDate, "in the future");
  if (date->year < kFirstBirthYear) return FieldError(reason::kDateInvalid, kBirthDate, "before 1880");
  out.born = born;
  out.born_last =
      partial ? std::min(today, absl::CivilDay(absl::CivilMonth(date->year, last_month) + 1) - 1) : born;
  if (!partial) out.birth_date = std::string(text);
  if (recipe == Recipe::kOne) return absl::OkStatus();
  out.birth_year = std::string(text.substr(0, 4));
  if (date->month != 0) out.birth_month = std::string(text.substr(5, 2));
  if (date->day != 0) out.birth_day = std::string(text.substr(8, 2));
  return absl::OkStatus();
}

absl::StatusOr<std::string> NormalisePostcode(absl::string_view text) {
  if (text.empty()) return std::string();
  bool valid = text.size() == 6 || (text.size() == 7 && text[4] == ' ');
  const absl::string_view digits = text.substr(0, 4);
  const absl::string_view letters = valid ? text.substr(text.size() - 2) : "";
  valid = valid && AllDigits(digits) && digits[0] != '0' && IsLetter(letters[0]) && IsLetter(letters[1]);
  if (!valid) return FieldError(reason::kPostcodeInvalid, kPostcode, "not four digits and two letters");
  return absl::StrCat(digits, absl::AsciiStrToUpper(letters));
}

absl::StatusOr<std::string> NormaliseHouseNumber(absl::string_view text) {
  if (text.empty()) return std::string();
  absl::string_view digits = text;
  while (absl::StartsWith(digits, "0")) digits.remove_prefix(1);
  if (!AllDigits(digits) || digits.empty() || digits.size() > kMaxHouseNumberDigits) {
    return FieldError(reason::kHouseNumberInvalid, kHouseNumber, "not 1 to 99999");
  }
  return std::string(digits);
}

absl::StatusOr<std::string> NormaliseHouseLetter(absl::string_view text) {
  if (text.empty()) return std::string();
  if (text.size() != 1 || !IsLetter(text[0])) {
    return FieldError(reason::kHouseLetterInvalid, kHouseLetter, "not one letter");
  }
  return absl::AsciiStrToUpper(text);
}

absl::StatusOr<std::string> NormaliseHouseSuffix(absl::string_view text) {
  std::string out;
  bool valid = text.size() <= kMaxHouseSuffixSize;
  for (const char c : text) {
    if (IsDigit(c) || IsLetter(c)) {
      out += absl::ascii_toupper(static_cast<unsigned char>(c));
    } else if (c != ' ' && c != '-') {
      valid = false;
    }
  }
  if (!valid) {
    return FieldError(reason::kHouseSuffixInvalid, kHouseSuffix,
                      "not 1 to 4 letters, digits, blanks or hyphens");
  }
  return out;
}

absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (text.size() > kMaxFieldSize) {
    return FieldError(reason::kFieldTooLong, field, absl::StrCat("over ", kMaxFieldSize, " bytes"));
  }
  if (!IsUtf8(text)) return FieldError(reason::kNotUtf8, field, "not UTF-8");
  return absl::OkStatus();
}

}  // namespace

Normalised::~Normalised() {
  for (std::string* field : {&bsn, &surname, &initial, &birth_date, &postcode, &house_number, &house_letter,
                             &house_suffix, &surname_prefix, &birth_year, &birth_month, &birth_day}) {
    base::WipeString(*field);
  }
  for (std::string& part : surname_parts) base::WipeString(part);
  for (std::string& name : given_names) base::WipeString(name);
}

absl::StatusOr<Normalised> Normalise(const Record& record, absl::CivilDay today, Recipe recipe) {
  const std::array<std::pair<absl::string_view, const std::string*>, 9> fields = {{
      {kBsn, &record.bsn},
      {kSurname, &record.surname},
      {kSurnamePrefix, &record.surname_prefix},
      {kGivenNames, &record.given_names},
      {kBirthDate, &record.birth_date},
      {kPostcode, &record.postcode},
      {kHouseNumber, &record.house_number},
      {kHouseLetter, &record.house_letter},
      {kHouseSuffix, &record.house_suffix},
  }};
  for (const auto& [field, text] : fields) RAAKVLAK_RETURN_IF_ERROR(CheckText(field, *text));

  Normalised out;
  RAAKVLAK_ASSIGN_OR_RETURN(out.bsn, NormaliseBsn(TrimWhiteSpace(record.bsn)));
  out.surname = FoldToLetters(record.surname);
  std::string given_names = FoldToLetters(record.given_names);
  out.initial = FirstLetter(given_names);
  base::WipeString(given_names);
  RAAKVLAK_RETURN_IF_ERROR(NormaliseBirthDate(TrimWhiteSpace(record.birth_date), today, recipe, out));
  RAAKVLAK_ASSIGN_OR_RETURN(out.postcode, NormalisePostcode(TrimWhiteSpace(record.postcode)));
  RAAKVLAK_ASSIGN_OR_RETURN(out.house_number, NormaliseHouseNumber(TrimWhiteSpace(record.house_number)));
  RAAKVLAK_ASSIGN_OR_RETURN(out.house_letter, NormaliseHouseLetter(TrimWhiteSpace(record.house_letter)));
  RAAKVLAK_ASSIGN_OR_RETURN(out.house_suffix, NormaliseHouseSuffix(TrimWhiteSpace(record.house_suffix)));
  if (recipe == Recipe::kTwo) {
    Surname surname = ParseSurname(record.surname, record.surname_prefix);
    out.surname_prefix = std::move(surname.prefix);
    out.surname_parts = std::move(surname.parts);
    out.given_names = ParseGivenNames(record.given_names);
  }
  return out;
}

Record CanonicalRecord(const Normalised& normalised, Recipe recipe) {
  Record record;
  record.bsn = normalised.bsn;
  record.postcode = normalised.postcode;
  record.house_number = normalised.house_number;
  record.house_letter = normalised.house_letter;
  record.house_suffix = normalised.house_suffix;
  if (recipe == Recipe::kOne) {
    record.surname = normalised.surname;
    record.given_names = normalised.initial;
    record.birth_date = normalised.birth_date;
    return record;
  }
  record.surname = absl::StrJoin(normalised.surname_parts, "-");
  record.surname_prefix = normalised.surname_prefix;
  record.given_names = absl::StrJoin(normalised.given_names, " ");
  record.birth_date = normalised.birth_year;
  for (const std::string* part : {&normalised.birth_month, &normalised.birth_day}) {
    if (!part->empty()) absl::StrAppend(&record.birth_date, "-", *part);
  }
  return record;
}

int AgeOn(absl::CivilDay born, absl::CivilDay day) {
  RAAKVLAK_CHECK(born <= day, "nobody has an age before birth");
  const auto years = static_cast<int>(day.year() - born.year());
  const bool birthday_to_come = std::pair(day.month(), day.day()) < std::pair(born.month(), born.day());
  return birthday_to_come ? years - 1 : years;
}

bool IsTestBsn(absl::string_view bsn) { return bsn.size() == kBsnSize && absl::StartsWith(bsn, "99999"); }

bool PassesElevenTest(absl::string_view nine_digits) {
  if (nine_digits.size() != kBsnSize || !AllDigits(nine_digits)) return false;
  int sum = 0;
  bool all_zero = true;
  for (size_t i = 0; i < kBsnSize; ++i) {
    const int digit = nine_digits[i] - '0';
    all_zero = all_zero && digit == 0;
    sum += digit * (i + 1 == kBsnSize ? -1 : static_cast<int>(kBsnSize - i));
  }
  return !all_zero && sum % 11 == 0;
}

}  // namespace raakvlak::linkage
