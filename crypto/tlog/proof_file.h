// Proof files (C2SP tlog-proof, version 1): that an entry is in a log, for someone who holds the entry and
// the public keys and has no network. The usual file name ends in .tlog-proof.
//
//   c2sp.org/tlog-proof@v1
//   extra <base64>                        may be absent
//   index <decimal>
//   <base64(hash)>                        0 to 63 lines, the leaf's sibling first
//   <empty line>
//   <checkpoint: the signed note as it is>
//
// DO NOT CHANGE: docs/format/log.md. Nothing signs `extra`.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::crypto::tlog {

inline constexpr size_t kMaxProofFileSize = 2 * kMaxCheckpointSize;

struct ProofFile {
  std::optional<std::string> extra;  // not empty
  uint64_t index = 0;
  Proof proof;
  std::string checkpoint;  // a signed note, verbatim
  bool operator==(const ProofFile&) const = default;
};

// FormatProofFile REQUIRES: extra is absent or not empty; at most kMaxProofSize hashes.
std::string FormatProofFile(const ProofFile& file);
// ParseProofFile is the inverse. MALFORMED unless FormatProofFile would write `bytes`, and over
// kMaxProofFileSize. The checkpoint is not looked at, nothing is verified.
absl::StatusOr<ProofFile> ParseProofFile(absl::string_view bytes);

struct VerifiedProof {
  uint64_t index = 0;
  Checkpoint checkpoint;
  std::vector<Cosigned> cosigned;  // which of the witnesses, and when
  // The newest and oldest of those times, seconds since 1970; 0 when nobody cosigned.
  uint64_t newest = 0;
  uint64_t oldest = 0;
};

// VerifyProofFile checks that `entry` (its bytes, not its hash) stands in the log of `log`, under a
// checkpoint that at least `quorum` of `witnesses` cosigned; with quorum 0 the log's word alone is taken.
// MALFORMED for bytes that do not parse; SIGNATURE_INVALID for a wrong signature of the log or of any of
// `witnesses`; PROOF_INVALID when the entry is not proven; QUORUM_MISSING with fewer cosignatures. How old
// the checkpoint may be is the caller's affair.
absl::StatusOr<VerifiedProof> VerifyProofFile(absl::string_view bytes, absl::string_view entry,
                                              const note::VerifierKey& log,
                                              absl::Span<const WitnessKey> witnesses, size_t quorum);

}  // namespace raakvlak::crypto::tlog
