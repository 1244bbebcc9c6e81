// Combining verified partial evaluations of t key holders into the evaluation under the whole key.
//
// Lagrange interpolation in the exponent at 0: Z = sum lambda_i * Z_i. The coefficients for indices up to 32
// are fractions of small integers, so they are cleared of their common denominator D: D * Z = sum (D *
// lambda_i) * Z_i takes only small factors, and D^-1 goes into the scalar that unblinds, which is needed
// anyway. Large scattered sets have factors over 32 bits and take full coefficients.
//
// It does NOT verify: hand in only answers whose proof was verified (oprf::VerifyProof) against PublicShare.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crypto/group/element.h"
#include "crypto/group/scalar.h"
#include "crypto/oprf/proof.h"

namespace raakvlak::crypto::threshold {

// Lagrange returns the coefficients at 0 for `indices`, in their order. INVALID_ARGUMENT for fewer than two,
// duplicates, or an index outside 1..32.
absl::StatusOr<std::vector<group::Scalar>> Lagrange(absl::Span<const uint32_t> indices);

// One holder's verified answer.
struct Partial {
  uint32_t index;
  const oprf::ElementList* evaluated;
};

// Combine interpolates and unblinds: returns N_m = blinds[m]^-1 * sum lambda_i Z_i[m] for each element m.
// INVALID_ARGUMENT as Lagrange, for another number of partials than `quorum`, or lists of different sizes;
// VERIFICATION_FAILED when a combined element is the identity. REQUIRES: no blind is zero.
absl::StatusOr<std::vector<group::Element>> Combine(uint32_t quorum, absl::Span<const Partial> partials,
                                                    absl::Span<const group::Scalar> blinds);

}  // namespace raakvlak::crypto::threshold
