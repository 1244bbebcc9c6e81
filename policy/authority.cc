#include "policy/authority.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/note_folder.h"
#include "policy/succession.h"

namespace raakvlak::policy {
namespace {

// Two changes of a folder within one tick of the file system's clock have one time.
constexpr int64_t kTickNs = 20'000'000;

absl::Status Outdated(const char* reason, absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason, message);
}

// Whether `covenant` may follow the newest one ever seen here, whose text is gone.
absl::Status CheckFollows(const Covenant& covenant, const Newest& newest) {
  const uint32_t version = covenant.text().version();
  if (version > newest.covenant_version && covenant.text().supersedes() == base::Hex(newest.covenant_id)) {
    return absl::OkStatus();
  }
  return Outdated(
      base::reason::kCovenantOutdated,
      absl::StrCat("covenant version ", version, " is older than the one that was in force here, version ",
                   newest.covenant_version, ", or does not supersede it"));
}

// Why `covenant` is none of `chain`.
absl::Status WhyLeftOut(const CovenantChain& chain, const Covenant& covenant) {
  if (chain.Find(covenant.id()) != nullptr) return absl::OkStatus();
  const Covenant& last = *chain.all().back();
  if (covenant.text().version() > last.text().version()) return CheckSuccessor(chain, covenant);
  return Outdated(base::reason::kCovenantOutdated,
                  absl::StrCat("covenant version ", covenant.text().version(),
                               " is another than the one of that version which is known here, or older"));
}

absl::Status CheckNewer(const Roster& roster, const Newest& newest) {
  if (roster.number() < newest.roster_number) {
    return Outdated(base::reason::kRosterOutdated,
                    absl::StrCat("roster ", roster.number(), " is older than roster ", newest.roster_number,
                                 ", which was in force here"));
  }
  if (roster.number() == newest.roster_number && !newest.roster_id.empty() &&
      roster.id() != newest.roster_id) {
    return Outdated(base::reason::kRosterOutdated,
                    absl::StrCat("another roster of number ", roster.number(), " was in force here"));
  }
  return absl::OkStatus();
}

}  // namespace

bool MayFollow(const Newest& known, const Newest& next) {
  if (known.covenant_id.empty()) return true;
  const bool covenant =
      next.covenant_version > known.covenant_version ||
      (next.covenant_version == known.covenant_version && next.covenant_id == known.covenant_id);
  return covenant && (next.roster_number > known.roster_number ||
                      (next.roster_number == known.roster_number && next.roster_id == known.roster_id));
}

std::string Snapshot::Name() const {
  return absl::StrCat("c", covenant->text().version(), "/r", roster->number());
}

bool Snapshot::IsOut(absl::string_view partner) const {
  return roster->IsSuspended(partner) || withdrawn.find(partner) != withdrawn.end();
}

std::shared_ptr<const Covenant> Snapshot::FindCovenant(absl::string_view id) const {
  if (covenant->id() == id) return covenant;
  return chain == nullptr ? nullptr : chain->Find(id);
}

std::vector<std::shared_ptr<const Covenant>> Snapshot::UpToInForce() const {
  std::vector<std::shared_ptr<const Covenant>> covenants = {covenant};
  if (chain == nullptr) return covenants;
  for (auto known = chain->all().rbegin(); known != chain->all().rend(); ++known) {
    if ((*known)->text().version() < covenant->text().version()) covenants.push_back(*known);
  }
  return covenants;
}

const v1::Purpose* Snapshot::TermsOf(absl::string_view purpose, uint32_t epoch) const {
  for (const auto& known : UpToInForce()) {
    const v1::Purpose* found = known->FindPurpose(purpose);
    if (found != nullptr && found->epoch() == epoch) return found;
  }
  return nullptr;
}

