// What there is to check about a Shamir sharing of an evaluation key with Feldman commitments, and the public
// keys that follow from the commitments. Shares are made in a ceremony (crypto/ceremony): nothing here takes
// a key apart.
//
// The key is f(0) of a polynomial of degree t - 1; holder i has f(i). Commitments are A_j = a_j * G, so PK =
// A_0 and PK_i = sum i^j A_j are computed by everyone and never received.
//
// Limits, checked everywhere: 2 <= t <= n <= 32, indices distinct and 1..32. "Quorum" t is how many holders
// evaluate; it is not the disclosure threshold k.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "crypto/group/element.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::threshold {

inline constexpr uint32_t kMaxIndex = 32;

// CheckIndices: INVALID_ARGUMENT unless 2 <= quorum <= indices.size() <= 32 and the indices are distinct and
// in 1..32.
absl::Status CheckIndices(uint32_t quorum, absl::Span<const uint32_t> indices);

// PublicShare returns PK_i. INVALID_ARGUMENT for an index outside 1..32 or fewer than two commitments;
// VERIFICATION_FAILED when it is the identity.
absl::StatusOr<group::Element> PublicShare(absl::Span<const group::Element> commitments, uint32_t index);

// CheckShare: VERIFICATION_FAILED unless share * G == PK_index.
absl::Status CheckShare(absl::Span<const group::Element> commitments, uint32_t index,
                        const group::Scalar& share);

}  // namespace raakvlak::crypto::threshold
