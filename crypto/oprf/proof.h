// Batched proofs that a list of elements was evaluated under one key: RFC 9497 section 2.2 (GenerateProof,
// VerifyProof, ComputeComposites, ComputeCompositesFast), byte for byte.
//
// A holder of share k_i proves against PK_i = k_i * G, never against the group's public key. The proof says
// that every Z is k * B for the same k as in PK; it says nothing about who k belongs to: that comes from the
// keyset.
//
// Thread safety: all functions are pure but for the random source handed in.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "base/random.h"
#include "crypto/group/element.h"
#include "crypto/group/public_point.h"
#include "crypto/group/scalar.h"
#include "crypto/oprf/suite.h"

namespace raakvlak::crypto::oprf {

// A list of elements in both forms: wire bytes (packed, 32 bytes each, for the transcript) and decoded points
// (for arithmetic), so that each element is decoded once however often it is used.
class ElementList {
 public:
  // DecodeAll takes packed encodings. INVALID_ARGUMENT for an empty list, a length that is no multiple of 32,
  // or more than kMaxBatch; MALFORMED when an element does not decode or is the identity.
  static absl::StatusOr<ElementList> DecodeAll(std::string packed);

  // FromPoints encodes points that are at hand decoded, which saves decoding them. INVALID_ARGUMENT for none
  // or more than kMaxBatch; VERIFICATION_FAILED when one is the identity.
  static absl::StatusOr<ElementList> FromPoints(std::vector<group::PublicPoint> points);

  size_t size() const { return points_.size(); }
  absl::string_view packed() const { return packed_; }
  absl::string_view encoding(size_t i) const { return absl::string_view(packed_).substr(32 * i, 32); }
  const group::PublicPoint& point(size_t i) const { return points_[i]; }
  absl::Span<const group::PublicPoint> points() const { return points_; }

 private:
  std::string packed_;
  std::vector<group::PublicPoint> points_;
};

// What a key holder answers.
struct Evaluation {
  // k * B for each element, packed.
  std::string evaluated;
  // c || s, 64 bytes.
  std::string proof;
};

// BlindEvaluate of section 3.3.2 for a whole batch: evaluates every element and proves it against
// `public_key` = key * G. REQUIRES: key is not zero. VERIFICATION_FAILED when an element is no valid point.
absl::StatusOr<Evaluation> BlindEvaluate(const group::Scalar& key, const group::Element& public_key,
                                         const ElementList& blinded, base::Random& random);

// VerifyProof of section 2.2.2. `blinded` and `evaluated` have equal sizes. VERIFICATION_FAILED when the
// proof is wrong, has a non-canonical scalar, another length, or the sizes differ: one error for all.
absl::Status VerifyProof(const group::Element& public_key, const ElementList& blinded,
                         const ElementList& evaluated, absl::string_view proof);

}  // namespace raakvlak::crypto::oprf
