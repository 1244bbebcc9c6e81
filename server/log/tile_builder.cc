#include "server/log/tile_builder.h"

#include <utility>

#include "base/status.h"

namespace raakvlak::log {

using crypto::tlog::FullTiles;
using crypto::tlog::Hash;
using crypto::tlog::kEntriesLevel;
using crypto::tlog::kTileWidth;
using crypto::tlog::PartialWidth;
using crypto::tlog::TileId;

absl::StatusOr<TileBuilder> TileBuilder::Resume(crypto::tlog::TileSource& tiles, uint64_t size) {
  TileBuilder builder;
  builder.size_ = size;
  if (const int width = PartialWidth(kEntriesLevel, size); width != 0) {
    RAAKVLAK_ASSIGN_OR_RETURN(builder.bundle_,
                              tiles.ReadTile({kEntriesLevel, FullTiles(kEntriesLevel, size), width}));
  }
  for (int level = 0; FullTiles(level, size) != 0 || PartialWidth(level, size) != 0; ++level) {
    builder.levels_.emplace_back();
    const int width = PartialWidth(level, size);
    if (width == 0) continue;
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes,
                              tiles.ReadTile({level, FullTiles(level, size), width}));
    RAAKVLAK_ASSIGN_OR_RETURN(builder.levels_.back(), crypto::tlog::ParseTile(bytes, width));
  }
  return builder;
}

void TileBuilder::Append(absl::string_view entry, std::vector<TileFile>& out_full) {
  crypto::tlog::AppendEntry(bundle_, entry);
  ++size_;
  if (size_ % kTileWidth == 0) {
    out_full.push_back({{kEntriesLevel, size_ / kTileWidth - 1, kTileWidth}, std::exchange(bundle_, {})});
  }
  Hash hash = crypto::tlog::LeafHash(entry);
  for (int level = 0;; ++level) {
    if (static_cast<size_t>(level) == levels_.size()) levels_.emplace_back();
    std::vector<Hash>& open = levels_[static_cast<size_t>(level)];
    open.push_back(hash);
    if (open.size() < kTileWidth) return;
    out_full.push_back({{level, FullTiles(level, size_) - 1, kTileWidth}, crypto::tlog::TileBytes(open)});
    hash = crypto::tlog::FullTileHash(open);
    open.clear();
  }
}

std::vector<TileFile> TileBuilder::Partials(uint64_t old_size) const {
  const auto add = [&](int level, const std::string& bytes, std::vector<TileFile>& out_files) {
    const int width = PartialWidth(level, size_);
    const uint64_t index = FullTiles(level, size_);
    if (width == 0 || (width == PartialWidth(level, old_size) && index == FullTiles(level, old_size))) return;
    out_files.push_back({{level, index, width}, bytes});
  };
  std::vector<TileFile> files;
  add(kEntriesLevel, bundle_, files);
  for (size_t level = 0; level < levels_.size(); ++level) {
    add(static_cast<int>(level), crypto::tlog::TileBytes(levels_[level]), files);
  }
  return files;
}

}  // namespace raakvlak::log
