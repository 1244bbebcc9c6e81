#include "server/node/validate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/secret.h"
#include "base/status.h"
#include "crypto/disclosure/context.h"
#include "linkage/fold.h"
#include "linkage/record.h"
#include "linkage/rules.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using linkage::FieldError;

absl::Status CheckSize(absl::string_view field, const std::string& value, size_t limit) {
  if (value.size() <= limit) return absl::OkStatus();
  return FieldError(reason::kFieldTooLong, field, absl::StrCat("at most ", limit, " bytes"));
}

absl::Status CheckGiven(absl::string_view field, const std::string& value) {
  if (!value.empty()) return absl::OkStatus();
  return FieldError(reason::kFieldMissing, field, "required");
}

// As normalisation has it: white space alone is a field that was not given.
bool IsBlank(const std::string& value) {
  return linkage::IsUtf8(value) && linkage::TrimWhiteSpace(value).empty();
}

absl::StatusOr<v1::SignalKind> ParseKind(const std::string& kind) {
  if (kind == "signal") return v1::SIGNAL;
  if (kind == "case_report") return v1::CASE_REPORT;
  return FieldError(reason::kKindInvalid, "kind", "neither signal nor case_report");
}

absl::Status CheckPermissions(const v1::Record& record, const v1::Purpose& purpose, v1::SignalKind kind,
                              const v1::Partner& partner) {
  if (!policy::Covenant::MaySubmit(purpose, partner.id())) {
    return FieldError(reason::kPurposeNotAllowed, "purpose", "this partner may not submit to this purpose");
  }
  if (kind == v1::CASE_REPORT && !policy::Covenant::MayReportCases(purpose, partner.id())) {
    return FieldError(reason::kKindNotAllowed, "kind", "this partner may not report cases for this purpose");
  }
  const auto& categories = purpose.categories();
  if (std::find(categories.begin(), categories.end(), record.category()) == categories.end()) {
    return FieldError(reason::kCategoryUnknown, "category", "not a category of this purpose");
  }
  if (!IsBlank(record.bsn()) && !partner.bsn_entitled()) {
    return FieldError(reason::kBsnNotEntitled, linkage::kBsn, "this partner may not use the BSN");
  }
  return absl::OkStatus();
}

absl::Status CheckAge(const linkage::Normalised& fields, const v1::Purpose& purpose, absl::CivilDay today) {
  if (purpose.age_from() == 0 && purpose.age_below() == 0) return absl::OkStatus();
  if (!fields.born.has_value()) {
    return FieldError(reason::kAgeUnknown, linkage::kBirthDate, "this purpose has an age bound");
  }
  const auto is_allowed = [&](absl::CivilDay born) {
    const auto age = static_cast<uint32_t>(linkage::AgeOn(born, today));
    return age >= purpose.age_from() && (purpose.age_below() == 0 || age < purpose.age_below());
  };
  const bool oldest = is_allowed(*fields.born);
  const bool youngest = is_allowed(*fields.born_last);
  if (oldest && youngest) return absl::OkStatus();
  if (oldest || youngest) {
    return FieldError(reason::kAgeUnknown, linkage::kBirthDate,
                      "this purpose has an age bound that the known parts do not decide");
  }
  return FieldError(reason::kAgeNotAllowed, linkage::kBirthDate, "outside the ages of this purpose");
}

absl::StatusOr<linkage::RuleDefinition> DefinitionOf(const v1::LinkageRule& rule) {
  return linkage::DefineRule(
      rule.id(), rule.version(), static_cast<linkage::IdentifierClass>(rule.identifier_class()),
      static_cast<linkage::Subject>(rule.subject()), {rule.fields().begin(), rule.fields().end()});
}

// The rules of recipe 1 take no birth date with unknown parts, so a purpose with none but them does not.
linkage::Recipe RecipeOf(const v1::Purpose& purpose) {
  for (const v1::LinkageRule& rule : purpose.rules()) {
    if (rule.version() == linkage::kRecipeVersion) return linkage::Recipe::kTwo;
  }
  return linkage::Recipe::kOne;
}

linkage::Record ToLinkage(const v1::Record& record) {
  linkage::Record out;
  out.bsn = record.bsn();
  out.surname = record.surname();
  out.surname_prefix = record.surname_prefix();
  out.given_names = record.given_names();
  out.birth_date = record.birth_date();
  out.postcode = record.postcode();
  out.house_number = record.house_number();
  out.house_letter = record.house_letter();
  out.house_suffix = record.house_suffix();
  return out;
}

