#include "server/log/folder_hash_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::log {
namespace {

using crypto::tlog::kEntriesLevel;
using crypto::tlog::kTileWidth;
using crypto::tlog::TileId;

// The length of the first `count` elements of a tile; 0 when it has fewer.
size_t LengthOf(absl::string_view bytes, const TileId& tile) {
  if (tile.level != kEntriesLevel) {
    const size_t length = static_cast<size_t>(tile.width) * crypto::tlog::kHashSize;
    return bytes.size() < length ? 0 : length;
  }
  size_t length = 0;
  for (int i = 0; i < tile.width; ++i) {
    if (bytes.size() - length < 2) return 0;
    const uint8_t* const prefix = base::AsBytes(bytes) + length;
    length += 2 + (size_t{prefix[0]} << 8 | prefix[1]);
    if (length > bytes.size()) return 0;
  }
  return length;
}

}  // namespace

absl::StatusOr<std::string> FolderTiles::ReadTile(const TileId& tile) {
  const std::string path = absl::StrCat(folder_, "/", crypto::tlog::Path(tile));
  absl::StatusOr<std::string> bytes = base::ReadFile(path, crypto::tlog::kMaxBundleSize);
  if (absl::IsNotFound(bytes.status()) && tile.width != kTileWidth) {
    const TileId full{tile.level, tile.index, kTileWidth};
    bytes =
        base::ReadFile(absl::StrCat(folder_, "/", crypto::tlog::Path(full)), crypto::tlog::kMaxBundleSize);
    if (!bytes.ok()) return bytes.status();
    const size_t length = LengthOf(*bytes, tile);
    if (length != 0) bytes->resize(length);
  }
  if (!bytes.ok()) return bytes.status();
  if (LengthOf(*bytes, tile) != bytes->size()) {
    return base::Error(absl::StatusCode::kDataLoss, base::reason::kMalformed,
                       absl::StrCat(path, " is not a tile of ", tile.width));
  }
  return bytes;
}

absl::StatusOr<std::vector<std::string>> ReadEntries(crypto::tlog::TileSource& tiles, uint64_t from,
                                                     uint64_t until) {
  std::vector<std::string> entries;
  entries.reserve(until - from);
  while (from < until) {
    const uint64_t index = from / kTileWidth;
    const uint64_t first = index * kTileWidth;
    const int width = static_cast<int>(std::min<uint64_t>(until - first, kTileWidth));
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string bundle, tiles.ReadTile({kEntriesLevel, index, width}));
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<absl::string_view> parsed,
                              crypto::tlog::ParseEntries(bundle, width));
    for (size_t i = from - first; i < parsed.size(); ++i) entries.emplace_back(parsed[i]);
    from = first + parsed.size();
  }
  return entries;
}

absl::StatusOr<crypto::tlog::Hash> Root(const std::string& folder, uint64_t size) {
  FolderTiles tiles(folder);
  crypto::tlog::TileHashReader reader(tiles, size);
  return crypto::tlog::TreeRoot(size, reader);
}

absl::StatusOr<crypto::tlog::Proof> InclusionProof(const std::string& folder, uint64_t index, uint64_t size) {
  FolderTiles tiles(folder);
  crypto::tlog::TileHashReader reader(tiles, size);
  return crypto::tlog::InclusionProof(index, size, reader);
}

absl::StatusOr<crypto::tlog::Proof> ConsistencyProof(const std::string& folder, uint64_t old_size,
                                                     uint64_t size) {
  FolderTiles tiles(folder);
  crypto::tlog::TileHashReader reader(tiles, size);
  return crypto::tlog::ConsistencyProof(old_size, size, reader);
}

}  // namespace raakvlak::log
