// Roster: the verified list of people who work at the hub (docs/format/roster.md). Immutable; thread safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "crypto/note/ed25519.h"
#include "policy/covenant.h"
#include "raakvlak/v1/roster.pb.h"

namespace raakvlak::policy {

// ParseRosterText reads protobuf text format. ROSTER_INVALID for unknown fields or anything that does not
// parse.
absl::StatusOr<v1::Roster> ParseRosterText(absl::string_view text);

// CheckRoster: ROSTER_INVALID with what and where: format, covenant id, at most 31 days, URNs and keys that
// fit, unique members and keys, staff only with purposes of the covenant, nobody both staff and officer,
// suspended partners that exist, a partner only with officers and only one of the covenant, officers only
// when the covenant names the coordinating officer.
absl::Status CheckRoster(const v1::Roster& roster, const Covenant& covenant);

// RosterSigners returns who must sign: the hub, and the coordinating data protection officer when there are
// officers in it: nobody else says who may read logs. Without a coordinating officer in the covenant it is
// the hub alone, and CheckRoster refuses the officers.
std::vector<crypto::note::VerifierKey> RosterSigners(const v1::Roster& roster, const Covenant& covenant);

class Roster {
 public:
  // Verify: ROSTER_INVALID; SIGNATURE_INVALID unless all RosterSigners signed; COVENANT_MISMATCH when made
  // for another covenant.
  static absl::StatusOr<std::shared_ptr<const Roster>> Verify(absl::string_view note_bytes,
                                                              const Covenant& covenant);

  // SHA-256 of the note's text, 32 bytes.
  const std::string& id() const { return id_; }
  const v1::Roster& text() const { return text_; }
  absl::Time issued() const { return issued_; }
  uint64_t number() const { return text_.number(); }
  // ROSTER_EXPIRED outside issued <= now < expires.
  absl::Status CheckValidAt(absl::Time now) const;

  // By URN; nullptr when there is none.
  const v1::Member* FindMember(absl::string_view urn) const;
  static bool HasRole(const v1::Member& member, v1::MemberRole role);
  static bool HasPurpose(const v1::Member& member, absl::string_view purpose);
  // The key that signs the member's orders. REQUIRES: a member of this roster.
  crypto::note::PublicKey KeyOf(const v1::Member& member) const;
  bool IsSuspended(absl::string_view partner) const;

 private:
  Roster() = default;
  std::string id_;
  v1::Roster text_;
  absl::Time issued_;
  absl::Time expires_;
  std::map<std::string, crypto::note::PublicKey, std::less<>> keys_;
};

}  // namespace raakvlak::policy
