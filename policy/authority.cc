#include "policy/authority.h"

#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::policy {
namespace {

absl::Status Outdated(const char* reason, absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason, message);
}

// Whether `covenant` may follow the newest one ever seen here.
absl::Status CheckFollows(const Covenant& covenant, const Newest& newest) {
  const uint32_t version = covenant.text().version();
  if (newest.covenant_id.empty() || covenant.id() == newest.covenant_id) return absl::OkStatus();
  if (version < newest.covenant_version) {
    return Outdated(base::reason::kCovenantOutdated,
                    absl::StrCat("covenant version ", version, " is older than version ",
                                 newest.covenant_version, ", which was in force here"));
  }
  if (version == newest.covenant_version) {
    return Outdated(base::reason::kCovenantOutdated,
                    absl::StrCat("another covenant of version ", version, " was in force here"));
  }
  if (covenant.text().supersedes() != base::Hex(newest.covenant_id)) {
    return Outdated(base::reason::kCovenantOutdated,
                    absl::StrCat("covenant version ", version,
                                 " does not supersede the one that was in force here, version ",
                                 newest.covenant_version));
  }
  return absl::OkStatus();
}

}  // namespace

std::string Snapshot::Name() const {
  return absl::StrCat("c", covenant->text().version(), "/r", roster->number());
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

absl::StatusOr<std::unique_ptr<Authority>> Authority::Create(std::string covenant_path,
                                                             std::string roster_path,
                                                             const base::Clock& clock,
                                                             HighWater& high_water) {
  std::unique_ptr<Authority> authority(
      new Authority(std::move(covenant_path), std::move(roster_path), clock, high_water));
  base::MutexLock lock(authority->mutex_);
  RAAKVLAK_ASSIGN_OR_RETURN(authority->newest_, high_water.Load());
  authority->covenant_mark_ = MarkOf(authority->covenant_path_);
  authority->roster_mark_ = MarkOf(authority->roster_path_);
  RAAKVLAK_RETURN_IF_ERROR(authority->Start(clock.Now()));
  return authority;
}

absl::StatusOr<Snapshot> Authority::Current() {
  base::MutexLock lock(mutex_);
  const absl::Time now = clock_.Now();
  // Marked before they are read: a change in between shows at the next call.
  const FileMark covenant_mark = MarkOf(covenant_path_);
  const FileMark roster_mark = MarkOf(roster_path_);
  if (covenant_mark != covenant_mark_ || roster_mark != roster_mark_ || now >= retry_at_) {
    covenant_mark_ = covenant_mark;
    roster_mark_ = roster_mark;
    Reload(now);
  }
  RAAKVLAK_RETURN_IF_ERROR(snapshot_.covenant->CheckValidAt(now));
  RAAKVLAK_RETURN_IF_ERROR(snapshot_.roster->CheckValidAt(now));
  return snapshot_;
}

absl::Status Authority::CheckPartner(const Snapshot& snapshot, absl::string_view partner) {
  if (snapshot.covenant->FindPartner(partner) == nullptr) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed,
                       "the covenant has no such partner");
  }
  if (snapshot.roster->IsSuspended(partner)) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kPartnerSuspended,
                       absl::StrCat("the roster suspends ", partner));
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

absl::StatusOr<std::shared_ptr<const Covenant>> Authority::LoadCovenant(absl::Time now) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes,
                            base::ReadFile(covenant_path_, crypto::note::kMaxNoteSize));
  RAAKVLAK_ASSIGN_OR_RETURN(auto covenant, Covenant::Verify(bytes));
  RAAKVLAK_RETURN_IF_ERROR(CheckFollows(*covenant, newest_));
  if (now < covenant->valid_from()) retry_at_ = std::min(retry_at_, covenant->valid_from());
  RAAKVLAK_RETURN_IF_ERROR(covenant->CheckValidAt(now));
  return covenant;
}

absl::StatusOr<std::shared_ptr<const Roster>> Authority::LoadRoster(const Covenant& covenant,
                                                                    absl::Time now) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes,
                            base::ReadFile(roster_path_, crypto::note::kMaxNoteSize));
  RAAKVLAK_ASSIGN_OR_RETURN(auto roster, Roster::Verify(bytes, covenant));
  if (roster->number() < newest_.roster_number) {
    return Outdated(base::reason::kRosterOutdated,
                    absl::StrCat("roster ", roster->number(), " is older than roster ", newest_.roster_number,
                                 ", which was in force here"));
  }
  if (snapshot_.roster != nullptr && roster->number() == snapshot_.roster->number() &&
      roster->id() != snapshot_.roster->id()) {
    return Outdated(base::reason::kRosterOutdated,
                    absl::StrCat("another roster of number ", roster->number(), " is in force here"));
  }
  if (now < roster->issued()) retry_at_ = std::min(retry_at_, roster->issued());
  RAAKVLAK_RETURN_IF_ERROR(roster->CheckValidAt(now));
  return roster;
}

absl::Status Authority::Start(absl::Time now) {
  RAAKVLAK_ASSIGN_OR_RETURN(auto covenant, LoadCovenant(now));
  RAAKVLAK_ASSIGN_OR_RETURN(auto roster, LoadRoster(*covenant, now));
  return Install(Snapshot{std::move(covenant), std::move(roster)});
}

void Authority::Reload(absl::Time now) {
  retry_at_ = absl::InfiniteFuture();
  auto covenant = LoadCovenant(now);
  if (!covenant.ok()) base::LogStatus(base::LogLevel::kError, "policy.covenant_refused", covenant.status());
  auto roster = LoadRoster(covenant.ok() ? **covenant : *snapshot_.covenant, now);
  if (covenant.ok() && !roster.ok() && (*covenant)->id() != snapshot_.covenant->id()) {
    // The new covenant waits for its roster. Until then a roster of the one in force counts: suspensions must
    // not wait.
    base::LogStatus(base::LogLevel::kWarning, "policy.covenant_waits", roster.status());
    covenant = snapshot_.covenant;
    roster = LoadRoster(*snapshot_.covenant, now);
  }
  if (!roster.ok()) {
    base::LogStatus(base::LogLevel::kError, "policy.roster_refused", roster.status());
    return;
  }
  Snapshot next{covenant.ok() ? *std::move(covenant) : snapshot_.covenant, *std::move(roster)};
  const absl::Status installed = Install(std::move(next));
  if (!installed.ok()) {
    base::LogStatus(base::LogLevel::kError, "policy.not_stored", installed);
    retry_at_ = now;
  }
}

absl::Status Authority::Install(Snapshot next) {
  const Newest newest{.covenant_id = next.covenant->id(),
                      .covenant_version = next.covenant->text().version(),
                      .roster_number = next.roster->number()};
  // In force even when it cannot be stored: a suspension must not wait for a disk.
  snapshot_ = std::move(next);
  if (newest == newest_ && stored_) return absl::OkStatus();
  newest_ = newest;
  stored_ = false;
  RAAKVLAK_RETURN_IF_ERROR(high_water_.Store(newest));
  stored_ = true;
  base::Log(base::LogLevel::kInfo, "policy.in_force", {{"policy", snapshot_.Name()}});
  return absl::OkStatus();
}

}  // namespace raakvlak::policy
