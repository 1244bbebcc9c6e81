// The polynomial of a contributor. Thread safety: pure.
#pragma once

#include "absl/types/span.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::ceremony {

// EvaluateAt returns the value at `index` of the polynomial with these coefficients, the constant first. In
// constant time in their values.
inline group::Scalar EvaluateAt(absl::Span<const group::Scalar> polynomial, uint32_t index) {
  const group::Scalar x = group::Scalar::FromUint64(index);
  group::Scalar value;
  for (size_t m = polynomial.size(); m-- > 0;) value = value * x + polynomial[m];
  return value;
}

}  // namespace raakvlak::crypto::ceremony
