// Scalar: an integer modulo L, the order of ristretto255 (RFC 9496 section 4.4), for secret and public use.
//
// All operations run in constant time in the value, by libsodium. Encodings are 32 bytes, little-endian,
// below L. libsodium itself accepts encodings of L and above; Decode does not, so that a proof or share has
// one encoding only. The value is wiped when the object goes. It does NOT keep copies out of registers or
// swap.
//
// Thread safety: as an int.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/random.h"

namespace raakvlak::crypto::group {

inline constexpr size_t kScalarSize = 32;

class Scalar {
 public:
  // Zero.
  Scalar() : bytes_{} {}
  Scalar(const Scalar&) = default;
  Scalar& operator=(const Scalar&) = default;
  ~Scalar();

  // Decode takes 32 bytes below L; zero is allowed. MALFORMED otherwise.
  static absl::StatusOr<Scalar> Decode(absl::string_view bytes);
  // DecodeNonZero is Decode that also refuses zero.
  static absl::StatusOr<Scalar> DecodeNonZero(absl::string_view bytes);
  // Reduces 64 bytes, little-endian, modulo L. REQUIRES: size 64.
  static Scalar FromWide(absl::string_view bytes);
  static Scalar FromUint64(uint64_t value);
  // A uniform non-zero scalar: reduces 64 random bytes, draws again on zero.
  static Scalar Random(base::Random& random);

  std::string Encode() const;
  const uint8_t* data() const { return bytes_.data(); }
  bool IsZero() const;
  // Constant time.
  bool operator==(const Scalar& other) const;

  Scalar operator+(const Scalar& other) const;
  Scalar operator-(const Scalar& other) const;
  Scalar operator*(const Scalar& other) const;
  // REQUIRES: not zero.
  Scalar Invert() const;

 private:
  std::array<uint8_t, kScalarSize> bytes_;
};

// BatchInvert replaces each scalar by its inverse with one inversion (Montgomery's trick). REQUIRES: none is
// zero.
void BatchInvert(absl::Span<Scalar> scalars);

}  // namespace raakvlak::crypto::group
