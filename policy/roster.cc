#include "policy/roster.h"

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

constexpr absl::Duration kMaxValidity = absl::Hours(24 * 31);
constexpr int kMaxMembers = 1024;

absl::Status Invalid(absl::string_view where, absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kRosterInvalid,
                     absl::StrCat("roster: ", where, ": ", what));
}

absl::Status Require(bool condition, absl::string_view where, absl::string_view what) {
  return condition ? absl::OkStatus() : Invalid(where, what);
}

absl::string_view NameOf(int role) {
  switch (role) {
    case v1::STAFF:
      return "staff";
    case v1::OFFICER:
      return "officer";
    case v1::OPERATOR:
      return "operator";
    default:
      return "";
  }
}

absl::Status CheckRoles(const std::string& where, const v1::Member& member, const Covenant& covenant) {
  std::set<int> roles;
  bool urn_fits = false;
  for (const int role : member.roles()) {
    RAAKVLAK_RETURN_IF_ERROR(Require(!NameOf(role).empty(), where, "roles are STAFF, OFFICER and OPERATOR"));
    RAAKVLAK_RETURN_IF_ERROR(Require(roles.insert(role).second, where, "a role is given twice"));
    if (member.urn() == Urn(covenant.region(), NameOf(role), member.id())) urn_fits = true;
  }
  RAAKVLAK_RETURN_IF_ERROR(Require(!roles.empty(), where, "roles are missing"));
  RAAKVLAK_RETURN_IF_ERROR(
      Require(urn_fits, where, "urn is not urn:raakvlak:<region>:<one of the roles>:<id of the member>"));
  return Require(!roles.contains(v1::STAFF) || !roles.contains(v1::OFFICER), where,
                 "is both staff and officer");
}

absl::Status CheckPurposes(const std::string& where, const v1::Member& member, const Covenant& covenant) {
  std::set<std::string> purposes;
  for (const std::string& purpose : member.purposes()) {
    RAAKVLAK_RETURN_IF_ERROR(Require(covenant.FindPurpose(purpose) != nullptr, where,
                                     absl::StrCat("there is no purpose \"", purpose, "\"")));
    RAAKVLAK_RETURN_IF_ERROR(Require(purposes.insert(purpose).second, where,
                                     absl::StrCat("purpose \"", purpose, "\" is given twice")));
  }
  const bool staff = Roster::HasRole(member, v1::STAFF);
  RAAKVLAK_RETURN_IF_ERROR(Require(staff || purposes.empty(), where, "only staff have purposes"));
  return Require(!staff || !purposes.empty(), where, "staff without purposes");
}

absl::Status CheckPartner(const std::string& where, const v1::Member& member, const Covenant& covenant) {
  if (member.partner().empty()) return absl::OkStatus();
  RAAKVLAK_RETURN_IF_ERROR(
      Require(Roster::HasRole(member, v1::OFFICER), where, "only officers are of a partner"));
  return Require(covenant.FindPartner(member.partner()) != nullptr, where,
                 absl::StrCat("there is no partner \"", member.partner(), "\""));
}

// The keys that sign for organisations; nobody signs orders with one of them.
std::set<std::string> CovenantKeys(const Covenant& covenant) {
  std::set<std::string> keys = {std::string(covenant.HubKey().bytes())};
  for (const auto& verifier : covenant.PartnerVerifiers()) keys.emplace(verifier.key().bytes());
  if (const auto* officer = covenant.CoordinatingOfficer()) keys.emplace(officer->key().bytes());
  return keys;
}

bool HasOfficers(const v1::Roster& roster) {
  return std::any_of(roster.members().begin(), roster.members().end(),
                     [](const v1::Member& member) { return Roster::HasRole(member, v1::OFFICER); });
}

}  // namespace

absl::StatusOr<v1::Roster> ParseRosterText(absl::string_view text) {
  v1::Roster roster;
  if (const auto error = ParseText(text, roster)) return Invalid("text", *error);
  return roster;
}

