#include "policy/note_folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/succession.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

constexpr char kSuffix[] = ".note";
constexpr char kWithdrawalHeader[] = "raakvlak/v1/covenant-withdrawal\n";

absl::Status RefuseNote(const char* reason, absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason, message);
}

absl::Status NoSuchNote() {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                     "no signed note of a covenant, a roster or a withdrawal");
}

const std::vector<std::shared_ptr<const Covenant>>& Known(const Snapshot& snapshot,
                                                          std::shared_ptr<const CovenantChain>& out_chain) {
  out_chain = snapshot.chain != nullptr ? snapshot.chain : CovenantChain::Create({snapshot.covenant});
  return out_chain->all();
}

absl::StatusOr<CheckedNote> CheckCovenantNote(absl::string_view note_bytes, const Snapshot& snapshot,
                                              absl::Time now) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, Covenant::Verify(note_bytes));
  std::shared_ptr<const CovenantChain> chain;
  const auto& known = Known(snapshot, chain);
  if (chain->Find(covenant->id()) != nullptr) return CheckedNote{NoteKind::kCovenant, /*known=*/true};
  if (known.front()->text().supersedes() == base::Hex(covenant->id())) {
    RAAKVLAK_RETURN_IF_ERROR(CheckSuccessor(*CovenantChain::Create({covenant}), *known.front()));
    return CheckedNote{NoteKind::kCovenant};
  }
  RAAKVLAK_RETURN_IF_ERROR(CheckSuccessor(*chain, *covenant));
  // Its time may still come.
  if (now >= covenant->valid_from()) RAAKVLAK_RETURN_IF_ERROR(covenant->CheckValidAt(now));
  return CheckedNote{NoteKind::kCovenant};
}

absl::StatusOr<CheckedNote> CheckRosterNote(absl::string_view note_bytes, const Snapshot& snapshot,
                                            absl::Time now) {
  std::shared_ptr<const CovenantChain> chain;
  absl::Status refused = RefuseNote(base::reason::kCovenantMismatch, "a roster of no covenant that is known");
  for (const auto& covenant : Known(snapshot, chain)) {
    if (covenant->text().version() < snapshot.covenant->text().version()) continue;
    const auto roster = Roster::Verify(note_bytes, *covenant);
    if (!roster.ok()) {
      if (base::ReasonOf(roster.status()) == base::reason::kCovenantMismatch) continue;
      return roster.status();
    }
    if ((*roster)->id() == snapshot.roster->id()) return CheckedNote{NoteKind::kRoster, /*known=*/true};
    if ((*roster)->number() <= snapshot.roster->number()) {
      return RefuseNote(base::reason::kRosterOutdated,
                        absl::StrCat("roster ", (*roster)->number(), " is not newer than the one in force, ",
                                     snapshot.roster->number()));
    }
    if (now >= (*roster)->issued()) RAAKVLAK_RETURN_IF_ERROR((*roster)->CheckValidAt(now));
    return CheckedNote{NoteKind::kRoster};
  }
  return refused;
}

}  // namespace

absl::string_view NameOf(NoteKind kind) {
  switch (kind) {
    case NoteKind::kCovenant:
      return "covenant";
    case NoteKind::kRoster:
      return "roster";
    case NoteKind::kWithdrawal:
      return "withdrawal";
  }
  return "";
}

absl::Status AddNote(const std::string& folder, absl::string_view note_bytes) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return base::Error(absl::StatusCode::kInternal, base::reason::kStorageFailed,
                       absl::StrCat("cannot create ", folder));
  }
  const std::string path = absl::StrCat(folder, "/", base::Hex(base::Sha256(note_bytes)), kSuffix);
  const auto present = base::ReadFile(path, crypto::note::kMaxNoteSize);
  if (present.ok() && absl::string_view(*present) == note_bytes) return absl::OkStatus();
  return base::WriteFileAtomically(path, note_bytes, 0644);
}

