#include "audit/folder_verifier.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "audit/tile_folder.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/text.h"
#include "crypto/tlog/tile.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::audit {
namespace {

using crypto::tlog::Checkpoint;
using crypto::tlog::FullTiles;
using crypto::tlog::Hash;
using crypto::tlog::kEntriesLevel;
using crypto::tlog::kLengthSize;
using crypto::tlog::kTileHeight;
using crypto::tlog::kTileWidth;
using crypto::tlog::PartialWidth;
using crypto::tlog::TileId;

// The roots of the complete subtrees that `levels`, the elements of each level's last tile, make up: a
// frontier of `size`.
Hash EdgeRoot(uint64_t size, const std::vector<std::vector<Hash>>& levels) {
  std::vector<Hash> subtrees;
  for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
    std::vector<Hash> elements = *level;
    auto begin = elements.begin();
    for (int bit = kTileHeight - 1; bit >= 0; --bit) {
      const ptrdiff_t count = ptrdiff_t{1} << bit;
      if ((level->size() & static_cast<size_t>(count)) == 0) continue;
      for (ptrdiff_t left = count; left > 1; left /= 2) {
        for (ptrdiff_t i = 0; i < left / 2; ++i) begin[i] = NodeHash(begin[2 * i], begin[2 * i + 1]);
      }
      subtrees.push_back(*begin);
      begin += count;
    }
  }
  const auto frontier = crypto::tlog::Frontier::Create(size, std::move(subtrees));
  RAAKVLAK_CHECK(frontier.ok(), "the elements of the last tiles make up the tree");
  return frontier->Root();
}

class FolderVerifier {
 public:
  FolderVerifier(const std::string& folder, TileFolder tiles, const FolderOptions& options)
      : folder_(folder), tiles_(std::move(tiles)), options_(options) {
    report_.unknown_files = tiles_.unknown_files();
  }

  absl::StatusOr<FolderReport> Run();

 private:
  // An element of a tile that is not what the entries make.
  struct Mismatch {
    TileId tile;  // of the file that was read
    int element;
  };

  // First fault wins.
  void Blame(std::string file, std::optional<uint64_t> index, std::string what) {
    if (!report_.fault.has_value()) report_.fault = Fault{std::move(file), index, std::move(what)};
  }
  static uint64_t FirstEntry(int level, uint64_t element) {
    return element << (std::max(level, 0) * kTileHeight);
  }

  absl::StatusOr<crypto::note::VerifierKey> ReadLogKey();
  bool OpenCheckpoints(const crypto::note::VerifierKey& log);
  // False when a file cannot be used, which is then the fault, unless something before it is wrong.
  bool HashEntries(uint64_t index, int width);
  void BlameBundle(const TileFolder::File& file, int width, const std::string& what);
  bool CompareTile(int level, uint64_t index);
  void CompareOtherWidths(const TileFolder::File& main, int width);
  bool CompareSince(uint64_t size, const std::vector<std::vector<Hash>>& levels);

  absl::StatusOr<std::vector<Hash>> StoredTile(int level, uint64_t index) const;
  bool EdgeIsProven() const;
  bool TileIsProven(int level, uint64_t index) const;
  void BlameMismatch(bool entries_are_proven);

  const std::string& folder_;
  const TileFolder tiles_;
  const FolderOptions& options_;
  FolderReport report_;
  // What the entries so far make: the elements of each level's last, not yet full tile.
  std::vector<std::vector<Hash>> levels_{1};
  std::optional<Mismatch> mismatch_;
  std::optional<Fault> cosignature_fault_;
  std::optional<Fault> entry_fault_;
  std::optional<Fault> since_fault_;
};

absl::StatusOr<crypto::note::VerifierKey> FolderVerifier::ReadLogKey() {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string content,
                            base::ReadFile(absl::StrCat(folder_, "/", kLogKeyFile), 4096));
  absl::string_view line = content;
  if (!absl::ConsumeSuffix(&line, "\n")) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, "log.vkey is one line");
  }
  return crypto::note::VerifierKey::Parse(line);
}

