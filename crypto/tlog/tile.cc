#include "crypto/tlog/tile.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status.h"
#include "crypto/tlog/text.h"

namespace raakvlak::crypto::tlog {
namespace {

// DO NOT CHANGE.
constexpr absl::string_view kPrefix = "tile/";
constexpr absl::string_view kEntries = "entries";
constexpr absl::string_view kPartial = ".p/";

std::string IndexPath(uint64_t index) {
  const auto group = [](uint64_t value) { return absl::StrCat(absl::Dec(value, absl::kZeroPad3)); };
  std::string path = group(index % 1000);
  while ((index /= 1000) > 0) path = absl::StrCat("x", group(index % 1000), "/", path);
  return path;
}

// The index at the front of `text`, taken off. What is not canonical is found by writing it again.
absl::StatusOr<uint64_t> TakeIndex(absl::string_view& text) {
  uint64_t index = 0;
  while (true) {
    const bool more = absl::ConsumePrefix(&text, "x");
    if (text.size() < 3 || index > (kMaxTreeSize - 999) / 1000) return MalformedError("not a tile's path");
    for (const char digit : text.substr(0, 3)) {
      if (!absl::ascii_isdigit(static_cast<unsigned char>(digit))) return MalformedError("not a tile's path");
      index = index * 10 + static_cast<uint64_t>(digit - '0');
    }
    text.remove_prefix(3);
    if (!more) return index;
    if (!absl::ConsumePrefix(&text, "/")) return MalformedError("not a tile's path");
  }
}

// How many elements a level has in a tree of `size`.
uint64_t Elements(int level, uint64_t size) {
  const int shift = level == kEntriesLevel ? 0 : level * kTileHeight;
  return shift < 64 ? size >> shift : 0;
}

// The root of a power of two of hashes.
Hash FoldPairs(std::vector<Hash> hashes) {
  while (hashes.size() > 1) {
    for (size_t i = 0; i < hashes.size() / 2; ++i) hashes[i] = NodeHash(hashes[2 * i], hashes[2 * i + 1]);
    hashes.resize(hashes.size() / 2);
  }
  return hashes.front();
}

}  // namespace

std::string TilePath(int level, uint64_t index, int width) { return Path({level, index, width}); }

std::string EntriesPath(uint64_t index, int width) { return Path({kEntriesLevel, index, width}); }

std::string Path(const TileId& tile) {
  RAAKVLAK_CHECK(tile.level >= kEntriesLevel && tile.level <= kMaxTileLevel && tile.index <= kMaxTreeSize &&
                     tile.width >= 1 && tile.width <= kTileWidth,
                 "a tile within the format's ranges");
  std::string path = absl::StrCat(kPrefix, tile.level == kEntriesLevel ? kEntries : absl::StrCat(tile.level),
                                  "/", IndexPath(tile.index));
  if (tile.width != kTileWidth) absl::StrAppend(&path, kPartial, tile.width);
  return path;
}

absl::StatusOr<TileId> ParsePath(absl::string_view path) {
  // The longest: tile/entries/, 7 groups of index, .p/255.
  constexpr size_t kMaxPath = 64;
  absl::string_view rest = path;
  const auto malformed = [] { return MalformedError("not a tile's path"); };
  if (path.size() > kMaxPath || !absl::ConsumePrefix(&rest, kPrefix)) return malformed();
  TileId tile;
  const absl::string_view level = rest.substr(0, rest.find('/'));
  rest.remove_prefix(level.size());
  if (!absl::ConsumePrefix(&rest, "/")) return malformed();
  if (level == kEntries) {
    tile.level = kEntriesLevel;
  } else {
    RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t number, ParseDecimal(level));
    if (number > kMaxTileLevel) return malformed();
    tile.level = static_cast<int>(number);
  }
  RAAKVLAK_ASSIGN_OR_RETURN(tile.index, TakeIndex(rest));
  if (!rest.empty()) {
    if (!absl::ConsumePrefix(&rest, kPartial)) return malformed();
    RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t width, ParseDecimal(rest));
    if (width < 1 || width >= kTileWidth) return malformed();
    tile.width = static_cast<int>(width);
  }
  if (Path(tile) != path) return malformed();
  return tile;
}

uint64_t FullTiles(int level, uint64_t size) { return Elements(level, size) / kTileWidth; }

int PartialWidth(int level, uint64_t size) { return static_cast<int>(Elements(level, size) % kTileWidth); }

