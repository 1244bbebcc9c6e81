#include "tests/support/split.h"

#include "base/reason.h"
#include "base/status.h"
#include "crypto/threshold/sharing.h"

namespace raakvlak::testing {

using crypto::group::Element;
using crypto::group::Scalar;

absl::StatusOr<Sharing> Split(const Scalar& key, uint32_t quorum, absl::Span<const uint32_t> indices,
                              base::Random& random) {
  RAAKVLAK_RETURN_IF_ERROR(crypto::threshold::CheckIndices(quorum, indices));
  if (key.IsZero()) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, "the key is zero");
  }
  std::vector<Scalar> coefficients = {key};
  while (coefficients.size() < quorum) coefficients.push_back(Scalar::Random(random));
  Sharing out;
  for (const Scalar& coefficient : coefficients) out.commitments.push_back(Element::MulBase(coefficient));
  for (const uint32_t index : indices) {
    const Scalar x = Scalar::FromUint64(index);
    Scalar share;
    for (size_t j = quorum; j-- > 0;) share = share * x + coefficients[j];
    out.shares.push_back(share);
  }
  return out;
}

}  // namespace raakvlak::testing