absl::StatusOr<ValidRecord> FindPurposeAndKind(const v1::Record& record, const policy::Covenant& covenant) {
  ValidRecord out;
  out.purpose = covenant.FindPurpose(record.purpose());
  if (out.purpose == nullptr) {
    return FieldError(reason::kPurposeUnknown, "purpose", "no such purpose in the covenant");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(out.kind, ParseKind(record.kind()));
  return out;
}

absl::Status DeriveFields(const v1::Record& record, absl::CivilDay day, const v1::Purpose& terms,
                          ValidRecord& out) {
  RAAKVLAK_ASSIGN_OR_RETURN(out.fields, linkage::Normalise(ToLinkage(record), day, RecipeOf(terms)));
  // One letter may fold to several, so a name that was short enough may not be any more.
  return CheckSize(linkage::kSurname, out.fields.surname, crypto::disclosure::kMaxFieldSize);
}

absl::Status DeriveIdentifiers(const v1::Partner& partner, const v1::Purpose& terms, ValidRecord& out) {
  out.identifiers = IdentifiersOf(out.fields, terms, partner);
  if (!out.identifiers.empty()) return absl::OkStatus();
  return FieldError(reason::kNoRuleApplies, "", "the fields of no linkage rule of this purpose are complete");
}

}  // namespace

Identifier::~Identifier() {
  for (std::string& field : fields) base::WipeString(field);
}

absl::Status ValidateReference(const v1::Record& record) {
  RAAKVLAK_RETURN_IF_ERROR(CheckGiven("client_ref", record.client_ref()));
  return CheckSize("client_ref", record.client_ref(), kMaxClientRefSize);
}

absl::StatusOr<ValidRecord> ValidateRecord(const v1::Record& record, const policy::Covenant& covenant,
                                           const v1::Partner& partner, absl::Time now,
                                           const v1::Purpose* terms) {
  RAAKVLAK_RETURN_IF_ERROR(ValidateReference(record));
  RAAKVLAK_RETURN_IF_ERROR(CheckGiven("purpose", record.purpose()));
  RAAKVLAK_RETURN_IF_ERROR(CheckGiven("kind", record.kind()));
  RAAKVLAK_RETURN_IF_ERROR(CheckGiven("category", record.category()));
  RAAKVLAK_RETURN_IF_ERROR(CheckSize("contact", record.contact(), kMaxContactSize));
  RAAKVLAK_RETURN_IF_ERROR(CheckSize("note", record.note(), kMaxNoteSize));

  RAAKVLAK_ASSIGN_OR_RETURN(ValidRecord valid, FindPurposeAndKind(record, covenant));
  RAAKVLAK_RETURN_IF_ERROR(CheckPermissions(record, *valid.purpose, valid.kind, partner));
  if (terms == nullptr) terms = valid.purpose;
  const absl::CivilDay today = covenant.CivilDayAt(now);
  RAAKVLAK_RETURN_IF_ERROR(DeriveFields(record, today, *terms, valid));
  if (!valid.fields.bsn.empty() && covenant.text().bsn_policy() == v1::BSN_TEST_RANGE &&
      !linkage::IsTestBsn(valid.fields.bsn)) {
    return FieldError(reason::kBsnOutsideTestRange, linkage::kBsn, "this region takes test numbers only");
  }
  RAAKVLAK_RETURN_IF_ERROR(CheckAge(valid.fields, *valid.purpose, today));
  RAAKVLAK_RETURN_IF_ERROR(DeriveIdentifiers(partner, *terms, valid));
  return valid;
}

absl::StatusOr<ValidRecord> DeriveRecord(const v1::Record& record, const policy::Covenant& covenant,
                                         const v1::Partner& partner, absl::CivilDay day,
                                         const v1::Purpose& terms) {
  RAAKVLAK_ASSIGN_OR_RETURN(ValidRecord out, FindPurposeAndKind(record, covenant));
  RAAKVLAK_RETURN_IF_ERROR(DeriveFields(record, day, terms, out));
  RAAKVLAK_RETURN_IF_ERROR(DeriveIdentifiers(partner, terms, out));
  return out;
}

std::vector<Identifier> IdentifiersOf(const linkage::Normalised& fields, const v1::Purpose& purpose,
                                      const v1::Partner& partner) {
  std::vector<Identifier> out;
  for (const v1::LinkageRule& rule : purpose.rules()) {
    if (rule.identifier_class() == v1::BSN && !partner.bsn_entitled()) continue;
    const auto definition = DefinitionOf(rule);
    if (!definition.ok()) continue;
    std::vector<std::string> values = linkage::FieldsOf(*definition, fields);
    if (!values.empty()) out.emplace_back(&rule, std::move(values));
  }
  return out;
}

}  // namespace raakvlak::node
