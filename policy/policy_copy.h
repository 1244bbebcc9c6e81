// PolicyCopy: what somebody who runs no process of a region knows of its policy: a covenant file, a roster
// file, and a folder of signed notes that arrived since (policy/note_folder.h).
//
// The covenant file decides whom is believed: what is taken in addition follows it, or precedes it, by
// policy/succession.h. Nothing older comes back as long as file and folder stay. Unlike Authority it needs
// nothing in force to take what is newer, so that who was away until everything expired finds back.
//
// It does NOT tell whether there is something newer that nobody handed over. Thread safety: one thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "policy/authority.h"
#include "policy/covenant.h"
#include "policy/covenant_chain.h"
#include "policy/roster.h"

namespace raakvlak::policy {

class PolicyCopy {
 public:
  // Reads the files; `files.roster` may be empty. A note in the folder that is not good, or a folder that
  // cannot be read, is passed over. FILE_UNREADABLE and errors of Covenant::Verify, of the covenant file.
  static absl::StatusOr<PolicyCopy> Read(const PolicyFiles& files);

  // The covenant in force: as Authority chooses it, the newest whose time has come and that has a roster
  // here; without rosters the newest. COVENANT_EXPIRED when it is not valid (not any more, or not yet).
  absl::StatusOr<std::shared_ptr<const Covenant>> CovenantAt(absl::Time now) const;
  // The roster under that covenant, of the highest number that is valid. FILE_UNREADABLE, ROSTER_*,
  // SIGNATURE_INVALID: why that of the file is none, or none in the folder.
  absl::StatusOr<std::shared_ptr<const Roster>> RosterAt(absl::Time now) const;
  // Never empty.
  const CovenantChain& chain() const { return *chain_; }

  // SHA-256 of each note here, for FetchPolicyRequest.known.
  std::vector<std::string> Hashes() const;
  // Take adds notes that somebody handed over, those that are good, in any order, and keeps them in the
  // folder (not when that is empty), in place of rosters older than the one in force. STORAGE_FAILED when
  // they could not be kept: they are known still.
  absl::Status Take(absl::Span<const std::string> notes, absl::Time now);

 private:
  explicit PolicyCopy(PolicyFiles files) : files_(std::move(files)) {}
  // Adds what is new among `notes`, and builds the chain anew.
  void Learn(absl::Span<const std::string> notes);
  bool IsGood(const std::string& note) const;
  absl::StatusOr<std::shared_ptr<const Roster>> FindRoster(const Covenant& covenant, absl::Time now) const;

  PolicyFiles files_;
  absl::Status roster_file_;
  std::shared_ptr<const Covenant> configured_;
  std::map<std::string, std::shared_ptr<const Covenant>> covenants_;  // by id
  std::shared_ptr<const CovenantChain> chain_;
  // By hash; whether they are good depends on the chain.
  std::map<std::string, std::string> notes_;
};

}  // namespace raakvlak::policy
