#include "crypto/threshold/combine.h"

#include <limits>
#include <optional>
#include <utility>

#include "absl/numeric/int128.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/group/public_point.h"
#include "crypto/group/secret_point.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::crypto::threshold {
namespace {

using group::Element;
using group::PublicPoint;
using group::Scalar;
using group::SecretPoint;

absl::Status InvalidArgument(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

absl::uint128 GreatestCommonDivisor(absl::uint128 a, absl::uint128 b) {
  while (b != 0) a = std::exchange(b, a % b);
  return a;
}

Scalar ToScalar(absl::uint128 value) {
  const Scalar two_to_32 = Scalar::FromUint64(uint64_t{1} << 32);
  return Scalar::FromUint64(absl::Uint128High64(value)) * two_to_32 * two_to_32 +
         Scalar::FromUint64(absl::Uint128Low64(value));
}

// lambda_i = (negative ? -1 : 1) * magnitude / D.
struct Factor {
  bool negative;
  uint32_t magnitude;
};
struct Factors {
  std::vector<Factor> factors;
  Scalar denominator;
};

// The coefficients at 0 over their smallest common denominator D; nothing when a factor passes 32 bits, as
// happens for scattered sets of six and more (never for 1..t). REQUIRES: checked indices. Then nothing
// overflows: numerators divide 32!, and denominators and D divide 31! (a product of distinct distances below
// and above i divides (i-1)! (32-i)!).
std::optional<Factors> SmallFactors(absl::Span<const uint32_t> indices) {
  std::vector<absl::uint128> numerators;
  std::vector<absl::uint128> denominators;
  Factors out;
  absl::uint128 common = 1;
  for (const uint32_t i : indices) {
    absl::uint128 numerator = 1;
    absl::uint128 denominator = 1;
    bool negative = false;
    for (const uint32_t j : indices) {
      if (j == i) continue;
      numerator *= j;
      denominator *= j > i ? j - i : i - j;
      negative ^= j < i;
    }
    const absl::uint128 divisor = GreatestCommonDivisor(numerator, denominator);
    numerators.push_back(numerator / divisor);
    denominators.push_back(denominator / divisor);
    out.factors.push_back({negative, 0});
    common = common / GreatestCommonDivisor(common, denominators.back()) * denominators.back();
  }
  for (size_t i = 0; i < indices.size(); ++i) {
    const absl::uint128 scale = common / denominators[i];
    // The quotient, since the product may pass 128 bits.
    if (numerators[i] > std::numeric_limits<uint32_t>::max() / scale) return std::nullopt;
    out.factors[i].magnitude = static_cast<uint32_t>(numerators[i] * scale);
  }
  out.denominator = ToScalar(common);
  return out;
}

// D * Z[m]: interpolates element m, up to the common denominator.
PublicPoint Interpolate(const Factors& factors, absl::Span<const Partial> partials, size_t m) {
  PublicPoint sum;
  for (size_t i = 0; i < partials.size(); ++i) {
    const PublicPoint term = partials[i].evaluated->point(m).MulSmall(factors.factors[i].magnitude);
    sum = factors.factors[i].negative ? sum - term : sum + term;
  }
  return sum;
}

PublicPoint Interpolate(absl::Span<const Scalar> coefficients, absl::Span<const Partial> partials, size_t m) {
  std::vector<PublicPoint> points;
  for (const Partial& partial : partials) points.push_back(partial.evaluated->point(m));
  return group::MultiScalarMul(coefficients, points);
}

}  // namespace

absl::StatusOr<std::vector<Scalar>> Lagrange(absl::Span<const uint32_t> indices) {
  RAAKVLAK_RETURN_IF_ERROR(CheckIndices(2, indices));
  std::vector<Scalar> coefficients;
  std::vector<Scalar> denominators;
  for (const uint32_t i : indices) {
    Scalar numerator = Scalar::FromUint64(1);
    Scalar denominator = Scalar::FromUint64(1);
    for (const uint32_t j : indices) {
      if (j == i) continue;
      numerator = numerator * Scalar::FromUint64(j);
      denominator = denominator * (Scalar::FromUint64(j) - Scalar::FromUint64(i));
    }
    coefficients.push_back(numerator);
    denominators.push_back(denominator);
  }
  group::BatchInvert(absl::MakeSpan(denominators));
  for (size_t i = 0; i < indices.size(); ++i) coefficients[i] = coefficients[i] * denominators[i];
  return coefficients;
}

absl::StatusOr<std::vector<Element>> Combine(uint32_t quorum, absl::Span<const Partial> partials,
                                             absl::Span<const Scalar> blinds) {
  if (partials.size() != quorum) return InvalidArgument("another number of answers than the quorum");
  std::vector<uint32_t> indices;
  for (const Partial& partial : partials) {
    if (partial.evaluated->size() != blinds.size()) return InvalidArgument("answers of different sizes");
    indices.push_back(partial.index);
  }
  RAAKVLAK_RETURN_IF_ERROR(CheckIndices(quorum, indices));
  const std::optional<Factors> factors = SmallFactors(indices);
  std::vector<Scalar> coefficients;
  std::vector<Scalar> unblind(blinds.begin(), blinds.end());
  if (factors.has_value()) {
    for (Scalar& scalar : unblind) scalar = scalar * factors->denominator;
  } else {
    RAAKVLAK_ASSIGN_OR_RETURN(coefficients, Lagrange(indices));
  }
  group::BatchInvert(absl::MakeSpan(unblind));
  std::vector<Element> out;
  out.reserve(blinds.size());
  for (size_t m = 0; m < blinds.size(); ++m) {
    const PublicPoint combined =
        factors.has_value() ? Interpolate(*factors, partials, m) : Interpolate(coefficients, partials, m);
    if (combined.IsIdentity()) {
      return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kVerificationFailed,
                         "a combined point is the identity");
    }
    // The blind is secret, and so is what comes out.
    out.push_back(SecretPoint::FromPublic(combined).Mul(unblind[m]).ToElement());
  }
  return out;
}

}  // namespace raakvlak::crypto::threshold
