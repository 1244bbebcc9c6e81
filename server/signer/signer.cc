#include "server/signer/signer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/leaf.h"
#include "crypto/tlog/tile.h"
#include "server/log/folder_hash_reader.h"
#include "server/log/log_folder.h"

namespace raakvlak::signer {
namespace {

using crypto::tlog::Checkpoint;
using crypto::tlog::Frontier;

// Entries that are in memory at once: whole bundles.
constexpr uint64_t kEntriesPerRead = 16 * crypto::tlog::kTileWidth;

absl::Status Fork(absl::string_view message) {
  return base::Error(absl::StatusCode::kDataLoss, base::reason::kLogFork, message);
}

absl::Status Rollback(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kLogRollback, message);
}

std::string FolderOf(const SignerPaths& paths, uint32_t year) { return absl::StrCat(paths.logs, "/", year); }

// The frontier at `size`, from the entries in the files behind those of `frontier`. LOG_FORK when it does not
// pass through `remembered`.
absl::StatusOr<Frontier> Extend(Frontier frontier, const std::string& folder, uint64_t size,
                                const Frontier& remembered = {}) {
  log::FolderTiles tiles(folder);
  uint64_t time_ms = 0;
  // Once more the last one that was signed: nothing may be entered before it.
  uint64_t again = frontier.size() > 0 ? 1 : 0;
  while (frontier.size() < size) {
    // Whole bundles, but for the last one, which is there at the width of `size`.
    const uint64_t start = frontier.size() / crypto::tlog::kTileWidth * crypto::tlog::kTileWidth;
    const uint64_t until = std::min(size, start + kEntriesPerRead);
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> entries,
                              log::ReadEntries(tiles, frontier.size() - again, until));
    for (const std::string& entry : entries) {
      RAAKVLAK_ASSIGN_OR_RETURN(const crypto::tlog::Leaf leaf, crypto::tlog::ParseLeaf(entry));
      if (leaf.time_ms < time_ms) {
        return base::Error(absl::StatusCode::kDataLoss, base::reason::kLogDamaged,
                           absl::StrCat("entry ", frontier.size(), " in ", folder,
                                        " says a time before that of the entry before it"));
      }
      time_ms = leaf.time_ms;
      if (std::exchange(again, 0) == 1) continue;
      frontier.Append(crypto::tlog::LeafHash(entry));
      if (frontier.size() == remembered.size() && frontier != remembered) {
        return Fork(absl::StrCat("the entries in ", folder, " are not those signed before"));
      }
    }
  }
  return frontier;
}

// The newest checkpoint in the folder of a year, cosigned or not; nothing when there is none.
absl::StatusOr<std::optional<Checkpoint>> NewestOnDisk(const SignerPaths& paths, uint32_t year,
                                                       const crypto::note::PublicKey& key) {
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::note::VerifierKey verifier,
                            crypto::note::VerifierKey::Create(Origin(paths.urn, year), key));
  std::optional<Checkpoint> newest;
  for (const char* const name : {log::kCheckpointFile, log::kCosignedFile}) {
    const std::string path = absl::StrCat(FolderOf(paths, year), "/", name);
    const absl::StatusOr<std::string> bytes = base::ReadFile(path, crypto::tlog::kMaxCheckpointSize);
    if (absl::IsNotFound(bytes.status())) continue;
    if (!bytes.ok()) return bytes.status();
    const auto opened = crypto::tlog::OpenCheckpoint(*bytes, verifier);
    if (!opened.ok()) return base::Annotate(opened.status(), path);
    if (newest && newest->size == opened->checkpoint.size && newest->root != opened->checkpoint.root) {
      return Fork(absl::StrCat(path, " contradicts ", log::kCheckpointFile));
    }
    if (!newest || newest->size < opened->checkpoint.size) newest = opened->checkpoint;
  }
  return newest;
}

