// SecretPoint: a decoded ristretto255 point that depends on a secret: a hashed input on its way to being
// blinded, an answer on its way to being unblinded.
//
// By those functions of libdecaf that run in constant time in scalar and point
// (docs/adr/0009-decoded-secrets.md; tests/constant_time checks the machine code, tests/unit/crypto/group
// compares every result with libsodium). Key shares and the coefficients of a token do not come here: they
// stay with libsodium (Element). May be the identity. Wiped when the object goes; it does NOT keep copies out
// of registers or swap.
//
// Thread safety: as an int.
#pragma once

#include <decaf/point_255.h>

#include "absl/strings/string_view.h"
#include "crypto/group/element.h"
#include "crypto/group/public_point.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::group {

class SecretPoint {
 public:
  SecretPoint(const SecretPoint&) = default;
  SecretPoint& operator=(const SecretPoint&) = default;
  ~SecretPoint();

  // The one-way map of RFC 9496 section 4.3.4 on 64 uniform bytes. REQUIRES: size 64.
  static SecretPoint FromUniform(absl::string_view bytes);
  // A public point that is about to meet a secret scalar.
  static SecretPoint FromPublic(const PublicPoint& point);

  // scalar * this; zero is allowed.
  SecretPoint Mul(const Scalar& scalar) const;
  bool IsIdentity() const;

  // REQUIRES: not the identity.
  Element ToElement() const;
  // Declares the point public: only when its encoding is about to be sent. The coordinates are not those that
  // Decode gives and could betray bits of the scalar: they stay in this process, only encodings leave it.
  PublicPoint Publish() const;

 private:
  SecretPoint() = default;
  decaf_255_point_t point_;
};

}  // namespace raakvlak::crypto::group
