// The folder in which a process keeps the signed notes of its policy that arrived, from the broker or by
// hand: covenants, rosters, and withdrawals of signatures (docs/format/covenant.md). Authority reads it.
//
// A file is <SHA-256 of the note, hexadecimal>.note. Whoever may write into the folder decides what is read,
// not what is believed: Authority verifies each note itself and passes over what does not fit.
//
// Thread safety: all functions may be called from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "policy/authority.h"
#include "policy/covenant_chain.h"

namespace raakvlak::policy {

enum class NoteKind { kCovenant, kRoster, kWithdrawal };

// "covenant", "roster" or "withdrawal".
absl::string_view NameOf(NoteKind kind);

// AddNote keeps a note: durable when it returns, and once however often it is added. Creates the folder
// (0700). STORAGE_FAILED. Verifies nothing: CheckNote first.
absl::Status AddNote(const std::string& folder, absl::string_view note_bytes);

struct StoredNote {
  std::string name;  // of the file
  std::string bytes;
};
// ReadNotes returns the files *.note, by name; none when the folder is missing. A file over 1 MiB is passed
// over. FILE_UNREADABLE.
absl::StatusOr<std::vector<StoredNote>> ReadNotes(const std::string& folder);

// RemoveRostersBelow deletes the notes of rosters with a number below `number`, which is in force: nothing
// lets one come back. Covenants and withdrawals stay. What cannot be deleted stays too.
void RemoveRostersBelow(const std::string& folder, uint64_t number);

// ClassifyNote tells by its text what a note wants to be; verifies nothing. MALFORMED when it is no signed
// note or none of the three.
absl::StatusOr<NoteKind> ClassifyNote(absl::string_view note_bytes);

// A partner's withdrawal of its signature under a covenant: a signed note of its signing key in that covenant
// with this text. DO NOT CHANGE. From then on the partner is out under that covenant; under another one it is
// in when it signed that.
//   raakvlak/v1/covenant-withdrawal
//   covenant <covenant_id, 64 lower-case hexadecimal digits>
//   partner <id>
std::string WithdrawalText(absl::string_view covenant_id, absl::string_view partner);
struct CovenantWithdrawal {
  std::string covenant_id;  // 32 bytes
  std::string partner;
};
// VerifyWithdrawal: MALFORMED; COVENANT_MISMATCH when the chain has no such covenant with that partner;
// SIGNATURE_INVALID.
absl::StatusOr<CovenantWithdrawal> VerifyWithdrawal(absl::string_view note_bytes, const CovenantChain& chain);

struct CheckedNote {
  NoteKind kind;
  // It changes nothing: the same covenant or roster is known, whatever the order of its signatures.
  bool known = false;
};
// CheckNote checks a note that somebody hands over against what is known here, as Publish does at the broker
// and every other process with what it fetches. Good are: a covenant that CheckSuccessor lets follow the
// newest, or that the oldest one here supersedes; a roster of the covenant in force or a later one, with a
// higher number than the one in force; a withdrawal. MALFORMED, errors of Covenant::Verify, CheckSuccessor,
// Roster::Verify and VerifyWithdrawal, COVENANT_EXPIRED, COVENANT_OUTDATED, COVENANT_MISMATCH,
// ROSTER_OUTDATED, ROSTER_EXPIRED (no longer valid; one that is not valid yet is good).
absl::StatusOr<CheckedNote> CheckNote(absl::string_view note_bytes, const Snapshot& snapshot, absl::Time now);

}  // namespace raakvlak::policy