absl::StatusOr<std::unique_ptr<Authority>> Authority::Create(PolicyFiles files, const base::Clock& clock,
                                                             HighWater& high_water) {
  std::unique_ptr<Authority> authority(new Authority(std::move(files), clock, high_water));
  base::MutexLock lock(authority->mutex_);
  RAAKVLAK_ASSIGN_OR_RETURN(authority->newest_, high_water.Load());
  authority->IsChanged(authority->MarkAll());
  RAAKVLAK_RETURN_IF_ERROR(authority->Read());
  RAAKVLAK_RETURN_IF_ERROR(authority->CheckRosterFile());
  const absl::Time now = clock.Now();
  RAAKVLAK_ASSIGN_OR_RETURN(Snapshot snapshot, authority->Choose(now));
  RAAKVLAK_RETURN_IF_ERROR(WhyLeftOut(*snapshot.chain, *authority->configured_));
  RAAKVLAK_RETURN_IF_ERROR(authority->Install(std::move(snapshot)));
  return authority;
}

absl::StatusOr<Snapshot> Authority::Current() {
  base::MutexLock lock(mutex_);
  const absl::Time now = clock_.Now();
  // Marked before they are read: a change in between shows at the next call.
  if (IsChanged(MarkAll()) || now >= retry_at_) Reload(now);
  const absl::Status in_force = CheckInForce(now);
  if (!in_force.ok()) {
    LogOnce("policy.expired", snapshot_.Name(), in_force);
    return in_force;
  }
  return snapshot_;
}

absl::Status Authority::CheckInForce(absl::Time now) {
  RAAKVLAK_RETURN_IF_ERROR(snapshot_.covenant->CheckValidAt(now));
  return snapshot_.roster->CheckValidAt(now);
}

absl::Status Authority::CheckPartner(const Snapshot& snapshot, absl::string_view partner) {
  if (snapshot.covenant->FindPartner(partner) == nullptr) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed,
                       "the covenant has no such partner");
  }
  if (snapshot.IsOut(partner)) {
    return base::Error(
        absl::StatusCode::kPermissionDenied, base::reason::kPartnerSuspended,
        absl::StrCat(partner, snapshot.roster->IsSuspended(partner) ? " is suspended by the roster"
                                                                    : " withdrew from the covenant"));
  }
  return absl::OkStatus();
}

Authority::FileMark Authority::MarkOf(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return FileMark();
  return FileMark{.changed_ns = int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec,
                  .inode = status.st_ino,
                  .size = status.st_size};
}

Authority::Marks Authority::MarkAll() const {
  return {MarkOf(files_.covenant), MarkOf(files_.roster), MarkOf(files_.folder)};
}

bool Authority::IsChanged(const Marks& marks) {
  const bool changed = marks != marks_ || unsettled_;
  marks_ = marks;
  // The file system's clock, not the one handed in.
  const int64_t age_ns = absl::ToUnixNanos(absl::Now()) - marks.folder.changed_ns;
  unsettled_ = age_ns < kTickNs && age_ns > -kTickNs;
  return changed;
}

void Authority::LogOnce(const char* event, const std::string& subject, const absl::Status& status) {
  if (!logged_.emplace(event, absl::StrCat(subject, ": ", status.message())).second) return;
  base::LogStatus(base::LogLevel::kWarning, event, base::Annotate(status, subject));
}

absl::Status Authority::Read() {
  rosters_.clear();
  withdrawals_.clear();
  auto roster = base::ReadFile(files_.roster, crypto::note::kMaxNoteSize);
  roster_file_ = roster.status();
  if (roster.ok()) rosters_.push_back({files_.roster, *std::move(roster)});
  ReadFolder();
  RAAKVLAK_ASSIGN_OR_RETURN(std::string bytes, base::ReadFile(files_.covenant, crypto::note::kMaxNoteSize));
  if (configured_ != nullptr && bytes == configured_bytes_) return absl::OkStatus();
  RAAKVLAK_ASSIGN_OR_RETURN(configured_, Covenant::Verify(bytes));
  configured_bytes_ = std::move(bytes);
  covenants_.emplace(configured_->id(), configured_);
  return absl::OkStatus();
}

absl::Status Authority::CheckRosterFile() {
  RAAKVLAK_RETURN_IF_ERROR(roster_file_);
  const auto kind = ClassifyNote(rosters_.front().bytes);
  if (kind.ok() && *kind == NoteKind::kRoster) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kRosterInvalid,
                     absl::StrCat(files_.roster, " is no roster"));
}

