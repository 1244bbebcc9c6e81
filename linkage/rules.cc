#include "linkage/rules.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace raakvlak::linkage {
namespace {

constexpr char kBsnRule[] = "bsn";
constexpr char kNameRule[] = "surname-initial-birthdate";
constexpr char kAddressRule[] = "address";

const std::array<RuleDefinition, 3>& Rules() {
  static const std::array<RuleDefinition, 3> rules = {{
      {kBsnRule, 1, IdentifierClass::kBsn, Subject::kPerson},
      {kNameRule, 1, IdentifierClass::kPerson, Subject::kPerson},
      {kAddressRule, 1, IdentifierClass::kAddress, Subject::kHousehold},
  }};
  return rules;
}

}  // namespace

absl::Span<const RuleDefinition> KnownRules() { return Rules(); }

const RuleDefinition* FindRule(absl::string_view id, uint32_t version) {
  for (const RuleDefinition& rule : Rules()) {
    if (rule.id == id && rule.version == version) return &rule;
  }
  return nullptr;
}

std::vector<std::string> FieldsOf(const RuleDefinition& rule, const Normalised& record) {
  std::vector<std::string> fields;
  if (rule.id == kBsnRule) {
    fields = {record.bsn};
  } else if (rule.id == kNameRule) {
    fields = {record.surname, record.initial, record.birth_date};
  } else if (rule.id == kAddressRule) {
    fields = {record.postcode, record.house_number,
              absl::StrCat(record.house_letter, "/", record.house_suffix)};
  }
  for (const std::string& field : fields) {
    if (!field.empty()) continue;
    for (std::string& given : fields) base::WipeString(given);
    return {};
  }
  return fields;
}

}  // namespace raakvlak::linkage
