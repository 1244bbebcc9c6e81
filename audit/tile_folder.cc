#include "audit/tile_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::audit {
namespace {

using crypto::tlog::kEntriesLevel;
using crypto::tlog::kTileWidth;
using crypto::tlog::TileId;

absl::Status Unreadable(const std::string& path, const std::error_code& error) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kFileUnreadable,
                     absl::StrCat(path, ": ", error.message()));
}

}  // namespace

absl::StatusOr<TileFolder> TileFolder::Open(const std::string& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    return Unreadable(folder, std::make_error_code(std::errc::not_a_directory));
  }
  TileFolder tiles(folder);
  const std::filesystem::path root = std::filesystem::path(folder) / "tile";
  // A log without entries has no tiles yet.
  if (!std::filesystem::exists(root, error)) return tiles;
  std::filesystem::recursive_directory_iterator it(root, error);
  for (; !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored)) continue;
    const std::string path = it->path().string().substr(folder.size());
    const auto tile = crypto::tlog::ParsePath(path.substr(path.find_first_not_of('/')));
    if (!tile.ok()) {
      ++tiles.unknown_files_;
    } else if (tile->width != kTileWidth) {
      tiles.partial_[{tile->level, tile->index}].push_back(tile->width);
    }
  }
  if (error) return Unreadable(root.string(), error);
  for (auto& [place, widths] : tiles.partial_) {
    const std::string full = crypto::tlog::TilePath(place.first, place.second);
    if (std::filesystem::exists(std::filesystem::path(folder) / full, error)) widths.push_back(kTileWidth);
    std::sort(widths.begin(), widths.end());
  }
  return tiles;
}

absl::StatusOr<TileFolder::File> TileFolder::Read(const TileId& tile) const {
  const size_t limit =
      tile.level == kEntriesLevel ? crypto::tlog::kMaxBundleSize : crypto::tlog::kFullTileSize;
  // The log may have grown since it was listed, so the widths to try are more than those that were there.
  std::vector<int> widths = {tile.width};
  for (const int width : Widths(tile.level, tile.index)) {
    if (width > tile.width) widths.push_back(width);
  }
  if (widths.back() != kTileWidth) widths.push_back(kTileWidth);
  for (const int width : widths) {
    File file{{tile.level, tile.index, width}, ""};
    auto bytes = base::ReadFile(absl::StrCat(folder_, "/", Path(file.tile)), limit);
    if (bytes.ok()) {
      file.bytes = *std::move(bytes);
      return file;
    }
    if (!absl::IsNotFound(bytes.status())) return bytes.status();
  }
  return base::Error(absl::StatusCode::kNotFound, base::reason::kFileUnreadable,
                     absl::StrCat(Path(tile), ": no such file"));
}

absl::StatusOr<std::string> TileFolder::ReadTile(const TileId& tile) {
  RAAKVLAK_ASSIGN_OR_RETURN(File file, Read(tile));
  return std::move(file.bytes);
}

absl::Span<const int> TileFolder::Widths(int level, uint64_t index) const {
  const auto partial = partial_.find({level, index});
  return partial == partial_.end() ? absl::Span<const int>() : partial->second;
}

}  // namespace raakvlak::audit
