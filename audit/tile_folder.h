// A log's folder, read: checkpoint, log.vkey and tile/... (docs/format/log.md). Nothing is verified here:
// folder_verifier.h.
//
// Thread safety: used by one thread at a time. The log may go on growing meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crypto/tlog/tile.h"

namespace raakvlak::audit {

inline constexpr char kCheckpointFile[] = "checkpoint";
inline constexpr char kLogKeyFile[] = "log.vkey";

class TileFolder final : public crypto::tlog::TileSource {
 public:
  // Looks which tiles there are. FILE_UNREADABLE when `folder` is none, or cannot be listed.
  static absl::StatusOr<TileFolder> Open(const std::string& folder);

  struct File {
    crypto::tlog::TileId tile;  // what it is, which may be wider than what was asked for
    std::string bytes;
  };
  // The file of `tile`, or else the narrowest wider one. FILE_UNREADABLE when there is none; TOO_LARGE over
  // the format's limit.
  absl::StatusOr<File> Read(const crypto::tlog::TileId& tile) const;
  absl::StatusOr<std::string> ReadTile(const crypto::tlog::TileId& tile) override;

  // The widths, ascending, in which tile (level, index) stands in the folder; none when it is there as a full
  // tile only, or not at all.
  absl::Span<const int> Widths(int level, uint64_t index) const;
  // Files under tile/ whose path is no tile's: what a crash left, or someone put there.
  uint64_t unknown_files() const { return unknown_files_; }

 private:
  explicit TileFolder(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
  // Only tiles that stand in other widths than the full one: there are few of them.
  std::map<std::pair<int, uint64_t>, std::vector<int>> partial_;
  uint64_t unknown_files_ = 0;
};

}  // namespace raakvlak::audit
