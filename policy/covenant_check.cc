#include <functional>
#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/covenant.h"
#include "policy/epochs.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

constexpr uint32_t kMaxIndex = 32;
constexpr int kMaxEntries = 256;
// Five years after the first processing the law wants data gone (WGS 1.8(7)).
constexpr uint32_t kMaxRetentionDays = 5 * 366;
constexpr uint32_t kMaxAge = 150;
constexpr uint32_t kSecondsPerDay = 86'400;

absl::Status Invalid(absl::string_view where, absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kCovenantInvalid,
                     absl::StrCat(where, ": ", what));
}

absl::Status Later(absl::string_view where, absl::string_view what) {
  return base::Error(absl::StatusCode::kUnimplemented, base::reason::kNeedsLaterVersion,
                     absl::StrCat(where, ": ", what, " needs a later version"));
}

absl::Status Require(bool condition, absl::string_view where, absl::string_view what) {
  return condition ? absl::OkStatus() : Invalid(where, what);
}

// The <id> of urn:raakvlak:<region>:<role>:<id>, empty when it is another URN.
absl::string_view IdOfUrn(absl::string_view urn, absl::string_view region, absl::string_view role) {
  const std::string prefix = Urn(region, role, "");
  return absl::ConsumePrefix(&urn, prefix) && IsName(urn) ? urn : absl::string_view();
}

class Checker {
 public:
  explicit Checker(const v1::Covenant& covenant) : covenant_(covenant) {}

