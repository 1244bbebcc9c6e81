// Tiles (C2SP tlog-tiles): the tree and its entries as static files of at most 256 elements.
//
//   tile/<level>/<index>[.p/<width>]     hashes: 32 bytes each, `width` of them, 256 without the suffix
//   tile/entries/<index>[.p/<width>]     an entry bundle: length(2, big-endian) || entry, for each entry
//
// <level> is 0..63 in decimal; <index> is in groups of three digits, all but the last with an x before it
// (1234067 is x001/x234/067); <width> is 1..255. Hash i of tile (level, index) is the root of the complete
// subtree (8 * level, 256 * index + i) of tree.h, so a level stands upon full tiles of the level below only.
// DO NOT CHANGE: docs/format/log.md.
//
// A full tile never changes. A partial tile (with a width) is replaced by a wider one, and may be deleted
// once the full tile stands.
//
// Thread safety: all functions are pure. A TileHashReader is used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/tlog/hash.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::crypto::tlog {

inline constexpr int kTileHeight = 8;
inline constexpr int kTileWidth = 1 << kTileHeight;
inline constexpr size_t kFullTileSize = kTileWidth * kHashSize;
// The highest level the format knows; a tree of kMaxTreeSize reaches level 7.
inline constexpr int kMaxTileLevel = 63;
// Stands for tile/entries in TileId::level.
inline constexpr int kEntriesLevel = -1;
// Of the length before an entry in its bundle.
inline constexpr size_t kLengthSize = 2;
inline constexpr size_t kMaxEntrySize = 65535;
inline constexpr size_t kMaxBundleSize = kTileWidth * (kLengthSize + kMaxEntrySize);

// One file of the log.
struct TileId {
  int level = 0;  // kEntriesLevel, or 0..kMaxTileLevel
  uint64_t index = 0;
  int width = kTileWidth;  // 1..256 elements; 256 is the full tile
  bool operator==(const TileId&) const = default;
};

// The path of a tile below the log's folder. REQUIRES: the ranges of TileId.
std::string TilePath(int level, uint64_t index, int width = kTileWidth);
std::string EntriesPath(uint64_t index, int width = kTileWidth);
std::string Path(const TileId& tile);
// ParsePath: MALFORMED unless `path` is exactly what Path writes, with an index up to 2^63 - 1.
absl::StatusOr<TileId> ParsePath(absl::string_view path);

// How many full tiles of `level` a tree of `size` has, and how many elements its next, partial tile has (0:
// none). The level may be kEntriesLevel.
uint64_t FullTiles(int level, uint64_t size);
int PartialWidth(int level, uint64_t size);

// NewTiles lists the files that a tree of `size` has and one of `old_size` had not (full ones and partial
// ones of this very width): entries first, then level 0 and up, each by index. REQUIRES: old_size <= size.
// The list grows with (size - old_size) / 128.
std::vector<TileId> NewTiles(uint64_t old_size, uint64_t size);

// The bytes of a tile of hashes.
std::string TileBytes(absl::Span<const Hash> hashes);
// ParseTile: MALFORMED unless `bytes` is `width` hashes.
absl::StatusOr<std::vector<Hash>> ParseTile(absl::string_view bytes, int width);
// The root over a full tile: its one element in the level above. REQUIRES: 256 hashes.
Hash FullTileHash(absl::Span<const Hash> hashes);

// AppendEntry adds an entry to a bundle. REQUIRES: at most kMaxEntrySize bytes.
void AppendEntry(std::string& bundle, absl::string_view entry);
// ParseEntries returns the entries, which lie in `bundle`. MALFORMED unless it holds exactly `width`.
absl::StatusOr<std::vector<absl::string_view>> ParseEntries(absl::string_view bundle, int width);

// TileSource reads files of tiles.
class TileSource {
 public:
  virtual ~TileSource() = default;
  // The bytes of the tile, or of a wider one in its place (the full one, when the partial one was deleted).
  virtual absl::StatusOr<std::string> ReadTile(const TileId& tile) = 0;
};

// TileHashReader reads stored hashes from the tiles of a tree of `size`: each needs one tile, the last read
// of each level is kept. Errors of the source; MALFORMED for a tile that is too short.
class TileHashReader final : public HashReader {
 public:
  TileHashReader(TileSource& source, uint64_t size) : source_(source), size_(size) {}
  absl::StatusOr<Hash> ReadHash(int level, uint64_t index) override;

 private:
  struct Kept {
    TileId id;
    std::vector<Hash> hashes;
  };
  TileSource& source_;
  uint64_t size_;
  std::vector<Kept> kept_;  // by level
};

}  // namespace raakvlak::crypto::tlog
