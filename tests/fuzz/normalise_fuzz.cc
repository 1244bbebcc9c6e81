// Normalisation of arbitrary text: normalising twice is normalising once.
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "linkage/normalise.h"
#include "linkage/rules.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace linkage = raakvlak::linkage;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<absl::string_view> parts = absl::StrSplit(input, '\n');
  linkage::Record record;
  std::string* fields[] = {&record.bsn,          &record.surname,     &record.given_names,
                           &record.birth_date,   &record.postcode,    &record.house_number,
                           &record.house_letter, &record.house_suffix};
  for (size_t i = 0; i < parts.size() && i < std::size(fields); ++i) *fields[i] = std::string(parts[i]);
  const absl::CivilDay today(2026, 11, 21);
  const auto once = linkage::Normalise(record, today, linkage::Recipe::kOne);
  if (!once.ok()) return 0;
  record.bsn = once->bsn;
  record.surname = once->surname;
  record.given_names = once->initial;
  record.birth_date = once->birth_date;
  record.postcode = once->postcode;
  record.house_number = once->house_number;
  record.house_letter = once->house_letter;
  record.house_suffix = once->house_suffix;
  const auto twice = linkage::Normalise(record, today, linkage::Recipe::kOne);
  // Folding may make a name longer than is taken; then it is refused, not changed.
  if (!twice.ok()) return 0;
  for (const linkage::RuleDefinition& rule : linkage::BuiltInRules()) {
    RAAKVLAK_CHECK(linkage::FieldsOf(rule, *once) == linkage::FieldsOf(rule, *twice),
                   "normalising twice is normalising once");
  }
  return 0;
}
