// TestRegion: a small region with a signed covenant and roster on disk, and the Authority that reads them.
// Partners politie, gemeente (LID1), jeugdzorg (LID2), woningcorporatie (THIRD, no BSN); purposes
// onaantastbaren (LIST), risicojeugd (CASE), gezinsaanpak (LIST, household); members anna (staff), olga
// (officer), piet (operator); the coordinating officer is fg. t = 3, k = 2. WARNING: all keys come from one
// seed.
//
// Change covenant() or roster(), then call Write; what is wrong shows in Current(). Not thread safe, but
// authority() is.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/fakes.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "policy/authority.h"
#include "raakvlak/v1/covenant.pb.h"
#include "raakvlak/v1/roster.pb.h"

namespace raakvlak::testing {

class MemoryHighWater final : public policy::HighWater {
 public:
  absl::StatusOr<policy::Newest> Load() override { return newest_; }
  absl::Status Store(const policy::Newest& newest) override {
    newest_ = newest;
    return absl::OkStatus();
  }

 private:
  policy::Newest newest_;
};

class TestRegion {
 public:
  static constexpr char kName[] = "maastricht";

  TestRegion();

  // urn:raakvlak:maastricht:<role>:<id>
  static std::string Urn(const std::string& role, const std::string& id);

  v1::Covenant& covenant() { return covenant_; }
  v1::Roster& roster() { return roster_; }
  // The signing key of a URN that covenant or roster name; made at its first use.
  const crypto::note::PrivateKey& KeyOf(const std::string& urn);
  // The keys that sign the log of a process, and that cosign the logs of others.
  static crypto::note::PrivateKey LogKeyOf(const std::string& urn);
  static crypto::note::PrivateKey WitnessKeyOf(const std::string& urn);
  // Sets the keys of a partner by its id.
  void GiveKeys(v1::Partner& partner);
  // Makes a new signing key for a URN and returns its verifier key, for the covenant or roster.
  std::string ReplaceKeyOf(const std::string& urn);
  // Turns covenant() into the one that follows it, valid from now: next version, supersedes what is written.
  void NextCovenant();
  // Raises the epoch of a purpose, with a new seal key; the epoch before is served for `overlap` (whole days)
  // after valid_from.
  void RaiseEpoch(const std::string& purpose, absl::Duration overlap);
  // covenant() signed by everybody, as it would be written.
  crypto::note::Note CovenantNote();
  std::shared_ptr<const policy::Covenant> SignedCovenant();
  // The key that ReplaceKeyOf replaced last. REQUIRES: it did.
  const crypto::note::PrivateKey& ReplacedKeyOf(const std::string& urn) const { return replaced_.at(urn); }
  // KeyOf, and with it the one that it replaced.
  std::vector<const crypto::note::PrivateKey*> KeysOf(const std::string& urn);
  // Signs both with everybody's keys and writes them. The roster follows the covenant's id.
  void Write();
  // Writes a roster with the next number in which `partner` is suspended.
  void Suspend(const std::string& partner);

  // Made at its first use, from the files written last. REQUIRES: they are valid.
  policy::Authority& authority();
  base::testing::FakeClock& clock() { return clock_; }
  std::string covenant_path() const { return folder_.File("covenant.note"); }
  std::string roster_path() const { return folder_.File("roster.note"); }
  // Of notes that arrive (policy/note_folder.h).
  std::string policy_folder() const { return folder_.File("policy"); }

 private:
  std::string VerifierOf(const std::string& urn);
  void AddSealKey(const std::string& purpose, uint32_t epoch);
  void AddPartner(const std::string& id, v1::ParticipantClass participant_class,
                  const std::string& organisation);
  v1::Purpose& AddPurpose(const std::string& id, v1::Mode mode);
  void AddMember(const std::string& id, const std::string& role_name, v1::MemberRole role);

  base::testing::TemporaryFolder folder_;
  base::testing::FakeClock clock_;
  base::testing::SeededRandom random_{20260101};
  MemoryHighWater high_water_;
  std::map<std::string, crypto::note::PrivateKey> keys_;
  std::map<std::string, crypto::note::PrivateKey> replaced_;
  v1::Covenant covenant_;
  v1::Roster roster_;
  std::unique_ptr<policy::Authority> authority_;
};

}  // namespace raakvlak::testing