std::vector<TileId> NewTiles(uint64_t old_size, uint64_t size) {
  RAAKVLAK_CHECK(old_size <= size, "a tree grows");
  std::vector<TileId> tiles;
  for (int level = kEntriesLevel; Elements(level, size) > Elements(level, old_size); ++level) {
    for (uint64_t index = FullTiles(level, old_size); index < FullTiles(level, size); ++index) {
      tiles.push_back({level, index, kTileWidth});
    }
    const int width = PartialWidth(level, size);
    if (width != 0) tiles.push_back({level, FullTiles(level, size), width});
  }
  return tiles;
}

std::string TileBytes(absl::Span<const Hash> hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * kHashSize);
  for (const Hash& hash : hashes) absl::StrAppend(&bytes, hash.view());
  return bytes;
}

absl::StatusOr<std::vector<Hash>> ParseTile(absl::string_view bytes, int width) {
  if (width < 1 || width > kTileWidth || bytes.size() != static_cast<size_t>(width) * kHashSize) {
    return MalformedError("a tile is as many hashes as its name says");
  }
  std::vector<Hash> hashes;
  hashes.reserve(static_cast<size_t>(width));
  for (; !bytes.empty(); bytes.remove_prefix(kHashSize)) {
    RAAKVLAK_ASSIGN_OR_RETURN(hashes.emplace_back(), Hash::Create(bytes.substr(0, kHashSize)));
  }
  return hashes;
}

Hash FullTileHash(absl::Span<const Hash> hashes) {
  RAAKVLAK_CHECK(hashes.size() == kTileWidth, "only full tiles are hashed upward");
  return FoldPairs(std::vector<Hash>(hashes.begin(), hashes.end()));
}

void AppendEntry(std::string& bundle, absl::string_view entry) {
  RAAKVLAK_CHECK(entry.size() <= kMaxEntrySize, "an entry fits its length field");
  absl::StrAppend(&bundle, base::BigEndian(entry.size(), kLengthSize), entry);
}

absl::StatusOr<std::vector<absl::string_view>> ParseEntries(absl::string_view bundle, int width) {
  std::vector<absl::string_view> entries;
  while (!bundle.empty() && entries.size() < static_cast<size_t>(width)) {
    if (bundle.size() < kLengthSize) return MalformedError("an entry bundle that ends within a length");
    const size_t size = ReadBigEndian(bundle.substr(0, kLengthSize));
    bundle.remove_prefix(kLengthSize);
    if (bundle.size() < size) return MalformedError("an entry bundle that ends within an entry");
    entries.push_back(bundle.substr(0, size));
    bundle.remove_prefix(size);
  }
  if (!bundle.empty() || entries.size() != static_cast<size_t>(width)) {
    return MalformedError("an entry bundle has as many entries as its name says");
  }
  return entries;
}

absl::StatusOr<Hash> TileHashReader::ReadHash(int level, uint64_t index) {
  const int tile_level = level / kTileHeight;
  const int height = level % kTileHeight;
  const uint64_t first = index << height;
  TileId id{tile_level, first / kTileWidth, kTileWidth};
  if (id.index >= FullTiles(tile_level, size_)) id.width = PartialWidth(tile_level, size_);
  const size_t offset = first % kTileWidth;
  const size_t count = size_t{1} << height;
  RAAKVLAK_CHECK(id.index <= FullTiles(tile_level, size_) && offset + count <= static_cast<size_t>(id.width),
                 "only complete subtrees of the tree are read");
  if (kept_.size() <= static_cast<size_t>(tile_level)) kept_.resize(static_cast<size_t>(tile_level) + 1);
  Kept& kept = kept_[static_cast<size_t>(tile_level)];
  if (kept.hashes.empty() || kept.id != id) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::string bytes, source_.ReadTile(id));
    const size_t size = static_cast<size_t>(id.width) * kHashSize;
    if (bytes.size() < size) return MalformedError(absl::StrCat(Path(id), " is too short"));
    RAAKVLAK_ASSIGN_OR_RETURN(std::vector<Hash> hashes,
                              ParseTile(absl::string_view(bytes).substr(0, size), id.width));
    kept = {id, std::move(hashes)};
  }
  const auto begin = kept.hashes.begin() + static_cast<ptrdiff_t>(offset);
  return FoldPairs(std::vector<Hash>(begin, begin + static_cast<ptrdiff_t>(count)));
}

}  // namespace raakvlak::crypto::tlog
