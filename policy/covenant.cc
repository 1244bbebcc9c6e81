#include "policy/covenant.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

absl::Status Invalid(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kCovenantInvalid, message);
}

absl::StatusOr<crypto::note::VerifierKey> SignerOf(absl::string_view key_text, absl::string_view urn) {
  auto key = crypto::note::VerifierKey::Parse(key_text);
  if (!key.ok() || key->name() != std::string(urn)) {
    return Invalid(absl::StrCat("the signing_key of ", urn, " is no verifier key of that name"));
  }
  return key;
}

// CheckCovenant took the key.
crypto::note::PublicKey KeyFromText(absl::string_view base64) {
  return *crypto::note::PublicKey::Create(*base::ParseBase64(base64));
}

bool Contains(const google::protobuf::RepeatedPtrField<std::string>& list, absl::string_view value) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& entry) { return entry == value; });
}

}  // namespace

std::string Urn(absl::string_view region, absl::string_view role, absl::string_view id) {
  return absl::StrCat("urn:raakvlak:", region, ":", role, ":", id);
}

absl::StatusOr<v1::Covenant> ParseCovenantText(absl::string_view text) {
  v1::Covenant covenant;
  if (const auto error = ParseText(text, covenant))
    return Invalid(absl::StrCat("the covenant's text: ", *error));
  return covenant;
}

absl::StatusOr<std::vector<crypto::note::VerifierKey>> SignersOf(const v1::Covenant& covenant) {
  std::vector<crypto::note::VerifierKey> signers;
  for (const v1::Partner& partner : covenant.partners()) {
    RAAKVLAK_ASSIGN_OR_RETURN(auto key,
                              SignerOf(partner.signing_key(), Urn(covenant.region(), "node", partner.id())));
    signers.push_back(std::move(key));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(auto hub, SignerOf(covenant.hub().signing_key(), covenant.hub().urn()));
  signers.push_back(std::move(hub));
  return signers;
}

std::map<uint32_t, std::string> KeyHolders(const v1::Covenant& covenant) {
  std::map<uint32_t, std::string> holders;
  for (const v1::Partner& partner : covenant.partners()) holders.emplace(partner.index(), partner.id());
  return holders;
}

uint32_t WitnessQuorum(const v1::Covenant& covenant) {
  if (covenant.witness_quorum() != 0) return covenant.witness_quorum();
  return static_cast<uint32_t>(covenant.partners_size()) / 2 + 1;
}

absl::StatusOr<std::shared_ptr<const Covenant>> Covenant::Verify(absl::string_view note_bytes) {
  auto note = crypto::note::Parse(note_bytes);
  if (!note.ok()) return Invalid(absl::StrCat("the covenant is no signed note: ", note.status().message()));
  // The signers are named by the text itself, so it is read before they are checked; nothing is done with it
  // until they all are.
  RAAKVLAK_ASSIGN_OR_RETURN(v1::Covenant text, ParseCovenantText(note->text));
  RAAKVLAK_RETURN_IF_ERROR(CheckCovenant(text));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto signers, SignersOf(text));
  RAAKVLAK_RETURN_IF_ERROR(base::Annotate(crypto::note::VerifyAll(*note, signers), "covenant"));

  std::shared_ptr<Covenant> covenant(new Covenant());
  covenant->id_ = base::Sha256(note->text);
  covenant->valid_from_ = *ParseUtc(text.valid_from());
  covenant->valid_until_ = *ParseUtc(text.valid_until());
  RAAKVLAK_CHECK(absl::LoadTimeZone(text.time_zone(), &covenant->time_zone_), "CheckCovenant loaded it");
  for (int i = 0; i < text.partners_size(); ++i)
    covenant->partner_keys_.emplace(text.partners(i).id(), signers[i]);
  covenant->hub_key_ = signers.back();
  for (const v1::Partner& partner : text.partners()) {
    covenant->log_keys_.emplace(Urn(text.region(), "node", partner.id()), KeyFromText(partner.log_key()));
  }
  covenant->log_keys_.emplace(text.broker().urn(), KeyFromText(text.broker().log_key()));
  covenant->log_keys_.emplace(text.hub().urn(), KeyFromText(text.hub().log_key()));
  if (!text.coordinating_officer_key().empty()) {
    covenant->coordinating_officer_ = *crypto::note::VerifierKey::Parse(text.coordinating_officer_key());
  }
  covenant->text_ = std::move(text);
  covenant->note_ = *std::move(note);
  return covenant;
}

