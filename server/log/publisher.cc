#include "server/log/publisher.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/tile.h"
#include "server/log/folder_hash_reader.h"

namespace raakvlak::log {
namespace {

using crypto::tlog::Checkpoint;
using crypto::tlog::kTileWidth;

constexpr size_t kLeavesPerRead = 4096;
// The signer reads what is new and writes one small file: milliseconds.
constexpr absl::Duration kSignTimeout = absl::Seconds(3);

absl::Status Rollback(absl::string_view origin, uint64_t published, uint64_t stored) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kLogRollback,
                     absl::StrCat("the database has ", stored, " entries of ", origin, ", of which ",
                                  published, " were published: it was restored from a backup"));
}

absl::Status Fork(absl::string_view message) {
  return base::Error(absl::StatusCode::kDataLoss, base::reason::kLogFork, message);
}

absl::Status TooLate() {
  return base::Error(absl::StatusCode::kDeadlineExceeded, base::reason::kDeadlineExceeded,
                     "the log was not published in time");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Publisher>> Publisher::Create(storage::AuditLog& audit, LogFolder& folder,
                                                             CheckpointSigner& signer,
                                                             const base::Clock& clock,
                                                             const crypto::note::PublicKey& key) {
  auto publisher = std::unique_ptr<Publisher>(new Publisher(audit, folder, signer, clock, key));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::LogSize> stored, audit.Logs());
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<uint32_t> years, YearsIn(folder.path()));
  base::MutexLock lock(publisher->publishing_);
  for (const uint32_t year : years) {
    const auto same = std::find_if(stored.begin(), stored.end(),
                                   [&](const storage::LogSize& log) { return log.year == year; });
    RAAKVLAK_ASSIGN_OR_RETURN(Log log,
                              publisher->Recover(same == stored.end() ? storage::LogSize{year, 0} : *same));
    publisher->logs_.emplace(year, std::move(log));
  }
  return publisher;
}

std::string Publisher::YearFolder(uint32_t year) const { return absl::StrCat(folder_.path(), "/", year); }

absl::StatusOr<crypto::note::VerifierKey> Publisher::Verifier(uint32_t year) const {
  return crypto::note::VerifierKey::Create(audit_.Origin(year), key_);
}

std::optional<Published> Publisher::Newest(uint32_t year) const {
  base::MutexLock lock(mutex_);
  const auto found = published_.find(year);
  return found == published_.end() ? std::nullopt : std::optional<Published>(found->second);
}

std::optional<uint32_t> Publisher::NewestYear() const {
  base::MutexLock lock(mutex_);
  return published_.empty() ? std::nullopt : std::optional<uint32_t>(published_.rbegin()->first);
}

absl::StatusOr<Publisher::Log> Publisher::Recover(storage::LogSize stored) {
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::note::VerifierKey verifier, Verifier(stored.year));
  const std::string line = absl::StrCat(verifier.Encode(), "\n");
  RAAKVLAK_RETURN_IF_ERROR(
      folder_.Update(InYear(stored.year, kVerifierFile),
                     [&](const std::string&) -> absl::StatusOr<std::string> { return line; }));
  const auto bytes = folder_.Read(InYear(stored.year, kCheckpointFile), crypto::tlog::kMaxCheckpointSize);
  if (absl::IsNotFound(bytes.status())) return Log();
  if (!bytes.ok()) return bytes.status();
  const auto opened = crypto::tlog::OpenCheckpoint(*bytes, verifier);
  if (!opened.ok()) return base::Annotate(opened.status(), InYear(stored.year, kCheckpointFile));
  const Checkpoint& checkpoint = opened->checkpoint;
  if (stored.size < checkpoint.size) return Rollback(checkpoint.origin, checkpoint.size, stored.size);
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::tlog::Hash root, Root(YearFolder(stored.year), checkpoint.size));
  if (root != checkpoint.root) {
    return Fork(absl::StrCat("the hash tiles of ", checkpoint.origin,
                             " do not give the root of its checkpoint of size ", checkpoint.size));
  }
  RAAKVLAK_RETURN_IF_ERROR(CompareLastEntries(stored.year, checkpoint.size));
  Log log;
  log.published = checkpoint.size;
  log.agreed = false;
  FolderTiles tiles(YearFolder(stored.year));
  RAAKVLAK_ASSIGN_OR_RETURN(log.tiles, TileBuilder::Resume(tiles, checkpoint.size));
  base::MutexLock lock(mutex_);
  published_[stored.year] = {checkpoint, *bytes};
  return log;
}

// A database that was restored and went on has other entries from there on: salts are random. So the last
// bundle tells, whatever the size of the log.
absl::Status Publisher::CompareLastEntries(uint32_t year, uint64_t published) {
  if (published == 0) return absl::OkStatus();
  const uint64_t from = (published - 1) / kTileWidth * kTileWidth;
  FolderTiles tiles(YearFolder(year));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> entries, ReadEntries(tiles, from, published));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> leaves,
                            audit_.ReadLeaves(year, from, published - from));
  for (size_t i = 0; i < entries.size(); ++i) {
    if (i < leaves.size() && entries[i] == leaves[i]) continue;
    return Fork(absl::StrCat("entry ", from + i, " of ", audit_.Origin(year),
                             " is another one in the database than was published"));
  }
  return absl::OkStatus();
}

