// The client and server functions of RFC 9497 section 3.3.2 (VOPRF, mode 0x01), ristretto255-SHA512, for one
// element at a time. Batches are loops of these plus one proof (proof.h). Threshold evaluation is in
// crypto/threshold.
//
// Everything here that touches an input, a blind or a key runs in constant time in their values (not in the
// input's length). It does NOT check who asks or how often, and holds no state.
//
// Thread safety: all functions are pure but for the random source handed in.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/group/element.h"
#include "crypto/group/public_point.h"
#include "crypto/group/scalar.h"
#include "crypto/group/secret_point.h"
#include "crypto/oprf/suite.h"

namespace raakvlak::crypto::oprf {

// HashToGroup of section 4.1: expand_message_xmd(SHA-512, DST = "HashToGroup-" || contextString, 64 bytes),
// then the one-way map. INVALID_ARGUMENT for an input over kMaxInputSize, or one that maps to the identity
// (InvalidInputError).
absl::StatusOr<group::SecretPoint> HashToGroup(absl::string_view input);

// HashToScalar of section 4.1: DST = "HashToScalar-" || contextString, 64 bytes little-endian mod L.
group::Scalar HashToScalar(absl::string_view input);

// HashToScalar with another DST: as DeriveKeyPair needs it.
group::Scalar HashToScalar(absl::string_view input, absl::string_view dst);

// A blinded input: what the client keeps (blind) and what it sends (blinded, never the identity).
struct Blinded {
  group::Scalar blind;
  group::PublicPoint blinded;
};

// Blind of section 3.3.1. INVALID_ARGUMENT as HashToGroup.
absl::StatusOr<Blinded> Blind(absl::string_view input, base::Random& random);

// Finalize of section 3.3.1 without verification: `unblinded` is N = blind^-1 * Z, returns
// SHA-512(I2OSP(len(input),2) || input || I2OSP(32,2) || N || "Finalize"), 64 bytes.
// Never call it on something whose proof was not verified. REQUIRES: the input passed Blind.
base::SecretBytes Finalize(absl::string_view input, const group::Element& unblinded);

// DeriveKeyPair of section 3.2.1. `seed` is 32 bytes. INVALID_ARGUMENT for another length; INTERNAL when no
// key is found in 256 tries.
absl::StatusOr<group::Scalar> DeriveKey(absl::string_view seed, absl::string_view info);

}  // namespace raakvlak::crypto::oprf
