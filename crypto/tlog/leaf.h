// Leaves: what an entry of Raakvlak's log is (design 4.6).
//
//   version(1) = 1 || time(8, big-endian, milliseconds since 1970) || SHA-256(salt(32) || details)
//
// 41 bytes. Details and salt stand apart and are erased on their term; the leaf stays and, without its salt,
// says nothing about them, also to someone who can guess the details. DO NOT CHANGE: docs/format/log.md.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/tlog/hash.h"

namespace raakvlak::crypto::tlog {

inline constexpr uint8_t kLeafVersion = 1;
inline constexpr size_t kSaltSize = 32;
inline constexpr size_t kLeafSize = 1 + 8 + kHashSize;

struct Leaf {
  uint64_t time_ms = 0;
  Hash commitment;
  bool operator==(const Leaf&) const = default;
};

// MakeLeaf returns the entry. REQUIRES: the salt is kSaltSize fresh random bytes; time_ms < 2^63.
std::string MakeLeaf(uint64_t time_ms, absl::string_view salt, absl::string_view details);

// ParseLeaf: MALFORMED unless `entry` is a leaf of version 1 with a time below 2^63.
absl::StatusOr<Leaf> ParseLeaf(absl::string_view entry);

// VerifyLeaf: PROOF_INVALID unless `entry` commits to `details` with `salt`; MALFORMED when it is no leaf.
absl::Status VerifyLeaf(absl::string_view entry, absl::string_view salt, absl::string_view details);

}  // namespace raakvlak::crypto::tlog
