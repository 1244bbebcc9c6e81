// From the OPRF output y to everything a token holds (docs/format/token.md). DO NOT CHANGE.
//
//   d(label, n) = HMAC-SHA-512(y, lp("raakvlak/v1/" || label) || ctx' || 0x01)[:n]
//   tag = d("tag", 16); K = a_0 = d("coef-0", 64) mod L; a_j = d("coef-<j>", 64) mod L, j = 1 .. k-1
//   wrap key = HMAC-SHA-512(K as 32 bytes little-endian, lp("raakvlak/v1/wrap") || ctx' || tag)[:32]
//
// The 64 bytes of a coefficient are little-endian; <j> is decimal; a coefficient that is zero is an error.
//
// Whoever has y knows f completely. Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::disclosure {

inline constexpr size_t kTagSize = 16;
inline constexpr size_t kWrapKeySize = 32;

struct TokenSecrets {
  // 16 bytes, public once submitted.
  std::string tag;
  // a_0 = K .. a_{k-1}.
  std::vector<group::Scalar> coefficients;
};

// Derive computes tag and coefficients. `output` is y, 64 bytes; `extended_context` is ctx'.
// INVALID_ARGUMENT for another size or k outside 2..32; INTERNAL when a coefficient is zero (probability
// 2^-252).
absl::StatusOr<TokenSecrets> Derive(const base::SecretBytes& output, absl::string_view extended_context,
                                    uint32_t disclosure_threshold);

// DeriveTag computes the tag alone, for SUPPORTING rules.
absl::StatusOr<std::string> DeriveTag(const base::SecretBytes& output, absl::string_view extended_context);

// WrapKey derives the key that wraps content keys, 32 bytes, from K = a_0.
base::SecretBytes WrapKey(const group::Scalar& k, absl::string_view extended_context, absl::string_view tag);

}  // namespace raakvlak::crypto::disclosure
