// Byte strings. Throughout Raakvlak a byte string of variable length is a std::string, passed as
// absl::string_view: that is what protobuf holds, so no copies are made at its edge. Secret byte strings are
// base::SecretBytes instead.
//
// Thread safety: all functions are pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::base {

inline const uint8_t* AsBytes(absl::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
inline uint8_t* AsMutableBytes(std::string& text) { return reinterpret_cast<uint8_t*>(text.data()); }

template <size_t N>
absl::string_view AsView(const std::array<uint8_t, N>& bytes) {
  return absl::string_view(reinterpret_cast<const char*>(bytes.data()), N);
}

// BigEndian writes `value` as `length` bytes, most significant first (I2OSP of RFC 8017). REQUIRES: it fits.
std::string BigEndian(uint64_t value, size_t length);

// LengthPrefixed is lp(x) = I2OSP(len, 2) || x. REQUIRES: x is shorter than 65,536 bytes.
std::string LengthPrefixed(absl::string_view bytes);

// Hex writes lower case hexadecimal.
std::string Hex(absl::string_view bytes);
// ParseHex accepts lower or upper case. MALFORMED for an odd length or another character.
absl::StatusOr<std::string> ParseHex(absl::string_view text);

// Base64 uses the standard alphabet with padding (RFC 4648 section 4).
std::string Base64(absl::string_view bytes);
// ParseBase64 accepts exactly what Base64 writes. MALFORMED otherwise: missing padding, white space, stray
// bits.
absl::StatusOr<std::string> ParseBase64(absl::string_view text);

// Sha256 returns 32 bytes.
std::string Sha256(absl::string_view bytes);

// ConstantTimeEquals compares without a branch on the content; the lengths are public.
bool ConstantTimeEquals(absl::string_view a, absl::string_view b);

}  // namespace raakvlak::base
