// Split: a key shared over holders by one who has it, so that a test has shares without holding a ceremony.
// WARNING: whoever calls this has seen the key. For tests only: the product has no such path.
//
// Thread safety: pure but for the random source.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/random.h"
#include "crypto/group/element.h"
#include "crypto/group/scalar.h"

namespace raakvlak::testing {

struct Sharing {
  // A_0 .. A_{t-1}.
  std::vector<crypto::group::Element> commitments;
  // In the order of the indices given.
  std::vector<crypto::group::Scalar> shares;
};

// INVALID_ARGUMENT as crypto::threshold::CheckIndices, or for a zero key.
absl::StatusOr<Sharing> Split(const crypto::group::Scalar& key, uint32_t quorum,
                              absl::Span<const uint32_t> indices, base::Random& random);

}  // namespace raakvlak::testing
