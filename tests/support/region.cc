#include "tests/support/region.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "policy/epochs.h"
#include "policy/text.h"

namespace raakvlak::testing {
namespace {

constexpr absl::Duration kHalfYear = absl::Hours(24 * 180);

void AddRule(v1::Purpose& purpose, const std::string& id, v1::IdentifierClass identifier_class,
             v1::Quality quality, v1::SubjectKind subject) {
  v1::LinkageRule& rule = *purpose.add_rules();
  rule.set_id(id);
  rule.set_identifier_class(identifier_class);
  rule.set_quality(quality);
  rule.set_version(1);
  rule.set_subject(subject);
}

void AddPersonRules(v1::Purpose& purpose) {
  AddRule(purpose, "bsn", v1::BSN, v1::EXACT, v1::PERSON_SUBJECT);
  AddRule(purpose, "surname-initial-birthdate", v1::PERSON, v1::STRONG, v1::PERSON_SUBJECT);
  purpose.mutable_rules(1)->set_accept_partners_per_million(5000);
}

crypto::note::PrivateKey KeyFromName(const std::string& name) {
  return *crypto::note::PrivateKey::FromSeed(base::SecretBytes(base::Sha256(name)));
}

std::string PublicText(const crypto::note::PrivateKey& key) { return base::Base64(key.public_key().bytes()); }

}  // namespace

TestRegion::TestRegion() {
  covenant_.set_format(1);
  covenant_.set_region(kName);
  covenant_.set_version(1);
  covenant_.set_valid_from(policy::FormatUtc(clock_.Now() - kHalfYear));
  covenant_.set_valid_until(policy::FormatUtc(clock_.Now() + kHalfYear));
  covenant_.set_time_zone("Europe/Amsterdam");
  covenant_.set_population(300'000);
  AddPartner("politie", v1::LID1, "OIN:00000000000000000001");
  AddPartner("gemeente", v1::LID1, "OIN:00000000000000000002");
  AddPartner("jeugdzorg", v1::LID2, "KVK:00000003");
  AddPartner("woningcorporatie", v1::THIRD, "KVK:00000004");
  covenant_.mutable_broker()->set_organisation("KVK:00000005");
  covenant_.mutable_broker()->set_urn(Urn("broker", "centre"));
  covenant_.mutable_broker()->set_log_key(PublicText(LogKeyOf(Urn("broker", "centre"))));
  covenant_.mutable_broker()->set_witness_key(PublicText(WitnessKeyOf(Urn("broker", "centre"))));
  v1::Hub& hub = *covenant_.mutable_hub();
  hub.set_name("Veiligheidshuis");
  hub.set_organisation("KVK:00000006");
  hub.set_urn(Urn("hub", "veiligheidshuis"));
  hub.set_signing_key(VerifierOf(hub.urn()));
  hub.set_log_key(PublicText(LogKeyOf(hub.urn())));
  covenant_.set_coordinating_officer_key(VerifierOf(Urn("officer", "fg")));
  covenant_.set_quorum(3);
  AddPersonRules(AddPurpose("onaantastbaren", v1::LIST));
  v1::Purpose& youth = AddPurpose("risicojeugd", v1::CASE);
  AddPersonRules(youth);
  youth.set_age_below(16);
  v1::Purpose& family = AddPurpose("gezinsaanpak", v1::LIST);
  AddRule(family, "address", v1::ADDRESS, v1::STRONG, v1::HOUSEHOLD_SUBJECT);
  for (const auto identifier_class : {v1::BSN, v1::PERSON, v1::ADDRESS}) {
    v1::Quota& quota = *covenant_.add_quotas();
    quota.set_identifier_class(identifier_class);
    quota.set_elements_per_day(1'000'000);
    quota.set_demo_value(true);
    if (identifier_class != v1::PERSON) covenant_.add_accept_enumeration(identifier_class);
  }
  covenant_.set_bsn_policy(v1::BSN_TEST_RANGE);
  covenant_.set_matching_interval_seconds(1);
  covenant_.set_log_retention_days(365);

  roster_.set_format(1);
  roster_.set_number(1);
  roster_.set_issued(policy::FormatUtc(clock_.Now() - absl::Hours(24)));
  roster_.set_expires(policy::FormatUtc(clock_.Now() + absl::Hours(24 * 29)));
  AddMember("anna", "staff", v1::STAFF);
  AddMember("olga", "officer", v1::OFFICER);
  AddMember("piet", "operator", v1::OPERATOR);
  Write();
}

std::string TestRegion::Urn(const std::string& role, const std::string& id) {
  return policy::Urn(kName, role, id);
}

const crypto::note::PrivateKey& TestRegion::KeyOf(const std::string& urn) {
  auto found = keys_.find(urn);
  if (found == keys_.end()) found = keys_.emplace(urn, crypto::note::PrivateKey::Generate(random_)).first;
  return found->second;
}

crypto::note::PrivateKey TestRegion::LogKeyOf(const std::string& urn) { return KeyFromName(urn + " log"); }

crypto::note::PrivateKey TestRegion::WitnessKeyOf(const std::string& urn) {
  return KeyFromName(urn + " witness");
}

std::string TestRegion::ReplaceKeyOf(const std::string& urn) {
  KeyOf(urn);
  const auto key = keys_.find(urn);
  replaced_.insert_or_assign(urn, std::move(key->second));
  keys_.insert_or_assign(urn, crypto::note::PrivateKey::Generate(random_));
  return VerifierOf(urn);
}

std::vector<const crypto::note::PrivateKey*> TestRegion::KeysOf(const std::string& urn) {
  std::vector<const crypto::note::PrivateKey*> keys = {&KeyOf(urn)};
  const auto replaced = replaced_.find(urn);
  if (replaced != replaced_.end()) keys.push_back(&replaced->second);
  return keys;
}

std::string TestRegion::VerifierOf(const std::string& urn) {
  return crypto::note::VerifierKey::Create(urn, KeyOf(urn).public_key())->Encode();
}

void TestRegion::AddPartner(const std::string& id, v1::ParticipantClass participant_class,
                            const std::string& organisation) {
  v1::Partner& partner = *covenant_.add_partners();
  partner.set_id(id);
  partner.set_name(absl::StrCat("Partner ", id));
  partner.set_organisation(organisation);
  partner.set_participant_class(participant_class);
  partner.set_bsn_entitled(participant_class != v1::THIRD);
  partner.set_index(static_cast<uint32_t>(covenant_.partners_size()));
  GiveKeys(partner);
}

void TestRegion::GiveKeys(v1::Partner& partner) {
  const std::string urn = Urn("node", partner.id());
  partner.set_signing_key(VerifierOf(urn));
  partner.set_log_key(PublicText(LogKeyOf(urn)));
  partner.set_witness_key(PublicText(WitnessKeyOf(urn)));
}

v1::Purpose& TestRegion::AddPurpose(const std::string& id, v1::Mode mode) {
  v1::Purpose& purpose = *covenant_.add_purposes();
  purpose.set_id(id);
  purpose.set_title(absl::StrCat("Purpose ", id));
  purpose.set_legal_basis("WGS 2.26(b), 2.32");
  purpose.set_mode(mode);
  purpose.set_disclosure_threshold(2);
  purpose.add_categories("overlast");
  purpose.add_categories("schulden");
  for (const v1::Partner& partner : covenant_.partners()) {
    purpose.add_submitters(partner.id());
    if (partner.participant_class() == v1::LID1) purpose.add_case_reporters(partner.id());
  }
  purpose.set_retention_days(365);
  purpose.set_epoch(1);
  AddSealKey(id, 1);
  return purpose;
}

void TestRegion::AddSealKey(const std::string& purpose, uint32_t epoch) {
  v1::SealKey& seal_key = *covenant_.mutable_hub()->add_seal_keys();
  const std::string key = random_.Bytes(32);
  seal_key.set_purpose(purpose);
  seal_key.set_epoch(epoch);
  seal_key.set_id(base::Hex(base::Sha256(key)).substr(0, 16));
  seal_key.set_public_key(base::Base64(key));
}

void TestRegion::NextCovenant() {
  covenant_.set_supersedes(base::Hex(base::Sha256(policy::PrintText(covenant_))));
  covenant_.set_version(covenant_.version() + 1);
  covenant_.set_valid_from(policy::FormatUtc(clock_.Now()));
}

void TestRegion::RaiseEpoch(const std::string& purpose_id, absl::Duration overlap) {
  const absl::Time valid_from = *policy::ParseUtc(covenant_.valid_from());
  for (v1::Purpose& purpose : *covenant_.mutable_purposes()) {
    if (purpose.id() != purpose_id) continue;
    purpose.set_epoch(purpose.epoch() + 1);
    purpose.clear_previous_epoch_until();
    if (overlap > absl::ZeroDuration()) {
      purpose.set_previous_epoch_until(policy::FormatUtc(valid_from + overlap));
      covenant_.set_overlap_days(
          std::max(covenant_.overlap_days(), static_cast<uint32_t>(overlap / absl::Hours(24))));
    }
    auto& keys = *covenant_.mutable_hub()->mutable_seal_keys();
    for (int i = keys.size() - 1; i >= 0; --i) {
      if (keys[i].purpose() == purpose_id && !policy::IsEpochServed(purpose, keys[i].epoch(), valid_from)) {
        keys.DeleteSubrange(i, 1);
      }
    }
    AddSealKey(purpose_id, purpose.epoch());
  }
}

void TestRegion::AddMember(const std::string& id, const std::string& role_name, v1::MemberRole role) {
  v1::Member& member = *roster_.add_members();
  member.set_id(id);
  member.set_urn(Urn(role_name, id));
  member.set_signing_key(VerifierOf(member.urn()));
  member.add_roles(role);
  if (role != v1::STAFF) return;
  for (const v1::Purpose& purpose : covenant_.purposes()) member.add_purposes(purpose.id());
}

crypto::note::Note TestRegion::CovenantNote() {
  crypto::note::Note covenant{policy::PrintText(covenant_), {}};
  std::set<std::string> signers = {covenant_.hub().urn()};
  for (const v1::Partner& partner : covenant_.partners()) signers.insert(Urn("node", partner.id()));
  for (const std::string& urn : signers) {
    crypto::note::Sign(covenant, *crypto::note::VerifierKey::Create(urn, KeyOf(urn).public_key()),
                       KeyOf(urn));
  }
  return covenant;
}

std::shared_ptr<const policy::Covenant> TestRegion::SignedCovenant() {
  auto covenant = policy::Covenant::Verify(crypto::note::Format(CovenantNote()));
  if (!covenant.ok()) std::fprintf(stderr, "%s\n", covenant.status().ToString().c_str());
  RAAKVLAK_CHECK(covenant.ok(), "the region's covenant is valid");
  return *std::move(covenant);
}

void TestRegion::Write() {
  crypto::note::Note covenant = CovenantNote();
  // Who replaces its key signs with the one before too.
  for (const auto& [urn, key] : replaced_)
    crypto::note::Sign(covenant, *crypto::note::VerifierKey::Create(urn, key.public_key()), key);
  roster_.set_covenant_id(base::Hex(base::Sha256(covenant.text)));
  crypto::note::Note roster{policy::PrintText(roster_), {}};
  for (const std::string& urn : {covenant_.hub().urn(), Urn("officer", "fg")}) {
    crypto::note::Sign(roster, *crypto::note::VerifierKey::Create(urn, KeyOf(urn).public_key()), KeyOf(urn));
  }
  RAAKVLAK_CHECK(base::WriteFileAtomically(covenant_path(), crypto::note::Format(covenant), 0644).ok() &&
                     base::WriteFileAtomically(roster_path(), crypto::note::Format(roster), 0644).ok(),
                 "the temporary folder takes files");
}

void TestRegion::Suspend(const std::string& partner) {
  roster_.set_number(roster_.number() + 1);
  roster_.add_suspended_partners(partner);
  Write();
}

policy::Authority& TestRegion::authority() {
  if (authority_ == nullptr) {
    auto created =
        policy::Authority::Create({covenant_path(), roster_path(), policy_folder()}, clock_, high_water_);
    if (!created.ok()) std::fprintf(stderr, "%s\n", created.status().ToString().c_str());
    RAAKVLAK_CHECK(created.ok(), "the region's files are valid");
    authority_ = *std::move(created);
  }
  return *authority_;
}

}  // namespace raakvlak::testing
