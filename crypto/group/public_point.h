// PublicPoint: a decoded ristretto255 point for PUBLIC data only: proof composites, commitments, verified
// shares.
//
// Decoded points make additions a hundred times cheaper than on the wire format. Work on them is by libdecaf
// and runs in VARIABLE time: never with a secret scalar or point. Unlike Element it may be the identity, the
// empty sum; ToElement refuses that. Every operation is compared with libsodium in tests/unit/crypto/group.
//
// Thread safety: as an int.
#pragma once

#include <decaf/point_255.h>

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/group/element.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::group {

class PublicPoint {
 public:
  // The identity.
  PublicPoint();

  // Decode takes 32 bytes. MALFORMED when they are no canonical encoding, or the identity.
  static absl::StatusOr<PublicPoint> Decode(absl::string_view bytes);
  static PublicPoint FromElement(const Element& element);
  static PublicPoint Generator();

  PublicPoint operator+(const PublicPoint& other) const;
  PublicPoint operator-(const PublicPoint& other) const;
  // Variable time. `factor` times this; fast for small factors.
  PublicPoint MulSmall(uint64_t factor) const;
  // Variable time.
  PublicPoint Mul(const Scalar& scalar) const;

  bool IsIdentity() const;
  bool operator==(const PublicPoint& other) const;
  // 32 bytes; 32 zero bytes for the identity.
  std::string Encode() const;
  // VERIFICATION_FAILED when this is the identity.
  absl::StatusOr<Element> ToElement() const;

 private:
  friend class SecretPoint;
  friend PublicPoint MultiScalarMul(absl::Span<const Scalar> scalars, absl::Span<const PublicPoint> points);
  decaf_255_point_t point_;
};

// MultiScalarMul returns sum scalars[i] * points[i], the identity for n = 0 (Pippenger's buckets; plain sums
// for small n). Variable time. REQUIRES: equal sizes.
PublicPoint MultiScalarMul(absl::Span<const Scalar> scalars, absl::Span<const PublicPoint> points);

}  // namespace raakvlak::crypto::group
