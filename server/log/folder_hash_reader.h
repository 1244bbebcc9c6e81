// Proofs and entries from the static files of a log.
//
// They read a few tiles each, whatever the size of the log. They say what stands in the files: nothing is
// verified but the shape of a tile.
//
// Thread safety: FolderTiles may be used from any thread; the functions too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/tlog/tile.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::log {

// FolderTiles reads the tiles of one log: `folder` holds its `checkpoint` and `tile/`.
class FolderTiles final : public crypto::tlog::TileSource {
 public:
  explicit FolderTiles(std::string folder) : folder_(std::move(folder)) {}
  // Exactly the elements asked for: cut from the full tile when the partial one is gone. FILE_UNREADABLE;
  // MALFORMED for one that is too short.
  absl::StatusOr<std::string> ReadTile(const crypto::tlog::TileId& tile) override;

 private:
  const std::string folder_;
};

// Entries [from, until) of the log, as they stand in its bundles. REQUIRES: from <= until. Errors of `tiles`;
// MALFORMED.
absl::StatusOr<std::vector<std::string>> ReadEntries(crypto::tlog::TileSource& tiles, uint64_t from,
                                                     uint64_t until);

// As crypto/tlog/tree.h, from the tiles of the log in `folder`. `size` is one of which a checkpoint was
// published.
absl::StatusOr<crypto::tlog::Hash> Root(const std::string& folder, uint64_t size);
absl::StatusOr<crypto::tlog::Proof> InclusionProof(const std::string& folder, uint64_t index, uint64_t size);
absl::StatusOr<crypto::tlog::Proof> ConsistencyProof(const std::string& folder, uint64_t old_size,
                                                     uint64_t size);

}  // namespace raakvlak::log
