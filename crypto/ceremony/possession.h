// Proof of possession: a Schnorr signature by which a contributor shows that it knows the secret behind its
// first commitment, so that it did not build it from those of others.
//
//   c = SHA-512(lp("raakvlak/v1/ceremony/possession") || session id(32) || contributor(1) || commitments ||
//               R) mod L,   R = r*G,   s = r - c*a,   proof = c(32) || s(32)
//
// Thread safety: both functions are pure but for the random source handed in.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "crypto/group/element.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::ceremony {

// `commitments` are all of the contributor's, packed, the first of them secret * G. REQUIRES: secret is not
// zero.
std::string ProvePossession(const group::Scalar& secret, absl::string_view session_id, uint32_t contributor,
                            absl::string_view commitments, base::Random& random);

// VERIFICATION_FAILED when the proof is wrong, has another length or a scalar that is not canonical, or when
// the first commitment is no element.
absl::Status VerifyPossession(absl::string_view proof, absl::string_view session_id, uint32_t contributor,
                              absl::string_view commitments);

}  // namespace raakvlak::crypto::ceremony