absl::Status Compare(const Checkpoint& on_disk, const std::map<uint32_t, Signed>& states, uint32_t year) {
  const auto found = states.find(year);
  const uint64_t remembered = found == states.end() ? 0 : found->second.size();
  if (remembered < on_disk.size) {
    return Rollback(absl::StrCat("this signer remembers size ", remembered, " of ", on_disk.origin,
                                 ", of which a checkpoint of size ", on_disk.size,
                                 " is signed: its state was lost or restored from a backup; see --adopt"));
  }
  if (remembered == on_disk.size && found != states.end() && found->second.frontier.Root() != on_disk.root) {
    return Fork(absl::StrCat("this signer remembers another root of ", on_disk.origin, " at size ",
                             remembered, " than its checkpoint has"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Signer>> Signer::Create(SignerPaths paths, crypto::note::PrivateKey key) {
  auto signer = std::unique_ptr<Signer>(new Signer(std::move(paths), std::move(key)));
  const SignerPaths& own = signer->paths_;
  RAAKVLAK_RETURN_IF_ERROR(
      crypto::note::VerifierKey::Create(Origin(own.urn, 2000), signer->key_.public_key()).status());
  base::MutexLock lock(signer->mutex_);
  RAAKVLAK_ASSIGN_OR_RETURN(signer->signed_, ReadStates(own.state, own.urn));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<uint32_t> years, log::YearsIn(own.logs));
  for (const uint32_t year : years) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<Checkpoint> on_disk,
                              NewestOnDisk(own, year, signer->key_.public_key()));
    if (on_disk) RAAKVLAK_RETURN_IF_ERROR(Compare(*on_disk, signer->signed_, year));
  }
  return signer;
}

absl::StatusOr<uint32_t> Signer::YearOf(const std::string& origin) const {
  absl::string_view rest = origin;
  uint32_t year = 0;
  if (!absl::ConsumePrefix(&rest, absl::StrCat(paths_.urn, "/")) || rest.size() != 4 ||
      !absl::SimpleAtoi(rest, &year) || origin != Origin(paths_.urn, year)) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed,
                       absl::StrCat("this signer signs only for ", paths_.urn));
  }
  return year;
}

absl::StatusOr<std::string> Signer::Sign(const Checkpoint& wanted) {
  RAAKVLAK_ASSIGN_OR_RETURN(const uint32_t year, YearOf(wanted.origin));
  if (wanted.size == 0) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "a log without entries is not signed");
  }
  base::MutexLock lock(mutex_);
  const auto found = signed_.find(year);
  Signed state = found == signed_.end() ? Signed{wanted.origin, {}} : found->second;
  if (wanted.size < state.size()) {
    return Rollback(absl::StrCat("size ", wanted.size, " of ", wanted.origin, " was asked for, ",
                                 state.size(), " was signed: the log was restored from a backup"));
  }
  if (wanted.size - state.size() > kMaxNewEntries) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kTooLarge,
                       absl::StrCat("over ", kMaxNewEntries, " new entries at once"));
  }
  const bool grows = wanted.size != state.size();
  RAAKVLAK_ASSIGN_OR_RETURN(state.frontier,
                            Extend(std::move(state.frontier), FolderOf(paths_, year), wanted.size));
  if (state.frontier.Root() != wanted.root) {
    return Fork(grows
                    ? absl::StrCat("the entries of ", wanted.origin, " on disk do not give the root at size ",
                                   wanted.size, " that was asked for")
                    : absl::StrCat("another root of ", wanted.origin, " was signed at size ", wanted.size));
  }
  if (grows) {
    RAAKVLAK_RETURN_IF_ERROR(WriteState(paths_.state, year, state));
    signed_.insert_or_assign(year, std::move(state));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::note::VerifierKey verifier,
                            crypto::note::VerifierKey::Create(wanted.origin, key_.public_key()));
  return crypto::note::Format(crypto::tlog::SignCheckpoint(wanted, verifier, key_));
}

absl::StatusOr<std::vector<Checkpoint>> Adopt(const SignerPaths& paths, const crypto::note::PublicKey& key) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto states, ReadStates(paths.state, paths.urn));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<uint32_t> years, log::YearsIn(paths.logs));
  std::map<uint32_t, Signed> adopted;
  // All are read before the first is written, so that a log in disorder leaves everything as it was.
  for (const uint32_t year : years) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<Checkpoint> on_disk, NewestOnDisk(paths, year, key));
    if (!on_disk) continue;
    const absl::Status agrees = Compare(*on_disk, states, year);
    if (agrees.ok()) continue;
    if (base::ReasonOf(agrees) != base::reason::kLogRollback) return agrees;
    const auto found = states.find(year);
    RAAKVLAK_ASSIGN_OR_RETURN(Frontier frontier,
                              Extend({}, FolderOf(paths, year), on_disk->size,
                                     found == states.end() ? Frontier() : found->second.frontier));
    if (frontier.Root() != on_disk->root) {
      return Fork(absl::StrCat("the entries of ", on_disk->origin,
                               " on disk do not give the root of its checkpoint"));
    }
    adopted.emplace(year, Signed{on_disk->origin, std::move(frontier)});
  }
  std::vector<Checkpoint> written;
  for (const auto& [year, state] : adopted) {
    RAAKVLAK_RETURN_IF_ERROR(WriteState(paths.state, year, state));
    written.push_back(state.ToCheckpoint());
  }
  return written;
}

}  // namespace raakvlak::signer