bool FolderVerifier::OpenCheckpoints(const crypto::note::VerifierKey& log) {
  const auto bytes =
      base::ReadFile(absl::StrCat(folder_, "/", kCheckpointFile), crypto::tlog::kMaxCheckpointSize);
  if (!bytes.ok()) {
    Blame(kCheckpointFile, std::nullopt, std::string(bytes.status().message()));
    return false;
  }
  const auto opened = crypto::tlog::OpenCheckpoint(*bytes, log);
  if (!opened.ok()) {
    Blame(kCheckpointFile, std::nullopt, std::string(opened.status().message()));
    return false;
  }
  report_.checkpoint = opened->checkpoint;
  const auto cosigned = crypto::tlog::CountCosignatures(opened->note, options_.witnesses);
  if (!cosigned.ok()) {
    cosignature_fault_ = Fault{kCheckpointFile, std::nullopt, std::string(cosigned.status().message())};
  } else if (report_.cosigned = *cosigned; cosigned->size() < options_.quorum) {
    cosignature_fault_ =
        Fault{kCheckpointFile, std::nullopt,
              absl::StrCat(cosigned->size(), " witnesses cosigned, ", options_.quorum, " must")};
  }
  return true;
}

void FolderVerifier::BlameBundle(const TileFolder::File& file, int width, const std::string& what) {
  // The first entry that the tile above does not confirm is where the bundle goes wrong.
  const auto stored = StoredTile(0, file.tile.index);
  absl::string_view rest = file.bytes;
  int entry = 0;
  for (; entry < width && rest.size() >= kLengthSize; ++entry) {
    const size_t size = crypto::tlog::ReadBigEndian(rest.substr(0, kLengthSize));
    if (rest.size() < kLengthSize + size) break;
    const Hash leaf = crypto::tlog::LeafHash(rest.substr(kLengthSize, size));
    if (stored.ok() && leaf != (*stored)[static_cast<size_t>(entry)]) break;
    rest.remove_prefix(kLengthSize + size);
  }
  Blame(Path(file.tile), file.tile.index * kTileWidth + static_cast<uint64_t>(std::min(entry, width - 1)),
        what);
}

bool FolderVerifier::HashEntries(uint64_t index, int width) {
  const TileId id{kEntriesLevel, index, width};
  const auto file = tiles_.Read(id);
  if (!file.ok()) {
    if (!mismatch_.has_value()) Blame(Path(id), index * kTileWidth, std::string(file.status().message()));
    return false;
  }
  const auto entries = crypto::tlog::ParseEntries(file->bytes, file->tile.width);
  if (!entries.ok()) {
    if (!mismatch_.has_value()) BlameBundle(*file, width, std::string(entries.status().message()));
    return false;
  }
  levels_[0].clear();
  for (int i = 0; i < width; ++i) {
    const absl::string_view entry = (*entries)[static_cast<size_t>(i)];
    levels_[0].push_back(crypto::tlog::LeafHash(entry));
    const uint64_t number = report_.entries++;
    if (options_.check_entry == nullptr || entry_fault_.has_value()) continue;
    if (auto what = options_.check_entry(number, entry); what.has_value()) {
      entry_fault_ = Fault{Path(file->tile), number, *std::move(what)};
    }
  }
  if (report_.since.has_value() && report_.since->size > index * kTileWidth &&
      report_.since->size < index * kTileWidth + kTileWidth && report_.since->size <= report_.entries) {
    auto levels = levels_;
    levels[0].resize(report_.since->size % kTileWidth);
    CompareSince(report_.since->size, levels);
  }
  if (!CompareTile(0, index)) return false;
  CompareOtherWidths(*file, width);
  if (width == kTileWidth && report_.since.has_value() && report_.since->size == report_.entries) {
    CompareSince(report_.entries, levels_);
  }
  return true;
}

