#include "policy/policy_copy.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/note_folder.h"
#include "policy/succession.h"

namespace raakvlak::policy {

absl::StatusOr<PolicyCopy> PolicyCopy::Read(const PolicyFiles& files) {
  PolicyCopy copy(files);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes,
                            base::ReadFile(files.covenant, crypto::note::kMaxNoteSize));
  auto configured = Covenant::Verify(bytes);
  if (!configured.ok()) return base::Annotate(configured.status(), files.covenant);
  copy.configured_ = *std::move(configured);
  std::vector<std::string> notes = {bytes};
  if (!files.roster.empty()) {
    auto roster = base::ReadFile(files.roster, crypto::note::kMaxNoteSize);
    copy.roster_file_ = roster.status();
    if (roster.ok()) notes.push_back(*std::move(roster));
  }
  // What is not read here can be handed over again.
  if (auto stored = ReadNotes(files.folder); stored.ok()) {
    for (StoredNote& note : *stored) notes.push_back(std::move(note.bytes));
  }
  copy.Learn(notes);
  return copy;
}

void PolicyCopy::Learn(absl::Span<const std::string> notes) {
  for (const std::string& note : notes) {
    if (!notes_.emplace(base::Sha256(note), note).second) continue;
    const auto kind = ClassifyNote(note);
    if (!kind.ok() || *kind != NoteKind::kCovenant) continue;
    const auto covenant = Covenant::Verify(note);
    if (covenant.ok()) covenants_.emplace((*covenant)->id(), *covenant);
  }
  chain_ = BuildChain(covenants_, configured_, [](const Covenant&, const absl::Status&) {});
}

bool PolicyCopy::IsGood(const std::string& note) const {
  const auto kind = ClassifyNote(note);
  if (!kind.ok()) return false;
  if (*kind == NoteKind::kWithdrawal) return VerifyWithdrawal(note, *chain_).ok();
  for (const auto& covenant : chain_->all()) {
    if (*kind == NoteKind::kRoster && Roster::Verify(note, *covenant).ok()) return true;
    const auto known = Covenant::Verify(note);
    if (*kind == NoteKind::kCovenant && known.ok() && (*known)->id() == covenant->id()) return true;
  }
  return false;
}

absl::StatusOr<std::shared_ptr<const Roster>> PolicyCopy::FindRoster(const Covenant& covenant,
                                                                     absl::Time now) const {
  absl::Status refused = roster_file_;
  std::shared_ptr<const Roster> best;
  for (const auto& [hash, note] : notes_) {
    const auto kind = ClassifyNote(note);
    if (!kind.ok() || *kind != NoteKind::kRoster) continue;
    const auto roster = Roster::Verify(note, covenant);
    const absl::Status usable = roster.ok() ? (*roster)->CheckValidAt(now) : roster.status();
    if (!usable.ok()) {
      // That of another covenant says least.
      if (refused.ok() || base::ReasonOf(usable) != base::reason::kCovenantMismatch) refused = usable;
    } else if (best == nullptr || (*roster)->number() > best->number()) {
      best = *roster;
    }
  }
  if (best != nullptr) return best;
  if (!refused.ok()) return refused;
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kRosterExpired,
                     "there is no roster");
}

absl::StatusOr<std::shared_ptr<const Covenant>> PolicyCopy::CovenantAt(absl::Time now) const {
  std::shared_ptr<const Covenant> newest;
  for (auto covenant = chain_->all().rbegin(); covenant != chain_->all().rend(); ++covenant) {
    if (!(*covenant)->CheckValidAt(now).ok()) continue;
    if (FindRoster(**covenant, now).ok()) return *covenant;
    if (newest == nullptr) newest = *covenant;
  }
  if (newest != nullptr) return newest;
  return chain_->all().back()->CheckValidAt(now);
}

absl::StatusOr<std::shared_ptr<const Roster>> PolicyCopy::RosterAt(absl::Time now) const {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, CovenantAt(now));
  return FindRoster(*covenant, now);
}

std::vector<std::string> PolicyCopy::Hashes() const {
  std::vector<std::string> hashes;
  for (const auto& [hash, note] : notes_) hashes.push_back(hash);
  return hashes;
}

absl::Status PolicyCopy::Take(absl::Span<const std::string> notes, absl::Time now) {
  Learn(notes);
  if (files_.folder.empty()) return absl::OkStatus();
  for (const std::string& note : notes) {
    if (IsGood(note)) RAAKVLAK_RETURN_IF_ERROR(AddNote(files_.folder, note));
  }
  if (const auto roster = RosterAt(now); roster.ok()) RemoveRostersBelow(files_.folder, (*roster)->number());
  return absl::OkStatus();
}

}  // namespace raakvlak::policy
