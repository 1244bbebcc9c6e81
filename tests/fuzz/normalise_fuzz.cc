// Normalisation of arbitrary text: normalising twice is normalising once, by both recipes and in every
// locale, and every derived field can be made.
#include <unicode/uloc.h>
#include <unicode/utf8.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/reason.h"
#include "base/status.h"
#include "linkage/derived.h"
#include "linkage/fold.h"
#include "linkage/normalise.h"

namespace {

namespace linkage = raakvlak::linkage;

// A locale whose own rules for letters differ most from ours.
constexpr const char* kLocales[] = {"en", "tr", "lt"};

std::string Derived(const linkage::Normalised& record, bool with_recipe_one) {
  std::string all;
  for (const linkage::DerivedField& field : linkage::DerivedFields()) {
    if (!with_recipe_one && (field.name == "surname" || field.name == "initial")) continue;
    const std::string value = field.derive(record);
    RAAKVLAK_CHECK(linkage::IsUtf8(value), "derived fields are UTF-8");
    absl::StrAppend(&all, field.name, "=", value, "\n");
  }
  return all;
}

void Check(const linkage::Record& record, linkage::Recipe recipe) {
  const absl::CivilDay today(2026, 11, 21);
  const auto once = linkage::Normalise(record, today, recipe);
  for (const char* locale : kLocales) {
    UErrorCode error = U_ZERO_ERROR;
    uloc_setDefault(locale, &error);
    const auto elsewhere = linkage::Normalise(record, today, recipe);
    RAAKVLAK_CHECK(elsewhere.ok() == once.ok(), "the locale refuses nothing");
    RAAKVLAK_CHECK(!once.ok() || Derived(*elsewhere, true) == Derived(*once, true),
                   "the locale changes nothing");
  }
  if (!once.ok()) return;
  const auto twice = linkage::Normalise(linkage::CanonicalRecord(*once, recipe), today, recipe);
  if (!twice.ok()) {
    // Folding may make a name longer than is taken; then it is refused, not changed.
    RAAKVLAK_CHECK(raakvlak::base::ReasonOf(twice.status()) == raakvlak::base::reason::kFieldTooLong,
                   "what was normalised is taken again");
    return;
  }
  // Recipe 2 hands its own canonical names on; those of recipe 1 are not made of them.
  const bool with_recipe_one = recipe == linkage::Recipe::kOne;
  RAAKVLAK_CHECK(Derived(*once, with_recipe_one) == Derived(*twice, with_recipe_one),
                 "normalising twice is normalising once");
}

// Bytes as code points of any plane: most bytes that a fuzzer tries are no UTF-8.
std::string AsUnicode(absl::string_view bytes) {
  std::string text;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    const auto high = static_cast<unsigned char>(bytes[i]);
    const auto low = static_cast<unsigned char>(bytes[i + 1]);
    // Mostly the blocks of letters that names are written in; the rest of the planes now and then.
    const UChar32 c = high < 0xE0 ? (high & 0x3F) << 8 | low : (high & 0x1F) << 15 | low << 7 | (low & 0x7F);
    char buffer[U8_MAX_LENGTH];
    int32_t size = 0;
    UBool error = false;
    U8_APPEND(reinterpret_cast<uint8_t*>(buffer), size, U8_MAX_LENGTH, c, error);
    if (!error) text.append(buffer, static_cast<size_t>(size));
  }
  return text;
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
  for (std::string* name : {&record.surname, &record.given_names, &record.surname_prefix}) {
    *name = AsUnicode(*name);
  }
  Check(record, linkage::Recipe::kTwo);
  return 0;
}
