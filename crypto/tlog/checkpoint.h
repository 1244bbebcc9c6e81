// Checkpoints (C2SP tlog-checkpoint v1.0.0): what a log signs. A signed note (crypto/note) with the text
//
//   <origin>
//   <size: decimal, no leading zeros>
//   <base64(root)>
//
// DO NOT CHANGE: docs/format/log.md. Extension lines, which the standard allows and does not recommend, are
// refused: cosigners do not agree on whether they are covered.
//
// The origin is the name of the log's key. Whoever signs must never sign two checkpoints of one origin that
// are not consistent; nothing here prevents it.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/note/note.h"
#include "crypto/tlog/hash.h"

namespace raakvlak::crypto::tlog {

// Of the whole note. Enough for note::kMaxSignatures cosignatures with long names.
inline constexpr size_t kMaxCheckpointSize = 1 << 16;

struct Checkpoint {
  std::string origin;
  uint64_t size = 0;
  Hash root;
  bool operator==(const Checkpoint&) const = default;
};

// FormatCheckpoint writes the text, without signatures. REQUIRES: the origin is one line, not empty, without
// control characters; size <= kMaxTreeSize.
std::string FormatCheckpoint(const Checkpoint& checkpoint);
// ParseCheckpoint is the inverse. MALFORMED unless FormatCheckpoint would write `text`; also for a tree of
// size 0 with another root than EmptyRoot().
absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view text);

// SignCheckpoint returns the note with the log's signature. REQUIRES: as FormatCheckpoint; log.name() ==
// checkpoint.origin; log.key() == key.public_key().
note::Note SignCheckpoint(const Checkpoint& checkpoint, const note::VerifierKey& log,
                          const note::PrivateKey& key);

// A checkpoint whose signature was verified, with its note, which may carry cosignatures that were not.
struct OpenedCheckpoint {
  Checkpoint checkpoint;
  note::Note note;
};

// OpenCheckpoint parses and verifies the bytes of a signed checkpoint. MALFORMED for bytes that do not parse
// or are over kMaxCheckpointSize; SIGNATURE_INVALID when `log` did not sign, or its name is not the origin.
// Does not look at cosignatures: cosignature.h.
absl::StatusOr<OpenedCheckpoint> OpenCheckpoint(absl::string_view bytes, const note::VerifierKey& log);

}  // namespace raakvlak::crypto::tlog
