// Linkage rules: which derived fields form an identifier.
//
// A rule is data: the covenant names its fields, class, subject and recipe version, and says which quality it
// has. A rule whose fields are not all given yields no identifier for that record.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "linkage/derived.h"
#include "linkage/normalise.h"

namespace raakvlak::linkage {

// g++ 12 takes a scoped enumerator for a shadow of the field name of record.h.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
enum class IdentifierClass : uint8_t { kBsn = 1, kPerson = 2, kAddress = 3 };
#pragma GCC diagnostic pop
enum class Subject : uint8_t { kPerson = 1, kHousehold = 2 };

inline constexpr size_t kMaxRuleFields = 8;

struct RuleDefinition {
  std::string id;
  uint32_t version = 0;
  IdentifierClass identifier_class = IdentifierClass::kPerson;
  Subject subject = Subject::kPerson;
  std::vector<const DerivedField*> fields;
};

// DefineRule checks and makes a rule. With no `fields` it is one of BuiltInRules. COVENANT_INVALID with what
// is wrong: no such built-in rule, or one of another class or subject; with fields a version other than 2, an
// unknown field, one given twice, more than kMaxRuleFields; a class other than the fields have (BSN when one
// is the BSN, ADDRESS when all are of the address, else PERSON); a household rule with a field of one person.
absl::StatusOr<RuleDefinition> DefineRule(absl::string_view id, uint32_t version,
                                          IdentifierClass identifier_class, Subject subject,
                                          const std::vector<std::string>& fields);

// As the covenant numbers them.
enum class Quality : uint8_t { kExact = 1, kStrong = 2, kSupporting = 3 };

// A rule with the quality that the covenant, or the default set, gives it.
struct QualifiedRule {
  RuleDefinition rule;
  Quality quality;
};

// RecipeOf returns the recipe by which records are normalised for a purpose with these rules: the second when
// one of them is of it.
Recipe RecipeOf(const std::vector<QualifiedRule>& rules);

// BuiltInRules returns the rules of recipe 1: "bsn" (class BSN, person: bsn), "surname-initial-birthdate"
// (PERSON, person: surname, initial, birth_date), "address" (ADDRESS, household: postcode, house_number,
// house_letter_suffix).
absl::Span<const RuleDefinition> BuiltInRules();

// FieldsOf returns the rule's fields of `record` in order; empty when one of them is not given.
std::vector<std::string> FieldsOf(const RuleDefinition& rule, const Normalised& record);

}  // namespace raakvlak::linkage
