// Element: a ristretto255 element other than the identity (RFC 9496), held as its canonical 32-byte encoding.
//
// An Element cannot hold an invalid encoding or the identity. Decode refuses byte 31 & 0x80 first
// (libsodium 1.0.18 ignores that bit), then what crypto_core_ristretto255_is_valid_point refuses, then the
// identity. Operations with a scalar run in constant time in both operands, by libsodium.
//
// Thread safety: as a std::array.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::group {

inline constexpr size_t kElementSize = 32;

class Element {
 public:
  // Decode takes 32 bytes. MALFORMED when they are no canonical encoding, or the identity.
  static absl::StatusOr<Element> Decode(absl::string_view bytes);
  // scalar * generator. REQUIRES: scalar is not zero.
  static Element MulBase(const Scalar& scalar);
  static Element Generator();

  // scalar * this. REQUIRES: scalar is not zero (the group has prime order, so the result is not the
  // identity).
  Element Mul(const Scalar& scalar) const;
  // Decode(bytes) and Mul in one: the multiplication decodes anyway, so this saves a tenth. MALFORMED as
  // Decode. REQUIRES: scalar is not zero.
  static absl::StatusOr<Element> DecodeAndMul(absl::string_view bytes, const Scalar& scalar);

  absl::string_view bytes() const { return base::AsView(bytes_); }
  std::string Encode() const { return std::string(bytes()); }
  const uint8_t* data() const { return bytes_.data(); }
  // Not constant time: elements that are compared are public.
  bool operator==(const Element& other) const { return bytes_ == other.bytes_; }

 private:
  friend class PublicPoint;
  friend class SecretPoint;
  Element() = default;
  std::array<uint8_t, kElementSize> bytes_;
};

}  // namespace raakvlak::crypto::group