absl::StatusOr<std::vector<StoredNote>> ReadNotes(const std::string& folder) {
  std::vector<StoredNote> notes;
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error == std::errc::no_such_file_or_directory) return notes;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    if (!absl::EndsWith(name, kSuffix)) continue;
    auto bytes = base::ReadFile(entries->path().string(), crypto::note::kMaxNoteSize);
    if (bytes.ok()) notes.push_back({name, *std::move(bytes)});
  }
  if (error) {
    return base::Error(absl::StatusCode::kInternal, base::reason::kFileUnreadable,
                       absl::StrCat("cannot read the folder ", folder));
  }
  std::sort(notes.begin(), notes.end(),
            [](const StoredNote& a, const StoredNote& b) { return a.name < b.name; });
  return notes;
}

void RemoveRostersBelow(const std::string& folder, uint64_t number) {
  const auto notes = ReadNotes(folder);
  if (!notes.ok()) return;
  for (const StoredNote& note : *notes) {
    const auto parsed = crypto::note::Parse(note.bytes);
    if (!parsed.ok()) continue;
    const auto roster = ParseRosterText(parsed->text);
    std::error_code ignored;
    if (roster.ok() && roster->number() < number)
      std::filesystem::remove(absl::StrCat(folder, "/", note.name), ignored);
  }
}

absl::StatusOr<NoteKind> ClassifyNote(absl::string_view note_bytes) {
  const auto note = crypto::note::Parse(note_bytes);
  if (!note.ok()) return NoSuchNote();
  if (absl::StartsWith(note->text, kWithdrawalHeader)) return NoteKind::kWithdrawal;
  if (ParseCovenantText(note->text).ok()) return NoteKind::kCovenant;
  if (ParseRosterText(note->text).ok()) return NoteKind::kRoster;
  return NoSuchNote();
}

std::string WithdrawalText(absl::string_view covenant_id, absl::string_view partner) {
  return absl::StrCat(kWithdrawalHeader, "covenant ", base::Hex(covenant_id), "\npartner ", partner, "\n");
}

absl::StatusOr<CovenantWithdrawal> VerifyWithdrawal(absl::string_view note_bytes,
                                                    const CovenantChain& chain) {
  const auto note = crypto::note::Parse(note_bytes);
  if (!note.ok()) return NoSuchNote();
  const std::vector<absl::string_view> lines = absl::StrSplit(note->text, '\n');
  absl::string_view hex = lines.size() > 1 ? lines[1] : "";
  absl::string_view partner = lines.size() > 2 ? lines[2] : "";
  if (!absl::ConsumePrefix(&hex, "covenant ") || !absl::ConsumePrefix(&partner, "partner ") ||
      !IsCovenantId(hex) || !IsName(partner)) {
    return NoSuchNote();
  }
  CovenantWithdrawal withdrawal{*base::ParseHex(hex), std::string(partner)};
  if (note->text != WithdrawalText(withdrawal.covenant_id, partner)) return NoSuchNote();
  const auto covenant = chain.Find(withdrawal.covenant_id);
  if (covenant == nullptr || covenant->FindPartner(partner) == nullptr) {
    return RefuseNote(base::reason::kCovenantMismatch, "no covenant that is known has this partner");
  }
  RAAKVLAK_RETURN_IF_ERROR(base::Annotate(
      crypto::note::VerifyAll(*note, absl::MakeConstSpan(&covenant->PartnerVerifier(partner), 1)),
      "withdrawal"));
  return withdrawal;
}

absl::StatusOr<CheckedNote> CheckNote(absl::string_view note_bytes, const Snapshot& snapshot,
                                      absl::Time now) {
  RAAKVLAK_ASSIGN_OR_RETURN(const NoteKind kind, ClassifyNote(note_bytes));
  switch (kind) {
    case NoteKind::kCovenant:
      return CheckCovenantNote(note_bytes, snapshot, now);
    case NoteKind::kRoster:
      return CheckRosterNote(note_bytes, snapshot, now);
    case NoteKind::kWithdrawal:
      break;
  }
  std::shared_ptr<const CovenantChain> chain;
  Known(snapshot, chain);
  RAAKVLAK_RETURN_IF_ERROR(VerifyWithdrawal(note_bytes, *chain).status());
  return CheckedNote{NoteKind::kWithdrawal};
}

}  // namespace raakvlak::policy
