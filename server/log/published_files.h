// PublishedFiles: what the cosigner reads and keeps of a process's published logs (docs/format/log.md).
//
// Thread safety: implementations may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::log {

class PublishedFiles {
 public:
  virtual ~PublishedFiles() = default;

  // Ascending.
  virtual absl::StatusOr<std::vector<uint32_t>> Years() = 0;
  // The signed checkpoint of a year, and the newest one that the quorum cosigned; nullopt when there is none.
  virtual absl::StatusOr<std::optional<std::string>> ReadCheckpoint(uint32_t year) = 0;
  virtual absl::StatusOr<std::optional<std::string>> ReadCosigned(uint32_t year) = 0;
  // `size` is one of which a checkpoint was published.
  virtual absl::StatusOr<crypto::tlog::Proof> ConsistencyProof(uint32_t year, uint64_t old_size,
                                                               uint64_t size) = 0;
  // When the entry was made. REQUIRES: it is in a published checkpoint.
  virtual absl::StatusOr<absl::Time> EntryTime(uint32_t year, uint64_t index) = 0;
  // Durable when it returns. When the year's checkpoint still has the same text, it gets the cosignatures
  // too.
  virtual absl::Status WriteCosigned(uint32_t year, const std::string& note) = 0;
};

}  // namespace raakvlak::log
