#include "crypto/disclosure/share.h"

#include <algorithm>

#include "base/reason.h"
#include "base/status.h"
#include "crypto/group/element.h"
#include "crypto/group/public_point.h"
#include "crypto/threshold/combine.h"

namespace raakvlak::crypto::disclosure {
namespace {

using group::PublicPoint;
using group::Scalar;

constexpr uint32_t kMinIndex = 1;
constexpr uint32_t kMaxIndex = 32;

absl::Status InvalidArgument(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

absl::Status VerificationFailed(absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed, message);
}

absl::StatusOr<std::vector<PublicPoint>> DecodeCommitments(absl::string_view commitments,
                                                           uint32_t disclosure_threshold) {
  RAAKVLAK_RETURN_IF_ERROR(CheckThreshold(disclosure_threshold));
  // A longer list would raise the threshold, a shorter one lower it.
  if (commitments.size() != size_t{disclosure_threshold} * kCommitmentSize) {
    return InvalidArgument("there are not k commitments");
  }
  std::vector<PublicPoint> points;
  points.reserve(disclosure_threshold);
  for (size_t j = 0; j < disclosure_threshold; ++j) {
    absl::StatusOr<PublicPoint> point =
        PublicPoint::Decode(commitments.substr(j * kCommitmentSize, kCommitmentSize));
    if (!point.ok()) return VerificationFailed("a commitment is no valid group element");
    points.push_back(*point);
  }
  return points;
}

// share * G == sum i^j C_j, the sum by Horner's rule. Shares and commitments are public here: they stand in
// the token.
bool ShareFits(const Scalar& share, uint32_t index, absl::Span<const PublicPoint> commitments) {
  PublicPoint sum = commitments.back();
  for (size_t j = commitments.size() - 1; j-- > 0;) sum = sum.MulSmall(index) + commitments[j];
  return PublicPoint::Generator().Mul(share) == sum;
}

}  // namespace

absl::Status CheckThreshold(uint32_t disclosure_threshold) {
  if (disclosure_threshold >= kMinThreshold && disclosure_threshold <= kMaxThreshold) return absl::OkStatus();
  return InvalidArgument("a disclosure threshold is 2 to 32");
}

absl::Status CheckIndex(uint32_t index) {
  if (index >= kMinIndex && index <= kMaxIndex) return absl::OkStatus();
  return InvalidArgument("an organisation's index is 1 to 32");
}

std::string Commit(absl::Span<const Scalar> coefficients) {
  std::string out;
  out.reserve(coefficients.size() * kCommitmentSize);
  for (const Scalar& coefficient : coefficients) {
    const group::Element commitment = group::Element::MulBase(coefficient);
    out.append(commitment.bytes().data(), kCommitmentSize);
  }
  return out;
}

absl::StatusOr<Scalar> EvaluateShare(absl::Span<const Scalar> coefficients, uint32_t index) {
  RAAKVLAK_RETURN_IF_ERROR(CheckIndex(index));
  if (coefficients.size() < kMinThreshold || coefficients.size() > kMaxThreshold) {
    return InvalidArgument("a disclosure threshold is 2 to 32");
  }
  const Scalar x = Scalar::FromUint64(index);
  Scalar value = coefficients.back();
  for (size_t j = coefficients.size() - 1; j-- > 0;) value = value * x + coefficients[j];
  return value;
}

absl::StatusOr<Recovered> Recover(absl::Span<const IndexedShare> shares, absl::string_view commitments,
                                  uint32_t disclosure_threshold, std::vector<size_t>* out_faulty) {
  if (out_faulty != nullptr) out_faulty->clear();
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<PublicPoint> points,
                            DecodeCommitments(commitments, disclosure_threshold));
  for (const IndexedShare& share : shares) RAAKVLAK_RETURN_IF_ERROR(CheckIndex(share.index));
  std::vector<size_t> faulty;
  std::vector<uint32_t> indices;
  std::vector<Scalar> values;
  for (size_t position = 0; position < shares.size(); ++position) {
    const uint32_t index = shares[position].index;
    const absl::StatusOr<Scalar> value = Scalar::Decode(shares[position].share);
    if (!value.ok() || !ShareFits(*value, index, points)) {
      faulty.push_back(position);
      continue;
    }
    // Organisations count, not shares.
    const bool seen = std::find(indices.begin(), indices.end(), index) != indices.end();
    if (seen || indices.size() == disclosure_threshold) continue;
    indices.push_back(index);
    values.push_back(*value);
  }
  if (out_faulty != nullptr) *out_faulty = faulty;
  if (indices.size() < disclosure_threshold) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kThresholdNotMet,
                       "fewer organisations than the disclosure threshold have a valid share");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<Scalar> lagrange, threshold::Lagrange(indices));
  Scalar secret;
  for (size_t i = 0; i < indices.size(); ++i) secret = secret + lagrange[i] * values[i];
  if (secret.IsZero() || group::Element::MulBase(secret).bytes() != commitments.substr(0, kCommitmentSize)) {
    return VerificationFailed("the recovered secret does not fit its commitment");
  }
  return Recovered{secret, std::move(faulty)};
}

}  // namespace raakvlak::crypto::disclosure
