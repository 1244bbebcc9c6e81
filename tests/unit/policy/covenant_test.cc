#include "policy/covenant.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "policy/text.h"
#include "tests/support/region.h"

namespace raakvlak::policy {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using raakvlak::testing::TestRegion;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

v1::Covenant ValidCovenant() { return TestRegion().covenant(); }

struct CovenantCase {
  std::string name;
  std::function<void(v1::Covenant&)> spoil;
  std::string message;
  std::string reason = base::reason::kCovenantInvalid;
};

void PrintTo(const CovenantCase& test_case, std::ostream* out) { *out << test_case.name; }

v1::Purpose& ListPurpose(v1::Covenant& covenant) { return *covenant.mutable_purposes(0); }
v1::Purpose& CasePurpose(v1::Covenant& covenant) { return *covenant.mutable_purposes(1); }

std::string OtherKey(const std::string& urn) {
  base::testing::SeededRandom random(99);
  const auto key = crypto::note::PrivateKey::Generate(random);
  return crypto::note::VerifierKey::Create(urn, key.public_key())->Encode();
}

// Epoch 2 of the first purpose, with 7 days in which epoch 1 is served too.
void SecondEpoch(v1::Covenant& covenant) {
  covenant.set_overlap_days(7);
  ListPurpose(covenant).set_epoch(2);
  ListPurpose(covenant).set_previous_epoch_until(
      FormatUtc(*ParseUtc(covenant.valid_from()) + absl::Hours(24 * 7)));
  v1::SealKey& key = *covenant.mutable_hub()->add_seal_keys();
  const std::string bytes(32, 'k');
  key.set_purpose(ListPurpose(covenant).id());
  key.set_epoch(2);
  key.set_id(base::Hex(base::Sha256(bytes)).substr(0, 16));
  key.set_public_key(base::Base64(bytes));
}

// Each case breaks one rule alone.
std::vector<CovenantCase> CovenantCases() {
  std::vector<CovenantCase> cases;
  const auto add = [&](std::string name, std::string message, std::function<void(v1::Covenant&)> spoil) {
    cases.push_back({std::move(name), std::move(spoil), std::move(message)});
  };
  const auto later = [&](std::string name, std::string message, std::function<void(v1::Covenant&)> spoil) {
    cases.push_back(
        {std::move(name), std::move(spoil), std::move(message), base::reason::kNeedsLaterVersion});
  };
  add("Format", "format", [](auto& c) { c.set_format(2); });
  add("RegionEmpty", "region", [](auto& c) { c.set_region(""); });
  add("RegionUpperCase", "region", [](auto& c) { c.set_region("Maastricht"); });
  add("RegionTooLong", "region", [](auto& c) { c.set_region(std::string(33, 'a')); });
  add("RegionHyphenFirst", "region", [](auto& c) { c.set_region("-a"); });
  add("VersionZero", "version", [](auto& c) { c.set_version(0); });
  add("FirstSupersedes", "supersedes", [](auto& c) { c.set_supersedes(std::string(64, 'a')); });
  add("SecondSupersedesNothing", "supersedes", [](auto& c) { c.set_version(2); });
  add("SupersedesNoId", "supersedes", [](auto& c) {
    c.set_version(2);
    c.set_supersedes(std::string(64, 'A'));
  });
  add("ValidFromMalformed", "valid_from", [](auto& c) { c.set_valid_from("2026-01-01"); });
  add("ValidFromWithOffset", "valid_from", [](auto& c) { c.set_valid_from("2026-01-01T00:00:00+01:00"); });
  add("ValidUntilInfinite", "valid_until", [](auto& c) { c.set_valid_until("infinite-future"); });
  add("ValidUntilNotAfter", "valid_until", [](auto& c) { c.set_valid_until(c.valid_from()); });
  add("TimeZoneUnknown", "time_zone", [](auto& c) { c.set_time_zone("Europe/Maastricht"); });
  add("TimeZoneEmpty", "time_zone", [](auto& c) { c.set_time_zone(""); });
  add("TimeZoneOfTheMachine", "time_zone", [](auto& c) { c.set_time_zone("localtime"); });
  add("TimeZoneIsAFile", "time_zone",
      [](auto& c) { c.set_time_zone("/usr/share/zoneinfo/Europe/Amsterdam"); });
  add("PopulationMissing", "population", [](auto& c) { c.set_population(0); });
  add("BsnPolicyMissing", "bsn_policy", [](auto& c) { c.set_bsn_policy(v1::BSN_POLICY_UNSPECIFIED); });
  add("BsnPolicyUnknown", "bsn_policy", [](auto& c) { c.set_bsn_policy(static_cast<v1::BsnPolicy>(7)); });
  add("MatchingIntervalMissing", "matching_interval_seconds",
      [](auto& c) { c.set_matching_interval_seconds(0); });
  add("MatchingIntervalOverAWeek", "matching_interval_seconds",
      [](auto& c) { c.set_matching_interval_seconds(7 * 86'400 + 1); });
  add("OverlapTooLong", "overlap_days", [](auto& c) { c.set_overlap_days(367); });
  add("WitnessQuorumTooLarge", "witness_quorum", [](auto& c) { c.set_witness_quorum(5); });
  add("LogRetentionMissing", "log_retention_days", [](auto& c) { c.set_log_retention_days(0); });
  add("LogRetentionTooLong", "log_retention_days", [](auto& c) { c.set_log_retention_days(36'601); });
  add("EpochDaysTooMany", "epoch_days", [](auto& c) { c.set_epoch_days(3'661); });
  add("ExcludedAddressesTooOld", "excluded_addresses_max_age_days",
      [](auto& c) { c.set_excluded_addresses_max_age_days(367); });

  add("OnePartner", "partners", [](auto& c) { c.mutable_partners()->DeleteSubrange(1, 3); });
  add("TooManyPartners", "partners: there are", [](auto& c) {
    while (c.partners_size() <= 256) *c.add_partners() = c.partners(0);
  });
  add("PartnerIdMalformed", "partner \"Politie\": id",
      [](auto& c) { c.mutable_partners(0)->set_id("Politie"); });
  add("PartnerIdTwice", "partner \"politie\": id is used twice",
      [](auto& c) { c.mutable_partners(1)->set_id("politie"); });
  add("PartnerNameMissing", "name", [](auto& c) { c.mutable_partners(0)->set_name(" "); });
  add("OrganisationMalformed", "organisation",
      [](auto& c) { c.mutable_partners(0)->set_organisation("OIN:1"); });
  add("OrganisationOfAnotherRegister", "organisation",
      [](auto& c) { c.mutable_partners(0)->set_organisation("RSIN:12345678"); });
  add("ClassMissing", "participant_class",
      [](auto& c) { c.mutable_partners(0)->set_participant_class(v1::PARTICIPANT_CLASS_UNSPECIFIED); });
  add("ClassUnknown", "participant_class",
      [](auto& c) { c.mutable_partners(0)->set_participant_class(static_cast<v1::ParticipantClass>(9)); });
  add("ThirdPartyWithBsn", "bsn_entitled", [](auto& c) { c.mutable_partners(3)->set_bsn_entitled(true); });
  add("IndexZero", "index", [](auto& c) { c.mutable_partners(0)->set_index(0); });
  add("IndexTooLarge", "index", [](auto& c) { c.mutable_partners(0)->set_index(33); });
  add("IndexOfAnotherOrganisation", "index 1 belongs to another organisation",
      [](auto& c) { c.mutable_partners(1)->set_index(1); });
  add("OneOrganisationTwoIndices", "index",
      [](auto& c) { c.mutable_partners(1)->set_organisation(c.partners(0).organisation()); });
  add("PeerAddressMalformed", "peer_address",
      [](auto& c) { c.mutable_partners(0)->set_peer_address("host:0"); });
  add("SigningKeyMissing", "signing_key", [](auto& c) { c.mutable_partners(0)->clear_signing_key(); });
  add("SigningKeyOfAnotherName", "signing_key", [](auto& c) {
    c.mutable_partners(0)->set_signing_key(OtherKey("urn:raakvlak:maastricht:node:anders"));
  });
  add("SigningKeyOfAnotherRole", "signing_key", [](auto& c) {
    c.mutable_partners(0)->set_signing_key(OtherKey("urn:raakvlak:maastricht:it:politie"));
  });
  add("SigningKeyShared", "signing_key is also another key", [](auto& c) {
    c.mutable_partners(0)->set_signing_key(OtherKey("urn:raakvlak:maastricht:node:politie"));
    c.mutable_partners(1)->set_signing_key(OtherKey("urn:raakvlak:maastricht:node:gemeente"));
  });
  add("WitnessKeyMalformed", "witness_key", [](auto& c) { c.mutable_partners(0)->set_witness_key("AAAA"); });
  add("WitnessKeyMissing", "witness_key", [](auto& c) { c.mutable_partners(1)->clear_witness_key(); });
  add("LogKeyMalformed", "log_key", [](auto& c) { c.mutable_partners(0)->set_log_key("x"); });
  add("LogKeyMissing", "log_key", [](auto& c) { c.mutable_partners(3)->clear_log_key(); });
  add("LogKeyOfSmallOrder", "log_key is no Ed25519 public key", [](auto& c) {
    c.mutable_partners(0)->set_log_key(base::Base64(std::string(1, '\1') + std::string(31, '\0')));
  });
  add("LogKeyShared", "log_key is also another key",
      [](auto& c) { c.mutable_partners(1)->set_log_key(c.partners(0).log_key()); });
  add("LogKeyIsTheWitnessKey", "log_key is also another key",
      [](auto& c) { c.mutable_partners(1)->set_log_key(c.partners(1).witness_key()); });
  add("WitnessKeyIsAnotherSigningKey", "witness_key is also another key", [](auto& c) {
    const auto signing = crypto::note::VerifierKey::Parse(c.partners(0).signing_key());
    c.mutable_partners(2)->set_witness_key(base::Base64(signing->key().bytes()));
  });
  add("CeremonyKeyMalformed", "ceremony_key", [](auto& c) { c.mutable_partners(0)->set_ceremony_key("x"); });
  add("OfficerKeyMalformed", "officer_key", [](auto& c) { c.mutable_partners(0)->set_officer_key("x"); });

  add("BrokerMissing", "broker", [](auto& c) { c.clear_broker(); });
  add("BrokerOrganisationMalformed", "broker: organisation",
      [](auto& c) { c.mutable_broker()->set_organisation("KVK:1"); });
  add("BrokerUrnOfAnotherRegion", "broker",
      [](auto& c) { c.mutable_broker()->set_urn("urn:raakvlak:almere:broker:b"); });
  add("BrokerUrnOfAnotherRole", "broker",
      [](auto& c) { c.mutable_broker()->set_urn("urn:raakvlak:maastricht:hub:b"); });
  add("BrokerAddressMalformed", "broker: address",
      [](auto& c) { c.mutable_broker()->set_address("broker"); });
  add("BrokerLogKeyMalformed", "broker: log_key", [](auto& c) { c.mutable_broker()->set_log_key("x"); });
  add("BrokerLogKeyMissing", "broker: log_key", [](auto& c) { c.mutable_broker()->clear_log_key(); });
  add("BrokerWitnessKeyMissing", "broker: witness_key",
      [](auto& c) { c.mutable_broker()->clear_witness_key(); });
  add("BrokerWitnessKeyShared", "broker: witness_key is also another key",
      [](auto& c) { c.mutable_broker()->set_witness_key(c.partners(0).witness_key()); });
  add("HubLogKeyMissing", "hub: log_key", [](auto& c) { c.mutable_hub()->clear_log_key(); });
  add("HubLogKeyShared", "hub: log_key is also another key",
      [](auto& c) { c.mutable_hub()->set_log_key(c.broker().log_key()); });
  add("HubMissing", "hub", [](auto& c) { c.clear_hub(); });
  add("HubOrganisationMalformed", "hub: organisation",
      [](auto& c) { c.mutable_hub()->set_organisation("KVK:1"); });
  add("HubAddressMalformed", "hub: address", [](auto& c) { c.mutable_hub()->set_address("hub"); });
  add("HubKeyOfAnotherName", "hub: signing_key is not named",
      [](auto& c) { c.mutable_hub()->set_signing_key(OtherKey("urn:raakvlak:maastricht:hub:anders")); });
  add("HubNameMissing", "hub: name", [](auto& c) { c.mutable_hub()->clear_name(); });
  add("HubUrnWithoutId", "hub: urn",
      [](auto& c) { c.mutable_hub()->set_urn("urn:raakvlak:maastricht:hub:"); });
  add("HubKeyMissing", "hub: signing_key", [](auto& c) { c.mutable_hub()->clear_signing_key(); });
  add("BrokerAndHubInOneHand", "accept_collusion",
      [](auto& c) { c.mutable_broker()->set_organisation(c.hub().organisation()); });
  add("BrokerAndNodeInOneHand", "accept_collusion",
      [](auto& c) { c.mutable_broker()->set_organisation(c.partners(1).organisation()); });
  add("HubAndNodeInOneHand", "accept_collusion",
      [](auto& c) { c.mutable_hub()->set_organisation(c.partners(1).organisation()); });

  add("CoordinatingOfficerOfAnotherRole", "coordinating_officer_key",
      [](auto& c) { c.set_coordinating_officer_key(OtherKey("urn:raakvlak:maastricht:staff:fg")); });
  add("CoordinatingOfficerNoKey", "coordinating_officer_key",
      [](auto& c) { c.set_coordinating_officer_key("urn:raakvlak:maastricht:officer:fg"); });
  add("CoordinatingOfficerSignsForAPartner", "coordinating_officer_key is also another key", [](auto& c) {
    c.set_coordinating_officer_key(OtherKey("urn:raakvlak:maastricht:officer:fg"));
    c.mutable_partners(0)->set_signing_key(OtherKey("urn:raakvlak:maastricht:node:politie"));
  });

  add("QuorumOne", "quorum", [](auto& c) { c.set_quorum(1); });
  add("QuorumAboveHolders", "quorum", [](auto& c) { c.set_quorum(5); });
  add("QuorumAboveDistinctOrganisations", "quorum", [](auto& c) {
    c.set_quorum(4);
    c.mutable_partners(1)->set_organisation(c.partners(0).organisation());
    c.mutable_partners(1)->set_index(c.partners(0).index());
  });

  add("NoPurposes", "purposes", [](auto& c) { c.clear_purposes(); });
  add("TooManyPurposes", "purposes: there are", [](auto& c) {
    while (c.purposes_size() <= 256) *c.add_purposes() = c.purposes(0);
  });
  add("PurposeIdMalformed", "purpose \"A b\": id", [](auto& c) { ListPurpose(c).set_id("A b"); });
  add("PurposeIdTwice", "id is used twice", [](auto& c) { CasePurpose(c).set_id(c.purposes(0).id()); });
  add("TitleMissing", "title", [](auto& c) { ListPurpose(c).clear_title(); });
  add("LegalBasisMissing", "legal_basis", [](auto& c) { ListPurpose(c).clear_legal_basis(); });
  add("ModeMissing", "mode", [](auto& c) { ListPurpose(c).clear_mode(); });
  add("ModeUnknown", "mode", [](auto& c) { ListPurpose(c).set_mode(static_cast<v1::Mode>(8)); });
  later("ModeOtherLaw", "OTHER_LAW", [](auto& c) { ListPurpose(c).set_mode(v1::OTHER_LAW); });
  later("FourEyes", "four_eyes", [](auto& c) { ListPurpose(c).set_four_eyes(true); });
  add("EpochBeforeTheFirst", "no epoch comes before",
      [](auto& c) { ListPurpose(c).set_previous_epoch_until(c.valid_from()); });
  add("PreviousEpochUntilMalformed", "previous_epoch_until is not like", [](auto& c) {
    SecondEpoch(c);
    ListPurpose(c).set_previous_epoch_until("soon");
  });
  add("PreviousEpochUntilAfterTheOverlap", "overlap_days", [](auto& c) {
    SecondEpoch(c);
    c.set_overlap_days(6);
  });
  add("SealKeyOfTheNewEpochMissing", "purpose \"onaantastbaren\" epoch 2", [](auto& c) {
    SecondEpoch(c);
    c.mutable_hub()->mutable_seal_keys()->RemoveLast();
  });
  add("SealKeyOfTheEpochBeforeMissing", "purpose \"onaantastbaren\" epoch 1", [](auto& c) {
    SecondEpoch(c);
    c.mutable_hub()->mutable_seal_keys()->DeleteSubrange(0, 1);
  });
  add("SealKeyOfAnEndedEpoch", "epoch is none", [](auto& c) {
    SecondEpoch(c);
    ListPurpose(c).set_previous_epoch_until(c.valid_from());
  });
  add("SealKeyOfAnEpochWithoutOverlap", "epoch is none", [](auto& c) {
    SecondEpoch(c);
    ListPurpose(c).clear_previous_epoch_until();
  });
  add("SealKeySharedByTwoEpochs", "another purpose or epoch", [](auto& c) {
    SecondEpoch(c);
    auto& keys = *c.mutable_hub()->mutable_seal_keys();
    keys[keys.size() - 1].set_id(keys[0].id());
    keys[keys.size() - 1].set_public_key(keys[0].public_key());
  });
  add("EpochZero", "epoch", [](auto& c) { ListPurpose(c).set_epoch(0); });
  add("ThresholdOne", "disclosure_threshold", [](auto& c) { ListPurpose(c).set_disclosure_threshold(1); });
  add("ThresholdAboveSubmitters", "disclosure_threshold",
      [](auto& c) { ListPurpose(c).set_disclosure_threshold(5); });
  add("ThresholdAboveDistinctOrganisations", "disclosure_threshold", [](auto& c) {
    c.set_quorum(2);
    c.mutable_partners(1)->set_organisation(c.partners(0).organisation());
    c.mutable_partners(1)->set_index(c.partners(0).index());
    ListPurpose(c).set_disclosure_threshold(4);
  });
  add("RetentionMissing", "retention_days", [](auto& c) { ListPurpose(c).set_retention_days(0); });
  add("RetentionAboveFiveYears", "retention_days", [](auto& c) { ListPurpose(c).set_retention_days(1831); });
  add("AgesInverted", "age_from", [](auto& c) {
    ListPurpose(c).set_age_from(18);
    ListPurpose(c).set_age_below(18);
  });
  add("AgeFromTooHigh", "age_from", [](auto& c) { ListPurpose(c).set_age_from(151); });
  add("AgeBelowTooHigh", "age_below", [](auto& c) { ListPurpose(c).set_age_below(151); });
  add("NoRules", "rule", [](auto& c) { ListPurpose(c).clear_rules(); });
  add("OnlySupportingRules", "nothing would ever match", [](auto& c) {
    for (auto& rule : *ListPurpose(c).mutable_rules()) rule.set_quality(v1::SUPPORTING);
  });
  add("RuleTwice", "is given twice", [](auto& c) { *ListPurpose(c).add_rules() = c.purposes(0).rules(0); });
  add("RuleIdMalformed", "rule \"A b\": id", [](auto& c) { ListPurpose(c).mutable_rules(0)->set_id("A b"); });
  add("TooManyRules", "at most 32 rules", [](auto& c) {
    while (c.purposes(0).rules_size() <= 32) {
      v1::LinkageRule& rule = *ListPurpose(c).add_rules();
      rule = c.purposes(0).rules(0);
      rule.set_id("rule-" + std::to_string(c.purposes(0).rules_size()));
    }
  });
  add("RuleClassMissing", "identifier_class",
      [](auto& c) { ListPurpose(c).mutable_rules(0)->clear_identifier_class(); });
  add("RuleClassUnknown", "identifier_class", [](auto& c) {
    ListPurpose(c).mutable_rules(0)->set_identifier_class(static_cast<v1::IdentifierClass>(4));
  });
  add("RuleQualityMissing", "quality", [](auto& c) { ListPurpose(c).mutable_rules(0)->clear_quality(); });
  add("RuleVersionZero", "version", [](auto& c) { ListPurpose(c).mutable_rules(0)->set_version(0); });
  add("RuleVersionOverTwoBytes", "version",
      [](auto& c) { ListPurpose(c).mutable_rules(0)->set_version(65'536); });
  add("RuleSubjectMissing", "subject", [](auto& c) { ListPurpose(c).mutable_rules(0)->clear_subject(); });
  add("StrongAddressInAPurposeAboutPersons", "household",
      [](auto& c) { *ListPurpose(c).add_rules() = c.purposes(2).rules(0); });
  add("NoCategories", "categories", [](auto& c) { ListPurpose(c).clear_categories(); });
  add("CategoryMalformed", "category", [](auto& c) { ListPurpose(c).add_categories("Twee Woorden"); });
  add("CategoryTwice", "category overlast is given twice",
      [](auto& c) { ListPurpose(c).add_categories("overlast"); });
  add("NoSubmitters", "submitters", [](auto& c) { ListPurpose(c).clear_submitters(); });
  add("SubmitterUnknown", "submitter \"anders\"", [](auto& c) { ListPurpose(c).add_submitters("anders"); });
  add("SubmitterTwice", "submitter \"politie\" is given twice",
      [](auto& c) { ListPurpose(c).add_submitters("politie"); });
  add("ReporterUnknown", "case reporter \"anders\"",
      [](auto& c) { CasePurpose(c).add_case_reporters("anders"); });
  add("ReporterTwice", "case reporter \"politie\" is given twice",
      [](auto& c) { CasePurpose(c).add_case_reporters("politie"); });
  add("ReporterOfCareBody", "LID1", [](auto& c) { CasePurpose(c).add_case_reporters("jeugdzorg"); });
  add("ReporterWhoMayNotSubmit", "case reporter \"politie\" is no submitter", [](auto& c) {
    auto& submitters = *CasePurpose(c).mutable_submitters();
    submitters.erase(std::find(submitters.begin(), submitters.end(), "politie"));
  });
  add("CaseModeWithoutReporters", "case reporters", [](auto& c) { CasePurpose(c).clear_case_reporters(); });

  add("SealKeyMissing", "seal key for purpose \"gezinsaanpak\"",
      [](auto& c) { c.mutable_hub()->mutable_seal_keys()->RemoveLast(); });
  add("SealKeyOfNoPurpose", "no purpose",
      [](auto& c) { c.mutable_hub()->mutable_seal_keys(0)->set_purpose("anders"); });
  add("SealKeyOfAnotherEpoch", "epoch", [](auto& c) { c.mutable_hub()->mutable_seal_keys(0)->set_epoch(2); });
  add("SealKeyMalformed", "public_key",
      [](auto& c) { c.mutable_hub()->mutable_seal_keys(0)->set_public_key("x"); });
  add("SealKeyIdWrong", "id does not belong",
      [](auto& c) { c.mutable_hub()->mutable_seal_keys(0)->set_id("0011223344556677"); });
  add("SealKeyTwice", "second", [](auto& c) { *c.mutable_hub()->add_seal_keys() = c.hub().seal_keys(0); });
  add("SealKeyShared", "another purpose or epoch", [](auto& c) {
    auto& keys = *c.mutable_hub()->mutable_seal_keys();
    keys[1].set_id(keys[0].id());
    keys[1].set_public_key(keys[0].public_key());
  });

  add("QuotaClassMissing", "identifier_class",
      [](auto& c) { c.mutable_quotas(0)->clear_identifier_class(); });
  add("QuotaOfNoPartner", "no such partner", [](auto& c) { c.mutable_quotas(0)->set_partner("anders"); });
  add("QuotaTwice", "given twice", [](auto& c) { *c.add_quotas() = c.quotas(0); });
  add("QuotaZero", "elements_per_day", [](auto& c) { c.mutable_quotas(0)->set_elements_per_day(0); });
  add("QuotaTooLarge", "elements_per_day",
      [](auto& c) { c.mutable_quotas(0)->set_elements_per_day(1'000'000'000'001); });
  add("EnumerationAcceptedTwice", "accept_enumeration", [](auto& c) {
    c.clear_accept_enumeration();
    c.add_accept_enumeration(v1::BSN);
    c.add_accept_enumeration(v1::BSN);
  });
  add("EnumerationAcceptedOfAClassWithoutQuota", "accept_enumeration",
      [](auto& c) { c.add_accept_enumeration(v1::IDENTIFIER_CLASS_UNSPECIFIED); });
  add("QuotaMissingForAClass", "class ADDRESS", [](auto& c) { c.mutable_quotas()->RemoveLast(); });
  add("BsnQuotaWithoutEntitlement", "not bsn_entitled", [](auto& c) {
    v1::Quota quota = c.quotas(0);
    quota.set_partner("woningcorporatie");
    *c.add_quotas() = quota;
  });
  return cases;
}

class CheckCovenantTest : public ::testing::TestWithParam<CovenantCase> {};

TEST_P(CheckCovenantTest, OneBrokenRuleIsRefusedByName) {
  v1::Covenant covenant = ValidCovenant();
  ASSERT_THAT(CheckCovenant(covenant), IsOk());
  GetParam().spoil(covenant);
  const absl::Status status = CheckCovenant(covenant);
  EXPECT_THAT(status, HasReason(GetParam().reason));
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(EachRule, CheckCovenantTest, ::testing::ValuesIn(CovenantCases()),
                         [](const auto& test) { return test.param.name; });

TEST(CheckCovenant, WhatTheRulesAllowIsTaken) {
  v1::Covenant covenant = ValidCovenant();
  covenant.mutable_partners(1)->set_organisation(covenant.partners(0).organisation());
  covenant.mutable_partners(1)->set_index(covenant.partners(0).index());
  EXPECT_THAT(CheckCovenant(covenant), IsOk()) << "two entries of one organisation share an index";

  covenant = ValidCovenant();
  covenant.set_accept_collusion(true);
  covenant.mutable_broker()->set_organisation(covenant.hub().organisation());
  EXPECT_THAT(CheckCovenant(covenant), IsOk()) << "collusion with signed consent";

  covenant = ValidCovenant();
  v1::LinkageRule address = covenant.purposes(2).rules(0);
  address.set_quality(v1::SUPPORTING);
  *ListPurpose(covenant).add_rules() = address;
  ListPurpose(covenant).set_age_from(12);
  ListPurpose(covenant).set_age_below(150);
  covenant.clear_accept_enumeration();
  covenant.add_accept_enumeration(v1::BSN);
  EXPECT_THAT(CheckCovenant(covenant), IsOk()) << "a SUPPORTING address is never wrapped";

  covenant = ValidCovenant();
  covenant.set_version(2);
  covenant.set_supersedes(std::string(64, 'a'));
  covenant.mutable_partners(0)->set_index(32);
  covenant.mutable_partners(0)->set_peer_address("[::1]:7001");
  EXPECT_THAT(CheckCovenant(covenant), IsOk());

  covenant = ValidCovenant();
  covenant.set_coordinating_officer_key(OtherKey("urn:raakvlak:maastricht:officer:fg"));
  SecondEpoch(covenant);
  EXPECT_THAT(CheckCovenant(covenant), IsOk()) << "both epochs are served during the overlap";
  ListPurpose(covenant).set_previous_epoch_until(covenant.valid_from());
  covenant.mutable_hub()->mutable_seal_keys()->DeleteSubrange(0, 1);
  EXPECT_THAT(CheckCovenant(covenant), IsOk()) << "an overlap that ended under an earlier covenant";
}

TEST(KeyHolders, FirstEntryOfAnOrganisationHoldsItsShare) {
  v1::Covenant covenant = ValidCovenant();
  covenant.mutable_partners(2)->set_organisation(covenant.partners(0).organisation());
  covenant.mutable_partners(2)->set_index(covenant.partners(0).index());
  const std::map<uint32_t, std::string> expected = {{1, "politie"}, {2, "gemeente"}, {4, "woningcorporatie"}};
  EXPECT_EQ(KeyHolders(covenant), expected);
}

TEST(WitnessQuorum, IsTheCovenantsOrMoreThanHalfOfThePartners) {
  v1::Covenant covenant = ValidCovenant();
  EXPECT_EQ(WitnessQuorum(covenant), 3u) << "of 4";
  covenant.mutable_partners()->RemoveLast();
  EXPECT_EQ(WitnessQuorum(covenant), 2u) << "of 3";
  covenant.set_witness_quorum(1);
  EXPECT_EQ(WitnessQuorum(covenant), 1u);
}

TEST(CollusionWarnings, EachPairAndTheWholeAreTold) {
  v1::Covenant covenant = ValidCovenant();
  EXPECT_THAT(CollusionWarnings(covenant), IsEmpty());
  covenant.mutable_hub()->set_organisation(covenant.partners(1).organisation());
  ASSERT_THAT(CollusionWarnings(covenant), SizeIs(1));
  EXPECT_THAT(CollusionWarnings(covenant)[0], HasSubstr("runs the hub and node gemeente: with a copy"));
  covenant.mutable_broker()->set_organisation(covenant.partners(1).organisation());
  ASSERT_THAT(CollusionWarnings(covenant), SizeIs(1));
  EXPECT_THAT(CollusionWarnings(covenant)[0],
              HasSubstr("the broker and the hub and node gemeente: it can read every"));
  covenant.mutable_broker()->set_organisation(covenant.partners(0).organisation());
  EXPECT_THAT(CollusionWarnings(covenant), SizeIs(2));
}

TEST(QuotaNotes, ReachFollowsTheFormula) {
  v1::Covenant covenant = ValidCovenant();
  covenant.mutable_quotas()->DeleteSubrange(1, 2);
  covenant.mutable_quotas(0)->set_elements_per_day(1'000'000);
  covenant.set_quorum(3);
  // n = 4, t = 3: c = 1 gives q * 3 / 2, c = 2 gives q * 2 / 1.
  const auto notes = QuotaNotes(covenant);
  ASSERT_THAT(notes, SizeIs(2));
  EXPECT_THAT(notes[0], HasSubstr("1 of 4 key holders"));
  EXPECT_THAT(notes[0], HasSubstr(" 1,500,000 "));
  EXPECT_THAT(notes[0], HasSubstr("all BSNs in 61 days"));
  EXPECT_THAT(notes[1], HasSubstr("2 of 4 key holders"));
  EXPECT_THAT(notes[1], HasSubstr(" 2,000,000 "));
  EXPECT_THAT(notes[1], HasSubstr("demonstration"));
  covenant.set_quorum(2);
  EXPECT_THAT(QuotaNotes(covenant), SizeIs(1)) << "c = 1 and c = t - 1 are one";
}

}  // namespace
}  // namespace raakvlak::policy
