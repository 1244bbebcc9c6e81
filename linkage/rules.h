// Linkage rules: which canonical fields form an identifier.
//
// A rule is known by id and version; the covenant says which rules a purpose uses and with which quality.
// A rule whose fields are not all given yields no identifier for that record.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "linkage/normalise.h"

namespace raakvlak::linkage {

// g++ 12 takes a scoped enumerator for a shadow of the field name of record.h.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
enum class IdentifierClass : uint8_t { kBsn = 1, kPerson = 2, kAddress = 3 };
#pragma GCC diagnostic pop
enum class Subject : uint8_t { kPerson = 1, kHousehold = 2 };

struct RuleDefinition {
  absl::string_view id;
  uint16_t version;
  IdentifierClass identifier_class;
  Subject subject;
};

// All rules this version knows: "bsn" (class BSN, person: bsn), "surname-initial-birthdate" (PERSON, person:
// surname, initial, birth_date), "address" (ADDRESS, household: postcode, house_number, house_letter "/"
// house_suffix joined to one field that is never empty).
absl::Span<const RuleDefinition> KnownRules();

// FindRule returns nullptr when there is no such rule in that version.
const RuleDefinition* FindRule(absl::string_view id, uint32_t version);

// FieldsOf returns the rule's canonical fields in order; empty when one of them is not given.
std::vector<std::string> FieldsOf(const RuleDefinition& rule, const Normalised& record);

}  // namespace raakvlak::linkage