// Compares levels_[level] with its tile, and goes up when it is full.
bool FolderVerifier::CompareTile(int level, uint64_t index) {
  const std::vector<Hash>& elements = levels_[static_cast<size_t>(level)];
  const TileId id{level, index, static_cast<int>(elements.size())};
  const auto file = tiles_.Read(id);
  std::string what;
  if (!file.ok()) {
    what = std::string(file.status().message());
  } else if (file->bytes.size() != static_cast<size_t>(file->tile.width) * crypto::tlog::kHashSize) {
    what = "a tile is as many hashes as its name says";
  }
  if (!what.empty()) {
    if (!mismatch_.has_value()) Blame(Path(id), FirstEntry(level, index * kTileWidth), what);
    return false;
  }
  const std::string computed = crypto::tlog::TileBytes(elements);
  if (file->bytes.compare(0, computed.size(), computed) != 0 && !mismatch_.has_value()) {
    const auto differs = std::mismatch(computed.begin(), computed.end(), file->bytes.begin());
    mismatch_ = Mismatch{file->tile, static_cast<int>((differs.first - computed.begin()) /
                                                      static_cast<ptrdiff_t>(crypto::tlog::kHashSize))};
  }
  CompareOtherWidths({file->tile, computed}, id.width);
  if (elements.size() < kTileWidth) return true;
  const Hash above = crypto::tlog::FullTileHash(elements);
  levels_[static_cast<size_t>(level)].clear();
  if (levels_.size() == static_cast<size_t>(level) + 1) levels_.emplace_back();
  levels_[static_cast<size_t>(level) + 1].push_back(above);
  return levels_[static_cast<size_t>(level) + 1].size() < kTileWidth ||
         CompareTile(level + 1, index / kTileWidth);
}

// Partial tiles of earlier sizes, and tiles of later ones, must begin alike. `main` is what the first `width`
// elements are.
void FolderVerifier::CompareOtherWidths(const TileFolder::File& main, int width) {
  const absl::Span<const int> widths = tiles_.Widths(main.tile.level, main.tile.index);
  if (widths.empty()) return;
  std::vector<size_t> sizes(static_cast<size_t>(width), crypto::tlog::kHashSize);
  if (main.tile.level == kEntriesLevel) {
    const auto entries = crypto::tlog::ParseEntries(main.bytes, main.tile.width);
    RAAKVLAK_CHECK(entries.ok(), "the bundle was parsed before");
    for (size_t i = 0; i < sizes.size(); ++i) sizes[i] = kLengthSize + (*entries)[i].size();
  }
  for (const int other : widths) {
    if (other == main.tile.width || mismatch_.has_value()) continue;
    const TileId id{main.tile.level, main.tile.index, other};
    const auto file = tiles_.Read(id);
    // A log that grows takes away partial tiles that it needs no more.
    if (file.ok() ? file->tile != id : absl::IsNotFound(file.status())) continue;
    const absl::string_view bytes = file.ok() ? absl::string_view(file->bytes) : absl::string_view();
    const int common = std::min(other, width);
    size_t at = 0;
    int element = 0;
    for (; element < common; ++element) {
      const size_t size = sizes[static_cast<size_t>(element)];
      if (bytes.size() < at + size ||
          bytes.substr(at, size) != absl::string_view(main.bytes).substr(at, size)) {
        break;
      }
      at += size;
    }
    if (element < common || (other <= width && bytes.size() != at)) {
      mismatch_ = Mismatch{id, std::min(element, common - 1)};
    }
  }
}

bool FolderVerifier::CompareSince(uint64_t size, const std::vector<std::vector<Hash>>& levels) {
  if (EdgeRoot(size, levels) == report_.since->root) return true;
  since_fault_ = Fault{kCheckpointFile, std::nullopt,
                       absl::StrCat("the first ", size, " entries are not those of the kept checkpoint")};
  return false;
}

absl::StatusOr<std::vector<Hash>> FolderVerifier::StoredTile(int level, uint64_t index) const {
  const uint64_t size = report_.checkpoint.size;
  const int width = index < FullTiles(level, size) ? kTileWidth : PartialWidth(level, size);
  RAAKVLAK_ASSIGN_OR_RETURN(const TileFolder::File file, tiles_.Read({level, index, width}));
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<Hash> hashes, crypto::tlog::ParseTile(file.bytes, file.tile.width));
  hashes.resize(static_cast<size_t>(width));
  return hashes;
}

// Whether the last tiles of all levels, as stored, lead to the signed root.
bool FolderVerifier::EdgeIsProven() const {
  const uint64_t size = report_.checkpoint.size;
  std::vector<std::vector<Hash>> levels;
  for (int level = 0; FullTiles(level, size) > 0 || PartialWidth(level, size) > 0; ++level) {
    levels.emplace_back();
    if (PartialWidth(level, size) == 0) continue;
    auto stored = StoredTile(level, FullTiles(level, size));
    if (!stored.ok()) return false;
    levels.back() = *std::move(stored);
  }
  return EdgeRoot(size, levels) == report_.checkpoint.root;
}