  absl::Status Run() {
    RAAKVLAK_RETURN_IF_ERROR(CheckHead());
    RAAKVLAK_RETURN_IF_ERROR(CheckTimes());
    RAAKVLAK_RETURN_IF_ERROR(
        Require(covenant_.partners_size() >= 2 && covenant_.partners_size() <= kMaxEntries, "partners",
                "there are 2 to 256"));
    for (const v1::Partner& partner : covenant_.partners()) RAAKVLAK_RETURN_IF_ERROR(CheckPartner(partner));
    RAAKVLAK_RETURN_IF_ERROR(CheckCentre());
    RAAKVLAK_RETURN_IF_ERROR(CheckCoordinatingOfficer());
    RAAKVLAK_RETURN_IF_ERROR(CheckCollusion());
    RAAKVLAK_RETURN_IF_ERROR(
        Require(covenant_.quorum() >= 2 && covenant_.quorum() <= organisation_of_index_.size(), "quorum",
                "t is at least 2 and at most the number of key holders (distinct indices)"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(covenant_.purposes_size() >= 1 && covenant_.purposes_size() <= kMaxEntries, "purposes",
                "there are 1 to 256"));
    for (const v1::Purpose& purpose : covenant_.purposes()) RAAKVLAK_RETURN_IF_ERROR(CheckPurpose(purpose));
    RAAKVLAK_RETURN_IF_ERROR(CheckSealKeys());
    return CheckQuotas();
  }

 private:
  absl::Status CheckHead() {
    RAAKVLAK_RETURN_IF_ERROR(Require(covenant_.format() == 1, "format", "this version reads format 1"));
    RAAKVLAK_RETURN_IF_ERROR(Require(IsName(covenant_.region()), "region", kNameRule));
    RAAKVLAK_RETURN_IF_ERROR(Require(covenant_.version() >= 1, "version", "starts at 1"));
    RAAKVLAK_RETURN_IF_ERROR(
        covenant_.version() == 1
            ? Require(covenant_.supersedes().empty(), "supersedes", "version 1 supersedes nothing")
            : Require(IsCovenantId(covenant_.supersedes()), "supersedes",
                      "a version above 1 names the covenant_id (64 lower-case hexadecimal digits) that it "
                      "follows"));
    RAAKVLAK_RETURN_IF_ERROR(Require(covenant_.population() >= 1, "population", "is missing"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(covenant_.bsn_policy() == v1::BSN_ANY || covenant_.bsn_policy() == v1::BSN_TEST_RANGE,
                "bsn_policy", "is BSN_ANY or BSN_TEST_RANGE"));
    RAAKVLAK_RETURN_IF_ERROR(Require(covenant_.matching_interval_seconds() >= 1 &&
                                         covenant_.matching_interval_seconds() <= 7 * kSecondsPerDay,
                                     "matching_interval_seconds", "is 1 second to 7 days"));
    RAAKVLAK_RETURN_IF_ERROR(Require(covenant_.overlap_days() <= 366, "overlap_days", "is at most 366"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(covenant_.witness_quorum() <= static_cast<uint32_t>(covenant_.partners_size()),
                "witness_quorum", "is at most the number of partners"));
    RAAKVLAK_RETURN_IF_ERROR(Require(covenant_.epoch_days() <= 3'660, "epoch_days", "is at most 3,660"));
    RAAKVLAK_RETURN_IF_ERROR(Require(covenant_.excluded_addresses_max_age_days() <= 366,
                                     "excluded_addresses_max_age_days", "is at most 366"));
    return Require(covenant_.log_retention_days() >= 1 && covenant_.log_retention_days() <= 36'600,
                   "log_retention_days", "is 1 to 36,600");
  }

  absl::Status CheckTimes() {
    const auto from = ParseUtc(covenant_.valid_from());
    const auto until = ParseUtc(covenant_.valid_until());
    RAAKVLAK_RETURN_IF_ERROR(Require(from.has_value(), "valid_from", "is not like 2026-01-01T00:00:00Z"));
    RAAKVLAK_RETURN_IF_ERROR(Require(until.has_value(), "valid_until", "is not like 2026-01-01T00:00:00Z"));
    RAAKVLAK_RETURN_IF_ERROR(Require(*from < *until, "valid_until", "is not after valid_from"));
    valid_from_ = *from;
    return Require(IsTimeZone(covenant_.time_zone()), "time_zone",
                   "is no name of the IANA time zone database");
  }

  absl::Status CheckPartner(const v1::Partner& partner) {
    const std::string where = absl::StrCat("partner \"", partner.id(), "\"");
    RAAKVLAK_RETURN_IF_ERROR(Require(IsName(partner.id()), where, absl::StrCat("id: ", kNameRule)));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(partners_.emplace(partner.id(), &partner).second, where, "id is used twice"));
    RAAKVLAK_RETURN_IF_ERROR(Require(!IsBlank(partner.name()), where, "name is missing"));
    RAAKVLAK_RETURN_IF_ERROR(Require(IsOrganisation(partner.organisation()), where, kOrganisationRule));
    const v1::ParticipantClass participant = partner.participant_class();
    RAAKVLAK_RETURN_IF_ERROR(
        Require(participant == v1::LID1 || participant == v1::LID2 || participant == v1::THIRD, where,
                "participant_class is LID1, LID2 or THIRD"));
    RAAKVLAK_RETURN_IF_ERROR(Require(participant != v1::THIRD || !partner.bsn_entitled(), where,
                                     "an incidental third party is never bsn_entitled"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(partner.index() >= 1 && partner.index() <= kMaxIndex, where, "index is 1 to 32"));
    const auto& organisation =
        organisation_of_index_.emplace(partner.index(), partner.organisation()).first->second;
    RAAKVLAK_RETURN_IF_ERROR(
        Require(organisation == partner.organisation(), where,
                absl::StrCat("index ", partner.index(), " belongs to another organisation")));
    const uint32_t index =
        index_of_organisation_.emplace(partner.organisation(), partner.index()).first->second;
    RAAKVLAK_RETURN_IF_ERROR(
        Require(index == partner.index(), where,
                absl::StrCat("index: the entries of its organisation have index ", index)));
    RAAKVLAK_RETURN_IF_ERROR(Require(partner.peer_address().empty() || IsAddress(partner.peer_address()),
                                     where, "peer_address is not host:port"));
    RAAKVLAK_RETURN_IF_ERROR(
        CheckSigningKey(where, partner.signing_key(), Urn(covenant_.region(), "node", partner.id())));
    RAAKVLAK_RETURN_IF_ERROR(CheckLogKey(where, "witness_key", partner.witness_key()));
    RAAKVLAK_RETURN_IF_ERROR(CheckLogKey(where, "log_key", partner.log_key()));
    RAAKVLAK_RETURN_IF_ERROR(CheckOptionalKey(where, "ceremony_key", partner.ceremony_key()));
    return CheckOptionalKey(where, "officer_key", partner.officer_key());
  }

  absl::Status CheckSigningKey(absl::string_view where, absl::string_view text, absl::string_view urn) {
    const auto key = crypto::note::VerifierKey::Parse(text);
    RAAKVLAK_RETURN_IF_ERROR(Require(key.ok(), where, "signing_key is no verifier key"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(key->name() == std::string(urn), where, absl::StrCat("signing_key is not named ", urn)));
    return CheckUnique(where, "signing_key", key->key());
  }

  // Log and witness keys have no name in the covenant: the origin of the log and the URN of the process are
  // it.
  absl::Status CheckLogKey(absl::string_view where, absl::string_view field, absl::string_view text) {
    const auto bytes = base::ParseBase64(text);
    RAAKVLAK_RETURN_IF_ERROR(Require(bytes.ok(), where, absl::StrCat(field, " is not 32 bytes in base64")));
    const auto key = crypto::note::PublicKey::Create(*bytes);
    RAAKVLAK_RETURN_IF_ERROR(Require(key.ok(), where, absl::StrCat(field, " is no Ed25519 public key")));
    return CheckUnique(where, field, *key);
  }

  // A signature of one kind must never pass for another, and one process never for two: a cosignature does
  // not even hold its maker's name.
  absl::Status CheckUnique(absl::string_view where, absl::string_view field,
                           const crypto::note::PublicKey& key) {
    return Require(ed25519_keys_.insert(std::string(key.bytes())).second, where,
                   absl::StrCat(field, " is also another key of the covenant"));
  }

  static absl::Status CheckOptionalKey(absl::string_view where, absl::string_view field,
                                       absl::string_view key) {
    return Require(key.empty() || IsKey(key), where, absl::StrCat(field, " is not 32 bytes in base64"));
  }

  absl::Status CheckCentre() {
    const v1::Broker& broker = covenant_.broker();
    RAAKVLAK_RETURN_IF_ERROR(Require(IsOrganisation(broker.organisation()), "broker", kOrganisationRule));
    RAAKVLAK_RETURN_IF_ERROR(Require(!IdOfUrn(broker.urn(), covenant_.region(), "broker").empty(), "broker",
                                     "urn is not urn:raakvlak:<region>:broker:<id>"));
    RAAKVLAK_RETURN_IF_ERROR(Require(broker.address().empty() || IsAddress(broker.address()), "broker",
                                     "address is not host:port"));
    RAAKVLAK_RETURN_IF_ERROR(CheckLogKey("broker", "log_key", broker.log_key()));
    RAAKVLAK_RETURN_IF_ERROR(CheckLogKey("broker", "witness_key", broker.witness_key()));
    const v1::Hub& hub = covenant_.hub();
    RAAKVLAK_RETURN_IF_ERROR(Require(!IsBlank(hub.name()), "hub", "name is missing"));
    RAAKVLAK_RETURN_IF_ERROR(Require(IsOrganisation(hub.organisation()), "hub", kOrganisationRule));
    RAAKVLAK_RETURN_IF_ERROR(Require(!IdOfUrn(hub.urn(), covenant_.region(), "hub").empty(), "hub",
                                     "urn is not urn:raakvlak:<region>:hub:<id>"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(hub.address().empty() || IsAddress(hub.address()), "hub", "address is not host:port"));
    RAAKVLAK_RETURN_IF_ERROR(CheckSigningKey("hub", hub.signing_key(), hub.urn()));
    return CheckLogKey("hub", "log_key", hub.log_key());
  }

  absl::Status CheckCoordinatingOfficer() {
    if (covenant_.coordinating_officer_key().empty()) return absl::OkStatus();
    const auto key = crypto::note::VerifierKey::Parse(covenant_.coordinating_officer_key());
    RAAKVLAK_RETURN_IF_ERROR(Require(key.ok() && !IdOfUrn(key->name(), covenant_.region(), "officer").empty(),
                                     "coordinating_officer_key",
                                     "is no verifier key named urn:raakvlak:<region>:officer:<id>"));
    return CheckUnique("covenant", "coordinating_officer_key", key->key());
  }

  absl::Status CheckCollusion() {
    if (covenant_.accept_collusion()) return absl::OkStatus();
    const std::vector<std::string> warnings = CollusionWarnings(covenant_);
    return Require(warnings.empty(), "accept_collusion",
                   absl::StrCat("is not set, and ", warnings.empty() ? "" : warnings.front()));
  }

  absl::Status CheckPurpose(const v1::Purpose& purpose) {
    const std::string where = absl::StrCat("purpose \"", purpose.id(), "\"");
    RAAKVLAK_RETURN_IF_ERROR(Require(IsName(purpose.id()), where, absl::StrCat("id: ", kNameRule)));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(purposes_.emplace(purpose.id(), &purpose).second, where, "id is used twice"));
    RAAKVLAK_RETURN_IF_ERROR(Require(!IsBlank(purpose.title()), where, "title is missing"));
    RAAKVLAK_RETURN_IF_ERROR(Require(!IsBlank(purpose.legal_basis()), where, "legal_basis is missing"));
    if (purpose.mode() == v1::OTHER_LAW) return Later(where, "mode OTHER_LAW");
    RAAKVLAK_RETURN_IF_ERROR(
        Require(purpose.mode() == v1::CASE || purpose.mode() == v1::LIST, where, "mode is CASE or LIST"));
    if (purpose.four_eyes()) return Later(where, "four_eyes");
    RAAKVLAK_RETURN_IF_ERROR(CheckEpoch(where, purpose));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(purpose.retention_days() >= 1 && purpose.retention_days() <= kMaxRetentionDays, where,
                "retention_days is 1 day to 5 years"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(purpose.age_from() <= kMaxAge && purpose.age_below() <= kMaxAge &&
                    (purpose.age_below() == 0 || purpose.age_from() < purpose.age_below()),
                where, "age_from is below age_below, both at most 150"));
    RAAKVLAK_RETURN_IF_ERROR(CheckRules(where, purpose));
    RAAKVLAK_RETURN_IF_ERROR(CheckCategories(where, purpose));
    return CheckSenders(where, purpose);
  }

  // An end of the epoch before that lies before valid_from was set by an earlier covenant and carried on.
  absl::Status CheckEpoch(absl::string_view where, const v1::Purpose& purpose) {
    RAAKVLAK_RETURN_IF_ERROR(Require(purpose.epoch() >= 1, where, "epoch starts at 1"));
    if (purpose.previous_epoch_until().empty()) return absl::OkStatus();
    RAAKVLAK_RETURN_IF_ERROR(
        Require(purpose.epoch() > 1, where, "previous_epoch_until: no epoch comes before epoch 1"));
    const auto until = ParseUtc(purpose.previous_epoch_until());
    RAAKVLAK_RETURN_IF_ERROR(
        Require(until.has_value(), where, "previous_epoch_until is not like 2026-01-01T00:00:00Z"));
    return Require(*until <= valid_from_ + absl::Hours(24) * covenant_.overlap_days(), where,
                   "previous_epoch_until is more than overlap_days after valid_from");
  }

  absl::Status CheckRules(absl::string_view where, const v1::Purpose& purpose) {
    std::set<std::string> ids;
    bool forms_groups = false, address_forms_groups = false, person_forms_groups = false;
    for (const v1::LinkageRule& rule : purpose.rules()) {
      const std::string at = absl::StrCat(where, " rule \"", rule.id(), "\"");
      RAAKVLAK_RETURN_IF_ERROR(Require(IsName(rule.id()), at, absl::StrCat("id: ", kNameRule)));
      RAAKVLAK_RETURN_IF_ERROR(Require(ids.insert(rule.id()).second, at, "is given twice"));
      const v1::IdentifierClass identifier = rule.identifier_class();
      RAAKVLAK_RETURN_IF_ERROR(
          Require(identifier == v1::BSN || identifier == v1::PERSON || identifier == v1::ADDRESS, at,
                  "identifier_class is BSN, PERSON or ADDRESS"));
      const v1::Quality quality = rule.quality();
      RAAKVLAK_RETURN_IF_ERROR(
          Require(quality == v1::EXACT || quality == v1::STRONG || quality == v1::SUPPORTING, at,
                  "quality is EXACT, STRONG or SUPPORTING"));
      RAAKVLAK_RETURN_IF_ERROR(
          Require(rule.version() >= 1 && rule.version() <= 0xFFFF, at, "version is 1 to 65,535"));
      RAAKVLAK_RETURN_IF_ERROR(
          Require(rule.subject() == v1::PERSON_SUBJECT || rule.subject() == v1::HOUSEHOLD_SUBJECT, at,
                  "subject is PERSON_SUBJECT or HOUSEHOLD_SUBJECT"));
      classes_.insert(identifier);
      if (quality == v1::SUPPORTING) continue;
      forms_groups = true;
      if (identifier == v1::ADDRESS) address_forms_groups = true;
      if (rule.subject() == v1::PERSON_SUBJECT) person_forms_groups = true;
    }
    RAAKVLAK_RETURN_IF_ERROR(Require(purpose.rules_size() <= 32, where, "has at most 32 rules"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(forms_groups, where, "has no rule of quality EXACT or STRONG: nothing would ever match"));
    return Require(!address_forms_groups || !person_forms_groups, where,
                   "an ADDRESS rule of quality EXACT or STRONG stands beside one about persons: only "
                   "household purposes may "
                   "have it");
  }

  static absl::Status CheckCategories(absl::string_view where, const v1::Purpose& purpose) {
    std::set<std::string> categories;
    for (const std::string& category : purpose.categories()) {
      RAAKVLAK_RETURN_IF_ERROR(
          Require(IsCategory(category), where,
                  "a category is 1 to 64 lower-case letters, digits, hyphens and underscores"));
      RAAKVLAK_RETURN_IF_ERROR(Require(categories.insert(category).second, where,
                                       absl::StrCat("category ", category, " is given twice")));
    }
    return Require(!categories.empty(), where, "has no categories");
  }

  absl::Status CheckSenders(absl::string_view where, const v1::Purpose& purpose) {
    std::set<std::string> submitters, reporters;
    std::set<uint32_t> organisations;
    for (const std::string& id : purpose.submitters()) {
      RAAKVLAK_RETURN_IF_ERROR(
          Require(partners_.contains(id), where, absl::StrCat("submitter \"", id, "\" is no partner")));
      RAAKVLAK_RETURN_IF_ERROR(Require(submitters.insert(id).second, where,
                                       absl::StrCat("submitter \"", id, "\" is given twice")));
      organisations.insert(partners_.at(id)->index());
    }
    RAAKVLAK_RETURN_IF_ERROR(Require(!submitters.empty(), where, "has no submitters"));
    for (const std::string& id : purpose.case_reporters()) {
      RAAKVLAK_RETURN_IF_ERROR(
          Require(partners_.contains(id), where, absl::StrCat("case reporter \"", id, "\" is no partner")));
      RAAKVLAK_RETURN_IF_ERROR(Require(reporters.insert(id).second, where,
                                       absl::StrCat("case reporter \"", id, "\" is given twice")));
      RAAKVLAK_RETURN_IF_ERROR(Require(partners_.at(id)->participant_class() == v1::LID1, where,
                                       absl::StrCat("case reporter \"", id, "\" is not of class LID1")));
      RAAKVLAK_RETURN_IF_ERROR(Require(submitters.contains(id), where,
                                       absl::StrCat("case reporter \"", id, "\" is no submitter")));
    }
    RAAKVLAK_RETURN_IF_ERROR(
        Require(purpose.mode() != v1::CASE || !reporters.empty(), where, "mode CASE has no case reporters"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(purpose.disclosure_threshold() >= 2, where, "disclosure_threshold k is at least 2"));
    return Require(purpose.disclosure_threshold() <= organisations.size(), where,
                   "disclosure_threshold k is more than the organisations that may submit");
  }

  absl::Status CheckSealKeys() {
    std::set<std::pair<std::string, uint32_t>> sealed;
    std::set<std::string> keys;
    for (const v1::SealKey& key : covenant_.hub().seal_keys()) {
      const std::string where = absl::StrCat("seal key \"", key.id(), "\"");
      const auto purpose = purposes_.find(key.purpose());
      RAAKVLAK_RETURN_IF_ERROR(Require(purpose != purposes_.end(), where,
                                       absl::StrCat("there is no purpose \"", key.purpose(), "\"")));
      RAAKVLAK_RETURN_IF_ERROR(Require(IsEpochServed(*purpose->second, key.epoch(), valid_from_), where,
                                       "epoch is none that its purpose serves"));
      RAAKVLAK_RETURN_IF_ERROR(
          Require(IsKey(key.public_key()), where, "public_key is not 32 bytes in base64"));
      const std::string id = base::Hex(base::Sha256(*base::ParseBase64(key.public_key()))).substr(0, 16);
      RAAKVLAK_RETURN_IF_ERROR(Require(key.id() == id, where, "id does not belong to public_key"));
      RAAKVLAK_RETURN_IF_ERROR(Require(sealed.emplace(key.purpose(), key.epoch()).second, where,
                                       "is the second for its purpose and epoch"));
      RAAKVLAK_RETURN_IF_ERROR(Require(keys.insert(key.public_key()).second, where,
                                       "public_key is also that of another purpose or epoch"));
    }
    for (const v1::Purpose& purpose : covenant_.purposes()) {
      for (const uint32_t epoch : EpochsServed(purpose, valid_from_)) {
        RAAKVLAK_RETURN_IF_ERROR(
            Require(sealed.contains({purpose.id(), epoch}), "hub",
                    absl::StrCat("there is no seal key for purpose \"", purpose.id(), "\" epoch ", epoch)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status CheckQuotas() {
    std::set<std::pair<std::string, int>> rows;
    std::set<int> classes;
    for (const v1::Quota& quota : covenant_.quotas()) {
      const std::string where =
          absl::StrCat("quota of \"", quota.partner().empty() ? "every partner" : quota.partner(), "\"");
      const v1::IdentifierClass identifier = quota.identifier_class();
      RAAKVLAK_RETURN_IF_ERROR(
          Require(identifier == v1::BSN || identifier == v1::PERSON || identifier == v1::ADDRESS, where,
                  "identifier_class is BSN, PERSON or ADDRESS"));
      RAAKVLAK_RETURN_IF_ERROR(Require(quota.partner().empty() || partners_.contains(quota.partner()), where,
                                       "there is no such partner"));
      RAAKVLAK_RETURN_IF_ERROR(Require(
          identifier != v1::BSN || quota.partner().empty() || partners_.at(quota.partner())->bsn_entitled(),
          where, "class BSN: the partner is not bsn_entitled"));
      RAAKVLAK_RETURN_IF_ERROR(
          Require(rows.emplace(quota.partner(), identifier).second, where, "is given twice for one class"));
      RAAKVLAK_RETURN_IF_ERROR(
          Require(quota.elements_per_day() >= 1 && quota.elements_per_day() <= 1'000'000'000'000, where,
                  "elements_per_day is 1 to 1,000,000,000,000"));
      classes.insert(identifier);
    }
    for (const int identifier : classes_) {
      RAAKVLAK_RETURN_IF_ERROR(
          Require(classes.contains(identifier), "quotas",
                  absl::StrCat("there is none for class ", v1::IdentifierClass_Name(identifier),
                               ", which a purpose uses")));
    }
    std::set<int> accepted;
    for (const int identifier : covenant_.accept_enumeration()) {
      RAAKVLAK_RETURN_IF_ERROR(Require(classes.contains(identifier) && accepted.insert(identifier).second,
                                       "accept_enumeration",
                                       "names each class once, and only classes with a quota"));
    }
    return absl::OkStatus();
  }

  static constexpr char kNameRule[] = "1 to 32 lower-case letters, digits and hyphens, the first no hyphen";
  static constexpr char kOrganisationRule[] = "organisation is not OIN:<20 digits> or KVK:<8 digits>";

  const v1::Covenant& covenant_;
  std::map<std::string, const v1::Partner*, std::less<>> partners_;
  std::map<uint32_t, std::string> organisation_of_index_;
  std::map<std::string, uint32_t> index_of_organisation_;
  std::set<std::string> ed25519_keys_;
  absl::Time valid_from_;
  std::map<std::string, const v1::Purpose*, std::less<>> purposes_;
  std::set<int> classes_;
};

}  // namespace

absl::Status CheckCovenant(const v1::Covenant& covenant) { return Checker(covenant).Run(); }

}  // namespace raakvlak::policy
