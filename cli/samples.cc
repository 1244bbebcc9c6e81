#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/agreement.h"
#include "linkage/default_rules.h"

namespace raakvlak::cli {

const char kCovenantSample[] =
    R"(# A covenant before it is signed. Lines after # are comments; `raakvlak covenant new` drops them.
# Replace every <...>. What each field means and which rules hold: docs/format/covenant.md.
format: 1
region: "maastricht"
version: 1                                  # the next one has 2, and in `supersedes` the id of this one
valid_from: "2026-01-01T00:00:00Z"
valid_until: "2028-01-01T00:00:00Z"
supersedes: ""
time_zone: "Europe/Amsterdam"
population: 300000
partners {
  id: "politie"
  name: "Politie, basisteam Maastricht"
  organisation: "OIN:00000000000000000001"  # or KVK:<8 digits>
  participant_class: LID1                   # LID1 public body, LID2 care body, THIRD incidental third party
  bsn_entitled: true
  index: 1                                  # 1 to 32; stays with its organisation
  peer_address: "node.politie.example:7102"
  signing_key: "<raakvlak key new --kind signing --name urn:raakvlak:maastricht:node:politie>"
  log_key: "<raakvlak key new --kind log --out politie-log.pem>"
  witness_key: "<raakvlak key new --kind witness --out politie-witness.pem>"
}
partners {
  id: "gemeente"
  name: "Gemeente Maastricht"
  organisation: "OIN:00000000000000000002"
  participant_class: LID1
  bsn_entitled: true
  index: 2
  peer_address: "node.gemeente.example:7102"
  signing_key: "<raakvlak key new --kind signing --name urn:raakvlak:maastricht:node:gemeente>"
  log_key: "<raakvlak key new --kind log --out gemeente-log.pem>"
  witness_key: "<raakvlak key new --kind witness --out gemeente-witness.pem>"
}
partners {
  id: "woningcorporatie"
  name: "Woningcorporatie"
  organisation: "KVK:00000003"
  participant_class: THIRD
  bsn_entitled: false
  index: 3
  peer_address: "node.woningcorporatie.example:7102"
  signing_key: "<raakvlak key new --kind signing --name urn:raakvlak:maastricht:node:woningcorporatie>"
  log_key: "<raakvlak key new --kind log --out woningcorporatie-log.pem>"
  witness_key: "<raakvlak key new --kind witness --out woningcorporatie-witness.pem>"
}
broker {
  organisation: "KVK:00000004"
  address: "broker.example:7001"
  urn: "urn:raakvlak:maastricht:broker:broker"
  log_key: "<raakvlak key new --kind log --out broker-log.pem>"
  witness_key: "<raakvlak key new --kind witness --out broker-witness.pem>"
}
hub {
  name: "Zorg- en Veiligheidshuis"
  organisation: "OIN:00000000000000000005"
  urn: "urn:raakvlak:maastricht:hub:veiligheidshuis"
  address: "hub.example:7201"
  signing_key: "<raakvlak key new --kind signing --name urn:raakvlak:maastricht:hub:veiligheidshuis>"
  log_key: "<raakvlak key new --kind log --out veiligheidshuis-log.pem>"
  seal_keys {                               # one for each purpose and epoch
    purpose: "onaantastbaren"
    epoch: 1
    id: "<raakvlak key new --kind seal>"
    public_key: "<the same>"
  }
}
quorum: 2                                   # t: key holders for one evaluation
purposes {
  id: "onaantastbaren"
  title: "Aanpak Onaantastbaren"
  legal_basis: "WGS 2.26(b), 2.32"
  mode: LIST                                # LIST, or CASE with case_reporters
  rac_advice: "RAC-2026-001"
  disclosure_threshold: 2                   # k: organisations that must overlap
  rules { id: "bsn" identifier_class: BSN quality: EXACT version: 1 subject: PERSON_SUBJECT }
  rules {
    id: "surname-initial-birthdate"
    identifier_class: PERSON
    quality: SUPPORTING                     # twins with one initial: over the collision budget
    version: 1
    subject: PERSON_SUBJECT
  }
  categories: "overlast"
  categories: "schulden"
  submitters: "politie"
  submitters: "gemeente"
  submitters: "woningcorporatie"
  retention_days: 365
  epoch: 1
}
# Elements a day that one partner may have evaluated, at each holder, per purpose and class.
# A row with `partner` goes before one without.
quotas { identifier_class: BSN elements_per_day: 20000 }
quotas { identifier_class: PERSON elements_per_day: 20000 }
bsn_policy: BSN_ANY                         # or BSN_TEST_RANGE: a region for demonstrations
matching_interval_seconds: 3600             # how often the broker looks for matches
log_retention_days: 1826                    # how long the details of log entries are kept
witness_quorum: 0                           # partners that must cosign the broker's log; 0: more than half of them
# accept_collusion: true                    # one organisation runs two of broker, hub, node
# accept_enumeration: BSN                   # the quota lets a partner try every BSN (PERSON, ADDRESS) within one epoch
# epoch_days: 365                           # how long a set of keys is used
# overlap_days: 30                          # how long the epoch before goes on beside a new one; without it, not at all
# Who countersigns every roster that has officers.
coordinating_officer_key: "<raakvlak key new --kind signing --name urn:raakvlak:maastricht:officer:fg>"
# excluded_addresses_max_age_days: 31       # with an older list of excluded addresses, address rules are off
)";

const char kRosterSample[] =
    R"(# A roster before it is signed. `raakvlak roster new` drops comments and fills format, covenant_id, number, issued
# and expires. Replace every <...>. Fields and rules: docs/format/roster.md.
members {
  id: "anna"
  urn: "urn:raakvlak:maastricht:staff:anna"
  signing_key: "<raakvlak key new --kind signing --name urn:raakvlak:maastricht:staff:anna>"
  roles: STAFF                              # STAFF, OFFICER (never both), OPERATOR
  purposes: "onaantastbaren"                # STAFF only: whose matches this member may list and open
}
members {
  id: "olga"
  urn: "urn:raakvlak:maastricht:officer:olga"
  signing_key: "<raakvlak key new --kind signing --name urn:raakvlak:maastricht:officer:olga>"
  roles: OFFICER
}
# suspended_partners: "politie"             # out from the moment that the processes see this roster
)";

std::string CovenantSample() {
  std::string rules = "  # Chosen by measurement: docs/format/normalisation.md says what each field is.\n";
  for (const linkage::DefaultRule& each : linkage::DefaultPersonRules()) {
    absl::StrAppend(&rules, "  rules {\n    id: \"", each.rule.id, "\"\n    identifier_class: ",
                    v1::IdentifierClass_Name(static_cast<int>(each.rule.identifier_class)),
                    "\n    quality: ", v1::Quality_Name(static_cast<int>(each.quality)),
                    "\n    version: ", each.rule.version,
                    "\n    subject: ", v1::SubjectKind_Name(static_cast<int>(each.rule.subject)), "\n");
    for (const linkage::DerivedField* field : each.rule.fields) {
      absl::StrAppend(&rules, "    fields: \"", field->name, "\"\n");
    }
    absl::StrAppend(&rules, "  }\n");
  }
  std::string sample = kCovenantSample;
  const size_t begin = sample.find("  rules {");
  const size_t end = sample.find("  categories:");
  RAAKVLAK_CHECK(begin < end && end != std::string::npos, "the sample has rules, and then categories");
  return sample.replace(begin, end - begin, rules);
}

}  // namespace raakvlak::cli
