// Derived fields: what a linkage rule is made of. A field has a name, which the covenant gives, and a
// function of the normalised record (docs/format/normalisation.md, "Derived fields"). DO NOT CHANGE what a
// name means.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "linkage/normalise.h"

namespace raakvlak::linkage {

// What a field is about; decides the class and subject of rules that use it.
enum class FieldKind : uint8_t {
  kNumber,   // the BSN
  kPerson,   // of one person: given name, date of birth
  kFamily,   // surname: shared by a household
  kAddress,  // of the place
};

struct DerivedField {
  absl::string_view name;
  FieldKind kind;
  // Empty when the record does not have what it is made of.
  std::string (*derive)(const Normalised& record);
};

// DerivedFields returns all fields that this version knows.
absl::Span<const DerivedField> DerivedFields();

// FindDerivedField returns nullptr when there is none of that name.
const DerivedField* FindDerivedField(absl::string_view name);

}  // namespace raakvlak::linkage