absl::Status Publisher::WriteTiles(uint32_t year, uint64_t until, Log& log) {
  std::vector<TileFile> files;
  for (uint64_t from = log.published; from < until;) {
    const size_t limit = std::min<uint64_t>(until - from, kLeavesPerRead);
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> leaves, audit_.ReadLeaves(year, from, limit));
    if (leaves.empty()) {
      return base::Error(absl::StatusCode::kDataLoss, base::reason::kLogDamaged,
                         absl::StrCat("entry ", from, " of ", audit_.Origin(year), " is missing"));
    }
    for (const std::string& leaf : leaves) log.tiles.Append(leaf, files);
    from += leaves.size();
  }
  std::vector<std::string> superseded;
  for (const TileFile& file : files) {
    RAAKVLAK_RETURN_IF_ERROR(folder_.Write(InYear(year, crypto::tlog::Path(file.id)), file.bytes));
    superseded.push_back(InYear(year, absl::StrCat(crypto::tlog::Path(file.id), ".p")));
  }
  for (const TileFile& file : log.tiles.Partials(log.published)) {
    RAAKVLAK_RETURN_IF_ERROR(folder_.Write(InYear(year, crypto::tlog::Path(file.id)), file.bytes));
  }
  RAAKVLAK_RETURN_IF_ERROR(folder_.Sync());
  // Before the new size is published: so a crash leaves none behind, for until then all this is done again.
  for (const std::string& name : superseded) RAAKVLAK_RETURN_IF_ERROR(folder_.RemoveFolder(name));
  return absl::OkStatus();
}

absl::Status Publisher::SignAndPublish(uint32_t year, absl::Time deadline, Log& log) {
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::note::VerifierKey verifier, Verifier(year));
  Checkpoint checkpoint;
  checkpoint.origin = verifier.name();
  checkpoint.size = log.tiles.size();
  RAAKVLAK_ASSIGN_OR_RETURN(checkpoint.root, Root(YearFolder(year), checkpoint.size));
  RAAKVLAK_ASSIGN_OR_RETURN(std::string note,
                            signer_.Sign(checkpoint, std::min(deadline - clock_.Now(), kSignTimeout)));
  const auto opened = crypto::tlog::OpenCheckpoint(note, verifier);
  if (!opened.ok()) return base::Annotate(opened.status(), "the signer's answer");
  if (opened->checkpoint != checkpoint)
    return Fork("the signer signed another checkpoint than it was asked for");
  RAAKVLAK_RETURN_IF_ERROR(folder_.Write(InYear(year, kCheckpointFile), note));
  RAAKVLAK_RETURN_IF_ERROR(folder_.Sync());
  log.published = checkpoint.size;
  log.agreed = true;
  base::MutexLock lock(mutex_);
  published_[year] = {std::move(checkpoint), std::move(note)};
  return absl::OkStatus();
}

absl::Status Publisher::PublishYear(storage::LogSize stored, absl::Time deadline) {
  auto found = logs_.find(stored.year);
  if (found == logs_.end()) {
    RAAKVLAK_ASSIGN_OR_RETURN(Log recovered, Recover(stored));
    found = logs_.emplace(stored.year, std::move(recovered)).first;
  }
  Log& log = found->second;
  if (stored.size < log.published) return Rollback(audit_.Origin(stored.year), log.published, stored.size);
  while (!log.agreed || log.published < stored.size || log.published < log.tiles.size()) {
    if (clock_.Now() >= deadline) return TooLate();
    absl::Status done;
    if (log.tiles.size() == log.published && log.published < stored.size) {
      done = WriteTiles(stored.year, std::min(stored.size, log.published + kMaxEntriesPerCheckpoint), log);
    }
    if (done.ok()) done = SignAndPublish(stored.year, deadline, log);
    if (done.ok()) continue;
    // A signer that is away leaves the tiles as they are. After anything else the files are written again.
    const std::string reason = base::ReasonOf(done);
    if (reason != base::reason::kUnavailable && reason != base::reason::kDeadlineExceeded) logs_.erase(found);
    return done;
  }
  return absl::OkStatus();
}

absl::Status Publisher::PublishLocked(absl::Time deadline) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::LogSize> stored, audit_.Logs());
  for (const storage::LogSize& log : stored) RAAKVLAK_RETURN_IF_ERROR(PublishYear(log, deadline));
  return absl::OkStatus();
}

absl::Status Publisher::Publish(absl::Time deadline) {
  base::MutexLock lock(publishing_);
  return PublishLocked(deadline);
}

absl::Status Publisher::PublishThrough(storage::EntryId id, absl::Time deadline) {
  const auto covered = [&] {
    const std::optional<Published> newest = Newest(id.year);
    return newest && newest->checkpoint.size > id.index;
  };
  if (covered()) return absl::OkStatus();
  base::MutexLock lock(publishing_);
  // Whoever held the lock before may have done it.
  if (covered()) return absl::OkStatus();
  RAAKVLAK_RETURN_IF_ERROR(PublishLocked(deadline));
  if (covered()) return absl::OkStatus();
  return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound,
                     absl::StrCat("no entry ", id.index, " in ", audit_.Origin(id.year)));
}

}  // namespace raakvlak::log
