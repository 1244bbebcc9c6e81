// Hashes of the Merkle tree (RFC 6962 section 2.1, which RFC 9162 section 2.1 keeps; SHA-256).
//
//   empty tree  SHA-256("")
//   leaf        SHA-256(0x00 || entry)
//   node        SHA-256(0x01 || left(32) || right(32))
//
// The two first bytes keep a leaf from ever being read as a node. DO NOT CHANGE: docs/format/log.md.
//
// Thread safety: all functions are pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"

namespace raakvlak::crypto::tlog {

inline constexpr size_t kHashSize = 32;
// What signed 64-bit numbers hold, in SQL and in other programs. A larger size is refused everywhere.
inline constexpr uint64_t kMaxTreeSize = (uint64_t{1} << 63) - 1;
// Likewise for times, which are seconds or milliseconds since 1970.
inline constexpr uint64_t kMaxTime = kMaxTreeSize;

// A SHA-256 value, public. Made without a value it is 32 zero bytes.
struct Hash {
  // MALFORMED unless `bytes` is 32 bytes.
  static absl::StatusOr<Hash> Create(absl::string_view bytes);
  // From exactly what ToBase64 writes (44 characters); MALFORMED otherwise.
  static absl::StatusOr<Hash> FromBase64(absl::string_view text);
  absl::string_view view() const { return base::AsView(bytes); }
  std::string ToBase64() const { return base::Base64(view()); }
  bool operator==(const Hash&) const = default;

  std::array<uint8_t, kHashSize> bytes{};
};

Hash LeafHash(absl::string_view entry);
Hash NodeHash(const Hash& left, const Hash& right);
// The root of the tree without entries.
Hash EmptyRoot();

}  // namespace raakvlak::crypto::tlog