absl::Status Covenant::CheckValidAt(absl::Time now) const {
  if (now >= valid_from_ && now < valid_until_) return absl::OkStatus();
  return base::Error(
      absl::StatusCode::kFailedPrecondition, base::reason::kCovenantExpired,
      absl::StrCat("the covenant is valid from ", text_.valid_from(), " until ", text_.valid_until()));
}

const v1::Partner* Covenant::FindPartner(absl::string_view id) const {
  for (const v1::Partner& partner : text_.partners()) {
    if (partner.id() == id) return &partner;
  }
  return nullptr;
}

const v1::Purpose* Covenant::FindPurpose(absl::string_view id) const {
  for (const v1::Purpose& purpose : text_.purposes()) {
    if (purpose.id() == id) return &purpose;
  }
  return nullptr;
}

const v1::SealKey* Covenant::FindSealKey(absl::string_view purpose, uint32_t epoch) const {
  for (const v1::SealKey& key : text_.hub().seal_keys()) {
    if (key.purpose() == purpose && key.epoch() == epoch) return &key;
  }
  return nullptr;
}

const v1::LinkageRule* Covenant::FindRule(const v1::Purpose& purpose, absl::string_view rule) {
  for (const v1::LinkageRule& candidate : purpose.rules()) {
    if (candidate.id() == rule) return &candidate;
  }
  return nullptr;
}

const crypto::note::PublicKey& Covenant::PartnerKey(absl::string_view partner) const {
  return PartnerVerifier(partner).key();
}

const crypto::note::VerifierKey& Covenant::PartnerVerifier(absl::string_view partner) const {
  const auto found = partner_keys_.find(partner);
  RAAKVLAK_CHECK(found != partner_keys_.end(), "the caller found the partner before");
  return found->second;
}

bool Covenant::IsSignedBy(const crypto::note::VerifierKey& key) const {
  return crypto::note::Verify(note_, absl::MakeConstSpan(&key, 1)).ok();
}

std::vector<crypto::note::VerifierKey> Covenant::PartnerVerifiers() const {
  std::vector<crypto::note::VerifierKey> verifiers;
  for (const v1::Partner& partner : text_.partners())
    verifiers.push_back(partner_keys_.find(partner.id())->second);
  return verifiers;
}

absl::StatusOr<crypto::note::VerifierKey> Covenant::LogVerifier(absl::string_view origin) const {
  const size_t slash = origin.rfind('/');
  const absl::string_view year = slash == origin.npos ? "" : origin.substr(slash + 1);
  const bool is_year =
      year.size() == 4 && year[0] != '0' && std::all_of(year.begin(), year.end(), absl::ascii_isdigit);
  const auto found = is_year ? log_keys_.find(origin.substr(0, slash)) : log_keys_.end();
  if (found == log_keys_.end()) {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound,
                       "no log of this origin is in the covenant");
  }
  return crypto::note::VerifierKey::Create(origin, found->second);
}

uint64_t Covenant::QuotaFor(absl::string_view partner, v1::IdentifierClass identifier_class) const {
  const v1::Partner* entry = FindPartner(partner);
  if (entry == nullptr || (identifier_class == v1::BSN && !entry->bsn_entitled())) return 0;
  uint64_t for_everyone = 0;
  for (const v1::Quota& quota : text_.quotas()) {
    if (quota.identifier_class() != identifier_class) continue;
    if (quota.partner() == partner) return quota.elements_per_day();
    if (quota.partner().empty()) for_everyone = quota.elements_per_day();
  }
  return for_everyone;
}

bool Covenant::MaySubmit(const v1::Purpose& purpose, absl::string_view partner) {
  return Contains(purpose.submitters(), partner);
}

bool Covenant::MayReportCases(const v1::Purpose& purpose, absl::string_view partner) {
  return Contains(purpose.case_reporters(), partner);
}

absl::CivilDay Covenant::CivilDayAt(absl::Time time) const { return absl::ToCivilDay(time, time_zone_); }

uint32_t Covenant::DayAt(absl::Time time) const {
  return static_cast<uint32_t>(CivilDayAt(time) - absl::CivilDay(1970, 1, 1));
}

}  // namespace raakvlak::policy