void Authority::ReadFolder() {
  auto notes = ReadNotes(files_.folder);
  if (!notes.ok()) {
    LogOnce("policy.folder_unreadable", files_.folder, notes.status());
    return;
  }
  for (StoredNote& note : *notes) {
    if (covenant_notes_.find(note.name) != covenant_notes_.end()) continue;
    const auto kind = ClassifyNote(note.bytes);
    if (!kind.ok()) {
      LogOnce("policy.note_refused", note.name, kind.status());
    } else if (*kind == NoteKind::kRoster) {
      rosters_.push_back({std::move(note.name), std::move(note.bytes)});
    } else if (*kind == NoteKind::kWithdrawal) {
      withdrawals_.push_back({std::move(note.name), std::move(note.bytes)});
    } else {
      auto covenant = Covenant::Verify(note.bytes);
      if (!covenant.ok()) {
        LogOnce("policy.note_refused", note.name, covenant.status());
        continue;
      }
      covenant_notes_.emplace(note.name, (*covenant)->id());
      covenants_.emplace((*covenant)->id(), *covenant);
    }
  }
}

absl::StatusOr<std::shared_ptr<const CovenantChain>> Authority::Chain() {
  std::shared_ptr<const Covenant> start = configured_;
  if (!newest_.covenant_id.empty()) {
    const auto newest = covenants_.find(newest_.covenant_id);
    if (newest != covenants_.end()) {
      start = newest->second;
    } else {
      // The text of the newest is gone, its id is not: what supersedes it follows it.
      for (const auto& [id, covenant] : covenants_) {
        if (!CheckFollows(*start, newest_).ok()) start = covenant;
      }
      const absl::Status follows = CheckFollows(*start, newest_);
      if (!follows.ok()) return CheckFollows(*configured_, newest_);
    }
  }
  return BuildChain(covenants_, start, [this](const Covenant& covenant, const absl::Status& why) {
    mutex_.AssertHeld();
    LogOnce("policy.covenant_refused", absl::StrCat("version ", covenant.text().version()), why);
  });
}

absl::StatusOr<std::shared_ptr<const Roster>> Authority::FindRoster(const Covenant& covenant,
                                                                    absl::Time now) {
  std::shared_ptr<const Roster> best;
  if (snapshot_.roster != nullptr && snapshot_.covenant->id() == covenant.id() &&
      snapshot_.roster->CheckValidAt(now).ok()) {
    best = snapshot_.roster;
  }
  absl::Status refused = roster_file_;
  for (const UnverifiedNote& note : rosters_) {
    const auto roster = Roster::Verify(note.bytes, covenant);
    absl::Status usable = roster.status();
    if (usable.ok()) usable = CheckNewer(**roster, newest_);
    if (usable.ok() && now < (*roster)->issued()) retry_at_ = std::min(retry_at_, (*roster)->issued());
    if (usable.ok()) usable = (*roster)->CheckValidAt(now);
    if (!usable.ok()) {
      const bool of_file = note.name == files_.roster;
      if (of_file || refused.ok()) refused = usable;
      if (of_file || base::ReasonOf(usable) == base::reason::kRosterInvalid ||
          base::ReasonOf(usable) == base::reason::kSignatureInvalid) {
        LogOnce("policy.roster_refused", note.name, usable);
      }
      continue;
    }
    const auto rank = [](const Roster& r) { return std::make_pair(r.number(), r.id()); };
    if (best == nullptr || rank(**roster) > rank(*best)) best = *roster;
  }
  if (best != nullptr) return best;
  if (!refused.ok()) return refused;
  return Outdated(base::reason::kRosterExpired, "there is no roster");
}

