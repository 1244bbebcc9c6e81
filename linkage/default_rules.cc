#include "linkage/default_rules.h"

#include "base/status.h"

namespace raakvlak::linkage {
namespace {

DefaultRule Make(const std::string& id, Quality quality, IdentifierClass identifier_class, Subject subject,
                 const std::vector<std::string>& fields) {
  auto rule = DefineRule(id, kRecipeVersion, identifier_class, subject, fields);
  RAAKVLAK_CHECK(rule.ok(), "the default rules are valid");
  return {*std::move(rule), quality};
}

DefaultRule Person(const std::string& id, Quality quality, const std::vector<std::string>& fields) {
  return Make(id, quality, IdentifierClass::kPerson, Subject::kPerson, fields);
}

}  // namespace

const std::vector<DefaultRule>& DefaultPersonRules() {
  static const std::vector<DefaultRule>* const rules = new std::vector<DefaultRule>{
      Make("bsn", Quality::kExact, IdentifierClass::kBsn, Subject::kPerson, {"bsn"}),
      Person("names-birthdate", Quality::kStrong, {"names_code", "birth_date_unordered"}),
      Person("names-address", Quality::kStrong,
             {"names_code", "not_known_young", "postcode_unordered", "house_number_unordered"}),
      Person("names-birthyear-postcode", Quality::kStrong,
             {"names_code", "birth_year", "postcode_unordered"}),
      Person("given-birthdate-postcode", Quality::kStrong,
             {"given_name_code", "birth_date_unordered", "postcode_unordered"}),
      Person("birthdate-address", Quality::kStrong,
             {"settled_birth_date", "postcode_unordered", "house_number_unordered"}),
      Person("surname-birthdate-postcode", Quality::kStrong,
             {"surname_own_start", "settled_birth_date", "postcode_unordered"}),
      Person("surname-birthdate-number", Quality::kStrong,
             {"surname_own_start", "settled_birth_date", "house_number"}),
  };
  return *rules;
}

const std::vector<DefaultRule>& DefaultHouseholdRules() {
  static const std::vector<DefaultRule>* const rules = new std::vector<DefaultRule>{
      Make("address", Quality::kStrong, IdentifierClass::kAddress, Subject::kHousehold, {"address"}),
  };
  return *rules;
}

}  // namespace raakvlak::linkage
