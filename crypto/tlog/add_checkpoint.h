// The request of the witness protocol (C2SP tlog-witness v1.0.0, add-checkpoint):
//
//   old <decimal>                         the size of the tree that the witness last cosigned
//   <base64(hash)>                        0 to 63 lines: consistency proof from there
//   <empty line>
//   <checkpoint: the signed note as it is>
//
// DO NOT CHANGE: docs/format/witness.md. What a witness answers is cosignature.h's FormatCosignatures.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::crypto::tlog {

inline constexpr size_t kMaxAddCheckpointSize = 2 * kMaxCheckpointSize;

struct AddCheckpoint {
  uint64_t old_size = 0;
  Proof proof;
  std::string checkpoint;  // a signed note, verbatim
  bool operator==(const AddCheckpoint&) const = default;
};

// FormatAddCheckpoint REQUIRES: at most kMaxProofSize hashes.
std::string FormatAddCheckpoint(const AddCheckpoint& request);
// ParseAddCheckpoint is the inverse. MALFORMED unless FormatAddCheckpoint would write `body`, and over
// kMaxAddCheckpointSize. The checkpoint is not looked at, nothing is verified.
absl::StatusOr<AddCheckpoint> ParseAddCheckpoint(absl::string_view body);

}  // namespace raakvlak::crypto::tlog
