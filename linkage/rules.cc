#include "linkage/rules.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/status.h"

namespace raakvlak::linkage {
namespace {

constexpr uint32_t kBuiltInVersion = 1;

absl::Status Invalid(absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kCovenantInvalid, what);
}

RuleDefinition BuiltIn(absl::string_view id, IdentifierClass identifier_class, Subject subject,
                       const std::vector<absl::string_view>& fields) {
  RuleDefinition rule{std::string(id), kBuiltInVersion, identifier_class, subject, {}};
  for (const absl::string_view field : fields) rule.fields.push_back(FindDerivedField(field));
  return rule;
}

bool HasKind(const RuleDefinition& rule, FieldKind kind) {
  return std::any_of(rule.fields.begin(), rule.fields.end(),
                     [kind](const DerivedField* field) { return field->kind == kind; });
}

IdentifierClass ClassOf(const RuleDefinition& rule) {
  if (HasKind(rule, FieldKind::kNumber)) return IdentifierClass::kBsn;
  const bool of_place = !HasKind(rule, FieldKind::kPerson) && !HasKind(rule, FieldKind::kFamily);
  return of_place ? IdentifierClass::kAddress : IdentifierClass::kPerson;
}

absl::StatusOr<RuleDefinition> FindBuiltIn(absl::string_view id, uint32_t version,
                                           IdentifierClass identifier_class, Subject subject) {
  for (const RuleDefinition& rule : BuiltInRules()) {
    if (rule.id != std::string(id) || rule.version != version) continue;
    if (rule.identifier_class == identifier_class && rule.subject == subject) return rule;
    return Invalid("the linkage rule is of another identifier_class or subject");
  }
  return Invalid("this version has no such linkage rule without fields");
}

}  // namespace

absl::StatusOr<RuleDefinition> DefineRule(absl::string_view id, uint32_t version,
                                          IdentifierClass identifier_class, Subject subject,
                                          const std::vector<std::string>& fields) {
  if (fields.empty()) return FindBuiltIn(id, version, identifier_class, subject);
  if (version != kRecipeVersion) {
    return Invalid(absl::StrCat("a rule with fields has version ", kRecipeVersion));
  }
  if (fields.size() > kMaxRuleFields) return Invalid(absl::StrCat("more than ", kMaxRuleFields, " fields"));
  RuleDefinition rule{std::string(id), version, identifier_class, subject, {}};
  for (const std::string& name : fields) {
    const DerivedField* field = FindDerivedField(name);
    if (field == nullptr) return Invalid(absl::StrCat("there is no derived field \"", name, "\""));
    if (std::find(rule.fields.begin(), rule.fields.end(), field) != rule.fields.end()) {
      return Invalid(absl::StrCat("field ", name, " is given twice"));
    }
    rule.fields.push_back(field);
  }
  if (ClassOf(rule) != identifier_class) {
    return Invalid(
        "the linkage rule is of another identifier_class: BSN with the BSN, ADDRESS when all fields "
        "are of the address, else PERSON");
  }
  const bool of_person = HasKind(rule, FieldKind::kPerson) || HasKind(rule, FieldKind::kNumber);
  if (subject == Subject::kHousehold && of_person) {
    return Invalid("a rule about households has a field of one person");
  }
  return rule;
}

Recipe RecipeOf(const std::vector<QualifiedRule>& rules) {
  const bool second = std::any_of(rules.begin(), rules.end(), [](const QualifiedRule& each) {
    return each.rule.version == kRecipeVersion;
  });
  return second ? Recipe::kTwo : Recipe::kOne;
}

absl::Span<const RuleDefinition> BuiltInRules() {
  static const std::vector<RuleDefinition>* const rules = new std::vector<RuleDefinition>{
      BuiltIn("bsn", IdentifierClass::kBsn, Subject::kPerson, {"bsn"}),
      BuiltIn("surname-initial-birthdate", IdentifierClass::kPerson, Subject::kPerson,
              {"surname", "initial", "birth_date"}),
      BuiltIn("address", IdentifierClass::kAddress, Subject::kHousehold,
              {"postcode", "house_number", "house_letter_suffix"}),
  };
  return *rules;
}

std::vector<std::string> FieldsOf(const RuleDefinition& rule, const Normalised& record) {
  std::vector<std::string> values;
  values.reserve(rule.fields.size());
  for (const DerivedField* field : rule.fields) {
    values.push_back(field->derive(record));
    if (!values.back().empty()) continue;
    for (std::string& value : values) base::WipeString(value);
    return {};
  }
  return values;
}

}  // namespace raakvlak::linkage
