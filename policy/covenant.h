// Covenant: the verified agreement of one region, and what it says (docs/format/covenant.md).
//
// A Covenant object exists only for a note that every partner and the hub signed and that breaks no rule; an
// expired one parses, and CheckValidAt refuses it. covenant_id = SHA-256 of the note's text. Immutable;
// thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "raakvlak/v1/covenant.pb.h"

namespace raakvlak::policy {

// CheckCovenant checks the rules that need no signature: format, names, times, unique ids and URNs, partner
// classes, entitlement, organisations and indices (1..32, one index per organisation), 2 <= t <= n <= 32 key
// holders, k >= 2, modes, known enum values, retention, quotas, epochs and until when the one before is
// served, a seal key for each (purpose, epoch) served at valid_from and no other, coordinating officer, rules
// whose class is ADDRESS only in household purposes when EXACT or STRONG (a household purpose has no EXACT or
// STRONG rule about persons), organisations that run two of broker, hub and node only with accept_collusion.
// It does NOT know which linkage rules exist, nor what they and the quotas come to: `raakvlak covenant
// verify` and the nodes check that (policy/budget/covenant_budget.h).
// COVENANT_INVALID with what and where; NEEDS_LATER_VERSION for OTHER_LAW, four_eyes.
// Whether it may follow another covenant: policy/succession.h.
absl::Status CheckCovenant(const v1::Covenant& covenant);

// CollusionWarnings lists, one line each, the organisations that run two of broker, hub and node and the
// guarantees of the design that fall with it; and per class what a partner with c = 1 and c = t-1 holders on
// its side can evaluate a day: q(n-c)/(t-c).
std::vector<std::string> CollusionWarnings(const v1::Covenant& covenant);
std::vector<std::string> QuotaNotes(const v1::Covenant& covenant);

// ParseCovenantText reads protobuf text format. COVENANT_INVALID for unknown fields or anything that does not
// parse.
absl::StatusOr<v1::Covenant> ParseCovenantText(absl::string_view text);

// SignersOf returns the verifier keys that must sign: all partners, then the hub. COVENANT_INVALID for a key
// that does not parse or whose name is not the URN.
absl::StatusOr<std::vector<crypto::note::VerifierKey>> SignersOf(const v1::Covenant& covenant);

// KeyHolders returns index -> partner id. Entries of one organisation share one index, and so one share: the
// first of them in the covenant's order holds it. n is the size of this map.
std::map<uint32_t, std::string> KeyHolders(const v1::Covenant& covenant);

// WitnessQuorum returns how many of the partners' witnesses must cosign the broker's log: what the covenant
// says, or else more than half of the partners.
uint32_t WitnessQuorum(const v1::Covenant& covenant);

// URNs: urn:raakvlak:<region>:<role>:<id>.
std::string Urn(absl::string_view region, absl::string_view role, absl::string_view id);

class Covenant {
 public:
  // Verify parses and checks a signed note. COVENANT_INVALID, NEEDS_LATER_VERSION, SIGNATURE_INVALID (names
  // who did not sign).
  static absl::StatusOr<std::shared_ptr<const Covenant>> Verify(absl::string_view note_bytes);

  const std::string& id() const { return id_; }  // 32 bytes
  const v1::Covenant& text() const { return text_; }
  const std::string& region() const { return text_.region(); }

  absl::Time valid_from() const { return valid_from_; }
  // COVENANT_EXPIRED outside valid_from <= now < valid_until.
  absl::Status CheckValidAt(absl::Time now) const;

  // nullptr when there is none.
  const v1::Partner* FindPartner(absl::string_view id) const;
  const v1::Purpose* FindPurpose(absl::string_view id) const;
  const v1::SealKey* FindSealKey(absl::string_view purpose, uint32_t epoch) const;
  static const v1::LinkageRule* FindRule(const v1::Purpose& purpose, absl::string_view rule);

  // REQUIRES: such a partner exists.
  const crypto::note::PublicKey& PartnerKey(absl::string_view partner) const;
  const crypto::note::VerifierKey& PartnerVerifier(absl::string_view partner) const;
  const crypto::note::PublicKey& HubKey() const { return hub_key_->key(); }
  const crypto::note::VerifierKey& HubVerifier() const { return *hub_key_; }
  // Who countersigns rosters that have officers; nullptr when the covenant names nobody.
  const crypto::note::VerifierKey* CoordinatingOfficer() const {
    return coordinating_officer_ ? &*coordinating_officer_ : nullptr;
  }
  // Whether the note has a good signature of `key`, which may be a key of another covenant.
  bool IsSignedBy(const crypto::note::VerifierKey& key) const;
  // One verifier per partner, in the covenant's order.
  std::vector<crypto::note::VerifierKey> PartnerVerifiers() const;

  // The verifier of the log with this origin, "<URN of the process>/<year, 4 digits>". NOT_FOUND unless it is
  // a partner's, the broker's or the hub's.
  absl::StatusOr<crypto::note::VerifierKey> LogVerifier(absl::string_view origin) const;
  uint32_t WitnessQuorum() const { return policy::WitnessQuorum(text_); }

  // Elements a day; 0 when the covenant gives this partner none.
  uint64_t QuotaFor(absl::string_view partner, v1::IdentifierClass identifier_class) const;

  static bool MaySubmit(const v1::Purpose& purpose, absl::string_view partner);
  static bool MayReportCases(const v1::Purpose& purpose, absl::string_view partner);

  // Calendar day, and days since 1970-01-01, in the covenant's time zone.
  absl::CivilDay CivilDayAt(absl::Time time) const;
  uint32_t DayAt(absl::Time time) const;

 private:
  Covenant() = default;
  std::string id_;
  crypto::note::Note note_;
  v1::Covenant text_;
  absl::Time valid_from_;
  absl::Time valid_until_;
  absl::TimeZone time_zone_;
  std::map<std::string, crypto::note::VerifierKey, std::less<>> partner_keys_;
  std::optional<crypto::note::VerifierKey> hub_key_;
  std::optional<crypto::note::VerifierKey> coordinating_officer_;
  std::map<std::string, crypto::note::PublicKey, std::less<>> log_keys_;  // by the URN of the process
};

}  // namespace raakvlak::policy