absl::StatusOr<Snapshot> Authority::Choose(absl::Time now) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto chain, Chain());
  absl::Status refused;
  for (auto covenant = chain->all().rbegin(); covenant != chain->all().rend(); ++covenant) {
    if ((*covenant)->text().version() < newest_.covenant_version) break;
    if (now < (*covenant)->valid_from()) {
      retry_at_ = std::min(retry_at_, (*covenant)->valid_from());
      continue;
    }
    const absl::Status valid = (*covenant)->CheckValidAt(now);
    const auto roster =
        valid.ok() ? FindRoster(**covenant, now) : absl::StatusOr<std::shared_ptr<const Roster>>(valid);
    if (!roster.ok()) {
      if (refused.ok()) refused = roster.status();
      continue;
    }
    if (!refused.ok()) {
      const Covenant& newest = *chain->AtOrBefore(now);
      LogOnce("policy.covenant_waits", absl::StrCat("version ", newest.text().version()), refused);
    }
    Snapshot snapshot{*covenant, *roster, chain};
    for (const UnverifiedNote& note : withdrawals_) {
      const auto withdrawal = VerifyWithdrawal(note.bytes, *chain);
      if (!withdrawal.ok()) {
        LogOnce("policy.note_refused", note.name, withdrawal.status());
      } else if (withdrawal->covenant_id == (*covenant)->id()) {
        snapshot.withdrawn.insert(withdrawal->partner);
      }
    }
    return snapshot;
  }
  return refused.ok() ? chain->all().back()->CheckValidAt(now) : refused;
}

void Authority::Reload(absl::Time now) {
  retry_at_ = absl::InfiniteFuture();
  const absl::Status read = Read();
  if (!read.ok()) LogOnce("policy.covenant_refused", files_.covenant, read);
  auto chosen = Choose(now);
  if (!chosen.ok()) {
    LogOnce("policy.refused", "nothing new is in force", chosen.status());
    return;
  }
  const absl::Status left_out = WhyLeftOut(*chosen->chain, *configured_);
  if (!left_out.ok()) LogOnce("policy.covenant_refused", files_.covenant, left_out);
  const absl::Status installed = Install(*std::move(chosen));
  if (installed.ok()) return;
  base::LogStatus(base::LogLevel::kError, "policy.not_stored", installed);
  retry_at_ = now;
}

absl::Status Authority::Install(Snapshot next) {
  const Newest newest{.covenant_id = next.covenant->id(),
                      .covenant_version = next.covenant->text().version(),
                      .roster_number = next.roster->number(),
                      .roster_id = next.roster->id()};
  for (const std::string& partner : next.withdrawn) {
    if (snapshot_.withdrawn.find(partner) != snapshot_.withdrawn.end()) continue;
    base::Log(base::LogLevel::kWarning, "policy.partner_withdrew", {{"partner", partner}});
  }
  // In force even when it cannot be stored: a suspension must not wait for a disk.
  snapshot_ = std::move(next);
  if (newest == newest_ && stored_) {
    Keep();
    return absl::OkStatus();
  }
  newest_ = newest;
  stored_ = false;
  RAAKVLAK_RETURN_IF_ERROR(high_water_.Store(newest));
  stored_ = true;
  base::Log(base::LogLevel::kInfo, "policy.in_force", {{"policy", snapshot_.Name()}});
  Keep();
  // Not before HighWater holds the number that keeps them out.
  if (!files_.folder.empty() && !files_.read_only) RemoveRostersBelow(files_.folder, newest_.roster_number);
  return absl::OkStatus();
}

void Authority::Keep() {
  if (files_.folder.empty() || files_.read_only) return;
  const auto keep = [this](absl::string_view bytes) {
    mutex_.AssertHeld();
    const absl::Status kept = AddNote(files_.folder, bytes);
    if (!kept.ok()) LogOnce("policy.not_kept", files_.folder, kept);
  };
  const std::string& id = configured_->id();
  const bool has_covenant = std::any_of(covenant_notes_.begin(), covenant_notes_.end(),
                                        [&](const auto& note) { return note.second == id; });
  if (!has_covenant && snapshot_.chain->Find(id) != nullptr) keep(configured_bytes_);
  if (rosters_.empty() || rosters_.front().name != files_.roster) return;
  const auto roster = crypto::note::Parse(rosters_.front().bytes);
  if (roster.ok() && base::Sha256(roster->text) == snapshot_.roster->id()) keep(rosters_.front().bytes);
}

}  // namespace raakvlak::policy
