#include "cli/audit_fetch.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/audit_source.h"
#include "crypto/note/note.h"
#include "crypto/tlog/tile.h"

namespace raakvlak::cli {
namespace {

namespace tlog = crypto::tlog;

// Tiles are at most 11 KiB, an answer at most 3 MiB.
constexpr int kFilesPerCall = 200;
constexpr unsigned kMode = 0600;

absl::StatusOr<std::vector<std::string>> Read(client::AuditClient& client, uint32_t year,
                                              const std::vector<std::string>& names) {
  v1::ReadFilesRequest request;
  request.set_year(year);
  for (const std::string& name : names) request.add_names(name);
  const absl::StatusOr<v1::ReadFilesResponse> response = client.ReadFiles(request, kAuditTimeout);
  if (!response.ok()) return FromPeer(response.status());
  if (static_cast<size_t>(response->files_size()) != names.size()) {
    return base::Error(absl::StatusCode::kDataLoss, base::reason::kMalformed,
                       "the server sent another number of files than was asked for");
  }
  return std::vector<std::string>(response->files().begin(), response->files().end());
}

absl::Status Write(const std::string& folder, const std::string& name, absl::string_view content) {
  const std::filesystem::path path = std::filesystem::path(folder) / name;
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) {
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                       absl::StrCat(path.parent_path().string(), ": ", error.message()));
  }
  return base::WriteFileAtomically(path.string(), content, kMode);
}

// The cosigned one, or else the newest.
absl::StatusOr<std::string> ReadCheckpoint(client::AuditClient& client, uint32_t year) {
  absl::StatusOr<std::vector<std::string>> cosigned = Read(client, year, {"checkpoint.cosigned"});
  if (!cosigned.ok() && absl::IsNotFound(cosigned.status())) cosigned = Read(client, year, {"checkpoint"});
  if (!cosigned.ok()) return cosigned.status();
  return std::move(cosigned->front());
}

// Nothing is believed of it: it says which files there must be.
absl::StatusOr<tlog::Checkpoint> SizeOf(const std::string& note) {
  const absl::StatusOr<crypto::note::Note> parsed = crypto::note::Parse(note);
  if (parsed.ok()) {
    absl::StatusOr<tlog::Checkpoint> checkpoint = tlog::ParseCheckpoint(parsed->text);
    if (checkpoint.ok()) return checkpoint;
  }
  return base::Error(absl::StatusCode::kDataLoss, base::reason::kVerificationFailed,
                     "the server's checkpoint is none");
}

bool IsThere(const std::string& folder, const tlog::TileId& tile) {
  std::error_code error;
  return tile.width == tlog::kTileWidth &&
         std::filesystem::is_regular_file(std::filesystem::path(folder) / tlog::Path(tile), error);
}

// A partial tile may have become full meanwhile: then the answer is the full one, under its own name.
std::string NameOf(tlog::TileId tile, size_t bytes) {
  if (tile.level != tlog::kEntriesLevel && bytes == tlog::kFullTileSize) tile.width = tlog::kTileWidth;
  return tlog::Path(tile);
}

}  // namespace

absl::StatusOr<tlog::Checkpoint> FetchLog(client::AuditClient& client, uint32_t year,
                                          const std::string& folder, FetchProgress progress) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string note, ReadCheckpoint(client, year));
  RAAKVLAK_ASSIGN_OR_RETURN(const tlog::Checkpoint checkpoint, SizeOf(note));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> key, Read(client, year, {"log.vkey"}));
  RAAKVLAK_RETURN_IF_ERROR(Write(folder, "log.vkey", key.front()));

  std::vector<tlog::TileId> wanted;
  const std::vector<tlog::TileId> all = tlog::NewTiles(0, checkpoint.size);
  for (const tlog::TileId& tile : all) {
    if (!IsThere(folder, tile)) wanted.push_back(tile);
  }
  for (size_t begin = 0; begin < wanted.size(); begin += kFilesPerCall) {
    const size_t end = std::min(wanted.size(), begin + kFilesPerCall);
    std::vector<std::string> names;
    for (size_t i = begin; i < end; ++i) names.push_back(tlog::Path(wanted[i]));
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> files, Read(client, year, names));
    for (size_t i = begin; i < end; ++i) {
      const std::string& file = files[i - begin];
      RAAKVLAK_RETURN_IF_ERROR(Write(folder, NameOf(wanted[i], file.size()), file));
    }
    progress(all.size() - wanted.size() + end, all.size());
  }
  RAAKVLAK_RETURN_IF_ERROR(Write(folder, "checkpoint", note));
  return checkpoint;
}

}  // namespace raakvlak::cli
