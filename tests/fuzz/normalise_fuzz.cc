// Normalisation of arbitrary text: normalising twice is normalising once, by both recipes, and every derived
// field can be made.
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "linkage/derived.h"
#include "linkage/fold.h"
#include "linkage/normalise.h"

namespace {

namespace linkage = raakvlak::linkage;

void Check(const linkage::Record& record, linkage::Recipe recipe) {
  const absl::CivilDay today(2026, 11, 21);
  const auto once = linkage::Normalise(record, today, recipe);
  if (!once.ok()) return;
  const auto twice = linkage::Normalise(linkage::CanonicalRecord(*once, recipe), today, recipe);
  // Folding may make a name longer than is taken; then it is refused, not changed.
  if (!twice.ok()) return;
  for (const linkage::DerivedField& field : linkage::DerivedFields()) {
    const std::string value = field.derive(*once);
    RAAKVLAK_CHECK(linkage::IsUtf8(value), "derived fields are UTF-8");
    // Recipe 2 hands its own canonical names on; those of recipe 1 are not made of them.
    const bool other =
        recipe == linkage::Recipe::kTwo && (field.name == "surname" || field.name == "initial");
    RAAKVLAK_CHECK(other || field.derive(*twice) == value, "normalising twice is normalising once");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const std::vector<absl::string_view> parts = absl::StrSplit(input, '\n');
  linkage::Record record;
  std::string* fields[] = {&record.bsn,          &record.surname,      &record.given_names,
                           &record.birth_date,   &record.postcode,     &record.house_number,
                           &record.house_letter, &record.house_suffix, &record.surname_prefix};
  for (size_t i = 0; i < parts.size() && i < std::size(fields); ++i) *fields[i] = std::string(parts[i]);
  Check(record, linkage::Recipe::kOne);
  Check(record, linkage::Recipe::kTwo);
  return 0;
}