absl::Status CheckRoster(const v1::Roster& roster, const Covenant& covenant) {
  RAAKVLAK_RETURN_IF_ERROR(Require(roster.format() == 1, "format", "this version reads format 1"));
  RAAKVLAK_RETURN_IF_ERROR(Require(roster.covenant_id() == base::Hex(covenant.id()), "covenant_id",
                                   "is not that of the covenant"));
  RAAKVLAK_RETURN_IF_ERROR(Require(roster.number() >= 1, "number", "starts at 1"));
  const auto issued = ParseUtc(roster.issued());
  const auto expires = ParseUtc(roster.expires());
  RAAKVLAK_RETURN_IF_ERROR(Require(issued.has_value(), "issued", "is not like 2026-01-01T00:00:00Z"));
  RAAKVLAK_RETURN_IF_ERROR(Require(expires.has_value(), "expires", "is not like 2026-01-01T00:00:00Z"));
  RAAKVLAK_RETURN_IF_ERROR(Require(*issued < *expires, "expires", "is not after issued"));
  RAAKVLAK_RETURN_IF_ERROR(
      Require(*expires - *issued <= kMaxValidity, "expires", "is more than 31 days after issued"));
  RAAKVLAK_RETURN_IF_ERROR(
      Require(roster.members_size() <= kMaxMembers, "members", "there are at most 1,024"));

  std::set<std::string> ids;
  std::set<std::string> keys = CovenantKeys(covenant);
  for (const v1::Member& member : roster.members()) {
    const std::string where = absl::StrCat("member \"", member.id(), "\"");
    RAAKVLAK_RETURN_IF_ERROR(
        Require(IsName(member.id()), where, "id is 1 to 32 lower-case letters, digits and hyphens"));
    RAAKVLAK_RETURN_IF_ERROR(Require(ids.insert(member.id()).second, where, "id is used twice"));
    RAAKVLAK_RETURN_IF_ERROR(CheckRoles(where, member, covenant));
    RAAKVLAK_RETURN_IF_ERROR(CheckPurposes(where, member, covenant));
    RAAKVLAK_RETURN_IF_ERROR(CheckPartner(where, member, covenant));
    const auto key = crypto::note::VerifierKey::Parse(member.signing_key());
    RAAKVLAK_RETURN_IF_ERROR(Require(key.ok() && key->name() == member.urn(), where,
                                     "signing_key is no verifier key named as the urn"));
    RAAKVLAK_RETURN_IF_ERROR(
        Require(keys.emplace(key->key().bytes()).second, where, "signing_key is also somebody else's"));
  }
  RAAKVLAK_RETURN_IF_ERROR(
      Require(!HasOfficers(roster) || covenant.CoordinatingOfficer() != nullptr, "members",
              "officers need a countersignature, and the covenant has no coordinating_officer_key"));
  std::set<std::string> suspended;
  for (const std::string& partner : roster.suspended_partners()) {
    const std::string where = absl::StrCat("suspended partner \"", partner, "\"");
    RAAKVLAK_RETURN_IF_ERROR(
        Require(covenant.FindPartner(partner) != nullptr, where, "there is no such partner"));
    RAAKVLAK_RETURN_IF_ERROR(Require(suspended.insert(partner).second, where, "is given twice"));
  }
  return absl::OkStatus();
}

std::vector<crypto::note::VerifierKey> RosterSigners(const v1::Roster& roster, const Covenant& covenant) {
  std::vector<crypto::note::VerifierKey> signers = {covenant.HubVerifier()};
  const crypto::note::VerifierKey* officer = covenant.CoordinatingOfficer();
  if (officer != nullptr && HasOfficers(roster)) signers.push_back(*officer);
  return signers;
}

absl::StatusOr<std::shared_ptr<const Roster>> Roster::Verify(absl::string_view note_bytes,
                                                             const Covenant& covenant) {
  const auto note = crypto::note::Parse(note_bytes);
  if (!note.ok()) return Invalid("no signed note", note.status().message());
  // Which covenant it was made for is read first, so that a roster of another region or version is called
  // that and not a forgery.
  RAAKVLAK_ASSIGN_OR_RETURN(v1::Roster text, ParseRosterText(note->text));
  if (text.covenant_id() != base::Hex(covenant.id())) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kCovenantMismatch,
                       "the roster was made for another covenant");
  }
  RAAKVLAK_RETURN_IF_ERROR(
      base::Annotate(crypto::note::VerifyAll(*note, RosterSigners(text, covenant)), "roster"));
  RAAKVLAK_RETURN_IF_ERROR(CheckRoster(text, covenant));

  std::shared_ptr<Roster> roster(new Roster());
  roster->id_ = base::Sha256(note->text);
  roster->issued_ = *ParseUtc(text.issued());
  roster->expires_ = *ParseUtc(text.expires());
  for (const v1::Member& member : text.members()) {
    roster->keys_.emplace(member.urn(), crypto::note::VerifierKey::Parse(member.signing_key())->key());
  }
  roster->text_ = std::move(text);
  return roster;
}

absl::Status Roster::CheckValidAt(absl::Time now) const {
  if (now >= issued_ && now < expires_) return absl::OkStatus();
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kRosterExpired,
                     absl::StrCat("the roster is valid from ", text_.issued(), " until ", text_.expires()));
}

const v1::Member* Roster::FindMember(absl::string_view urn) const {
  for (const v1::Member& member : text_.members()) {
    if (member.urn() == urn) return &member;
  }
  return nullptr;
}

bool Roster::HasRole(const v1::Member& member, v1::MemberRole role) {
  return std::find(member.roles().begin(), member.roles().end(), role) != member.roles().end();
}

bool Roster::HasPurpose(const v1::Member& member, absl::string_view purpose) {
  return std::any_of(member.purposes().begin(), member.purposes().end(),
                     [&](const std::string& entry) { return entry == purpose; });
}

crypto::note::PublicKey Roster::KeyOf(const v1::Member& member) const {
  const auto found = keys_.find(member.urn());
  RAAKVLAK_CHECK(found != keys_.end(), "the caller found the member in this roster");
  return found->second;
}

bool Roster::IsSuspended(absl::string_view partner) const {
  return std::any_of(text_.suspended_partners().begin(), text_.suspended_partners().end(),
                     [&](const std::string& entry) { return entry == partner; });
}

}  // namespace raakvlak::policy
