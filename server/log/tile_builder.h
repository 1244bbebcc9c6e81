// TileBuilder: grows the tiles of a log in memory, entry by entry.
//
// It keeps the open tile of each level, so an append costs one hash, and one more for each 256. It does NOT
// give the root: that is computed from the files that were written, by another path (folder_hash_reader.h).
//
// Copyable and movable. Thread safety: used by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/tlog/hash.h"
#include "crypto/tlog/tile.h"

namespace raakvlak::log {

struct TileFile {
  crypto::tlog::TileId id;
  std::string bytes;
};

class TileBuilder {
 public:
  // The empty log.
  TileBuilder() = default;
  // Resume reads the open tiles of the log of `size`. Errors of `tiles`; MALFORMED.
  static absl::StatusOr<TileBuilder> Resume(crypto::tlog::TileSource& tiles, uint64_t size);

  // Append adds the tiles that the entry completes to `out_full`. REQUIRES: entry <= 65,535 bytes.
  void Append(absl::string_view entry, std::vector<TileFile>& out_full);

  // The open tiles at the present size that differ from those at `old_size`. REQUIRES: old_size <= size().
  std::vector<TileFile> Partials(uint64_t old_size) const;

  uint64_t size() const { return size_; }

 private:
  uint64_t size_ = 0;
  std::string bundle_;
  std::vector<std::vector<crypto::tlog::Hash>> levels_;
};

}  // namespace raakvlak::log
