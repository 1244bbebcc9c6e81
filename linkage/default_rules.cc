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
      Person("low-surname-name-birthdate", Quality::kStrong,
             {"surname_low_skeleton", "given_name_start", "birth_date"}),
      Person("high-surname-name-birthdate", Quality::kStrong,
             {"surname_high_skeleton", "given_name_start", "birth_date"}),
      Person("name-birthdate-postcode", Quality::kStrong, {"given_name_start", "birth_date", "postcode"}),
      Person("names-birthdate-unordered", Quality::kStrong, {"names_start", "birth_date_unordered"}),
      Person("names-birthyear-address", Quality::kStrong,
             {"names_start", "birth_year", "postcode", "house_number"}),
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
