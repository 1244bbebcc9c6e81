// Disclosure shares: nobody opens a lone signal.
//
// f(X) = K + a_1 X + .. + a_{k-1} X^{k-1} mod L. The organisation with index i contributes share = f(i) and
// the commitments C_j = a_j * G. k distinct indices give K; fewer give nothing to one who never evaluated the
// identity. The opener checks share * G == sum i^j C_j first, so a wrong share is named and blocks nobody.
//
// Refused here as in `covenant verify`: k < 2, k > 32, index outside 1..32. Thread safety: all functions are
// pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::disclosure {

inline constexpr size_t kShareSize = 32;
inline constexpr size_t kCommitmentSize = 32;
inline constexpr uint32_t kMinThreshold = 2;
inline constexpr uint32_t kMaxThreshold = 32;

// CheckThreshold: INVALID_ARGUMENT unless 2 <= k <= 32. CheckIndex: INVALID_ARGUMENT unless 1 <= index <= 32.
absl::Status CheckThreshold(uint32_t disclosure_threshold);
absl::Status CheckIndex(uint32_t index);

// Commit returns C_0 .. C_{k-1}, 32 bytes each, concatenated. REQUIRES: no coefficient is zero.
std::string Commit(absl::Span<const group::Scalar> coefficients);

// Evaluate returns f(index). INVALID_ARGUMENT as CheckIndex and CheckThreshold (of the number of
// coefficients).
absl::StatusOr<group::Scalar> EvaluateShare(absl::Span<const group::Scalar> coefficients, uint32_t index);

struct IndexedShare {
  uint32_t index;
  // 32 bytes.
  std::string share;
};

struct Recovered {
  // K.
  group::Scalar secret;
  // Positions in the list handed in whose share does not fit the commitments.
  std::vector<size_t> faulty;
};

// Recover verifies every share, then interpolates K from k distinct indices of the good ones and checks K * G
// == C_0. THRESHOLD_NOT_MET when fewer than k distinct indices have a good share (the good shares of one
// index count once); INVALID_ARGUMENT for a wrong index, threshold or number of commitments;
// VERIFICATION_FAILED when a commitment is no valid point or the identity (that blames all who carry it, not
// one position), or K does not fit C_0. `out_faulty` names bad positions also when there are too few good
// ones; it may be null.
absl::StatusOr<Recovered> Recover(absl::Span<const IndexedShare> shares, absl::string_view commitments,
                                  uint32_t disclosure_threshold, std::vector<size_t>* out_faulty);

}  // namespace raakvlak::crypto::disclosure
