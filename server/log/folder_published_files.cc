#include "server/log/folder_published_files.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/leaf.h"
#include "crypto/tlog/tile.h"
#include "server/log/folder_hash_reader.h"

namespace raakvlak::log {
namespace {

namespace note = crypto::note;
namespace tlog = crypto::tlog;

}  // namespace

absl::StatusOr<std::vector<uint32_t>> FolderPublishedFiles::Years() { return YearsIn(folder_.path()); }

absl::StatusOr<std::optional<std::string>> FolderPublishedFiles::Read(uint32_t year, absl::string_view file) {
  absl::StatusOr<std::string> bytes = folder_.Read(InYear(year, file), tlog::kMaxCheckpointSize);
  if (absl::IsNotFound(bytes.status())) return std::optional<std::string>();
  if (!bytes.ok()) return bytes.status();
  return std::optional(*std::move(bytes));
}

absl::StatusOr<std::optional<std::string>> FolderPublishedFiles::ReadCheckpoint(uint32_t year) {
  return Read(year, kCheckpointFile);
}

absl::StatusOr<std::optional<std::string>> FolderPublishedFiles::ReadCosigned(uint32_t year) {
  return Read(year, kCosignedFile);
}

absl::StatusOr<tlog::Proof> FolderPublishedFiles::ConsistencyProof(uint32_t year, uint64_t old_size,
                                                                   uint64_t size) {
  if (old_size == 0 || old_size == size) return tlog::Proof();
  return log::ConsistencyProof(absl::StrCat(folder_.path(), "/", year), old_size, size);
}

absl::StatusOr<absl::Time> FolderPublishedFiles::EntryTime(uint32_t year, uint64_t index) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto bytes, ReadCheckpoint(year));
  RAAKVLAK_ASSIGN_OR_RETURN(const note::Note checkpoint, note::Parse(bytes.value_or("")));
  RAAKVLAK_ASSIGN_OR_RETURN(const tlog::Checkpoint published, tlog::ParseCheckpoint(checkpoint.text));
  if (index >= published.size) {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound, "the entry is not published");
  }
  // Only bundles that are full or of a published size are there.
  const uint64_t end_of_bundle = (index / tlog::kTileWidth + 1) * tlog::kTileWidth;
  FolderTiles tiles(absl::StrCat(folder_.path(), "/", year));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto entries,
                            ReadEntries(tiles, index, std::min<uint64_t>(end_of_bundle, published.size)));
  RAAKVLAK_ASSIGN_OR_RETURN(const tlog::Leaf leaf, tlog::ParseLeaf(entries.at(0)));
  return absl::FromUnixMillis(static_cast<int64_t>(leaf.time_ms));
}

absl::Status FolderPublishedFiles::WriteCosigned(uint32_t year, const std::string& cosigned) {
  RAAKVLAK_ASSIGN_OR_RETURN(const note::Note parsed, note::Parse(cosigned));
  RAAKVLAK_RETURN_IF_ERROR(folder_.Write(InYear(year, kCosignedFile), cosigned));
  const absl::Status merged = folder_.Update(
      InYear(year, kCheckpointFile), [&](const std::string& present) -> absl::StatusOr<std::string> {
        const auto checkpoint = note::Parse(present);
        if (checkpoint.ok() && checkpoint->text == parsed.text) return cosigned;
        return base::Error(absl::StatusCode::kAborted, base::reason::kMalformed,
                           "the log has grown meanwhile");
      });
  if (!merged.ok() && !absl::IsAborted(merged)) return merged;
  return folder_.Sync();
}

}  // namespace raakvlak::log