// Whether the tile, as stored, leads to the signed root by way of the stored tiles above it.
bool FolderVerifier::TileIsProven(int level, uint64_t index) const {
  if (index >= FullTiles(level, report_.checkpoint.size)) return EdgeIsProven();
  const auto stored = StoredTile(level, index);
  const auto above = StoredTile(level + 1, index / kTileWidth);
  return stored.ok() && above.ok() && crypto::tlog::FullTileHash(*stored) == (*above)[index % kTileWidth] &&
         TileIsProven(level + 1, index / kTileWidth);
}

void FolderVerifier::BlameMismatch(bool entries_are_proven) {
  const TileId& tile = mismatch_->tile;
  const uint64_t element = tile.index * kTileWidth + static_cast<uint64_t>(mismatch_->element);
  const uint64_t index = FirstEntry(tile.level, element);
  if (entries_are_proven) {
    Blame(Path(tile), index, "the tile is not that of the entries, which lead to the signed root");
    return;
  }
  const bool proven = TileIsProven(std::max(tile.level, 0), tile.index);
  if (tile.level > 0) {
    Blame(proven ? crypto::tlog::TilePath(tile.level - 1, element) : Path(tile), index,
          proven ? "the tile and its entries were changed; the tiles above lead to the signed root"
                 : "the tile contradicts those below it, and not all tiles above are right");
    return;
  }
  const TileId entries{kEntriesLevel, tile.index,
                       tile.index < FullTiles(0, report_.checkpoint.size)
                           ? kTileWidth
                           : PartialWidth(0, report_.checkpoint.size)};
  Blame(Path(entries), index,
        proven ? "the entry is not the one that leads to the signed root"
               : absl::StrCat("the entry contradicts ", Path(tile), ", and not all tiles above are right"));
}

absl::StatusOr<FolderReport> FolderVerifier::Run() {
  const auto stored_key = ReadLogKey();
  if (!stored_key.ok() && (!options_.log.has_value() || !absl::IsNotFound(stored_key.status()))) {
    Blame(kLogKeyFile, std::nullopt, std::string(stored_key.status().message()));
  } else if (stored_key.ok() && options_.log.has_value() && stored_key->Encode() != options_.log->Encode()) {
    Blame(kLogKeyFile, std::nullopt, "not the key of the log that was asked for");
  }
  if (report_.fault.has_value()) return report_;
  const crypto::note::VerifierKey& log = options_.log.has_value() ? *options_.log : *stored_key;
  if (options_.since.has_value()) {
    const auto since = crypto::tlog::OpenCheckpoint(*options_.since, log);
    if (!since.ok()) return base::Annotate(since.status(), "the kept checkpoint");
    report_.since = since->checkpoint;
  }
  if (!OpenCheckpoints(log)) return report_;

  const uint64_t size = report_.checkpoint.size;
  if (report_.since.has_value() && report_.since->size > size) {
    since_fault_ =
        Fault{kCheckpointFile, size,
              absl::StrCat("the kept checkpoint has ", report_.since->size, " entries, the log ", size)};
  }
  bool complete = true;
  for (uint64_t index = 0; complete && index < FullTiles(0, size); ++index) {
    complete = HashEntries(index, kTileWidth);
  }
  if (complete && PartialWidth(0, size) != 0)
    complete = HashEntries(FullTiles(0, size), PartialWidth(0, size));
  for (int level = 1; complete && level < static_cast<int>(levels_.size()); ++level) {
    if (PartialWidth(level, size) != 0) complete = CompareTile(level, FullTiles(level, size));
  }
  const bool proven = complete && EdgeRoot(size, levels_) == report_.checkpoint.root;
  if (mismatch_.has_value()) BlameMismatch(proven);
  if (!report_.fault.has_value() && !proven) {
    Blame(kCheckpointFile, std::nullopt,
          "the entries and tiles agree with each other, but not with the signed root");
  }
  for (std::optional<Fault>* fault : {&since_fault_, &cosignature_fault_, &entry_fault_}) {
    if (!report_.fault.has_value() && fault->has_value()) report_.fault = std::move(*fault);
  }
  return report_;
}

}  // namespace

absl::StatusOr<FolderReport> VerifyFolder(const std::string& folder, const FolderOptions& options) {
  RAAKVLAK_ASSIGN_OR_RETURN(TileFolder tiles, TileFolder::Open(folder));
  return FolderVerifier(folder, std::move(tiles), options).Run();
}

}  // namespace raakvlak::audit
