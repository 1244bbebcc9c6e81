#include "crypto/threshold/sharing.h"

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/group/public_point.h"

namespace raakvlak::crypto::threshold {
namespace {

using group::Element;
using group::PublicPoint;
using group::Scalar;

absl::Status InvalidArgument(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

}  // namespace

absl::Status CheckIndices(uint32_t quorum, absl::Span<const uint32_t> indices) {
  if (quorum < 2 || quorum > indices.size() || indices.size() > kMaxIndex) {
    return InvalidArgument("a quorum is 2 to the number of holders, of which there are at most 32");
  }
  uint64_t seen = 0;
  for (const uint32_t index : indices) {
    if (index < 1 || index > kMaxIndex) return InvalidArgument("an index is 1 to 32");
    const uint64_t bit = uint64_t{1} << index;
    if ((seen & bit) != 0) return InvalidArgument("an index occurs twice");
    seen |= bit;
  }
  return absl::OkStatus();
}

absl::StatusOr<Element> PublicShare(absl::Span<const Element> commitments, uint32_t index) {
  if (index < 1 || index > kMaxIndex) return InvalidArgument("an index is 1 to 32");
  if (commitments.size() < 2 || commitments.size() > kMaxIndex)
    return InvalidArgument("2 to 32 commitments are needed");
  PublicPoint sum;
  for (size_t j = commitments.size(); j-- > 0;) {
    sum = sum.MulSmall(index) + PublicPoint::FromElement(commitments[j]);
  }
  return sum.ToElement();
}

absl::Status CheckShare(absl::Span<const Element> commitments, uint32_t index, const Scalar& share) {
  RAAKVLAK_ASSIGN_OR_RETURN(const Element expected, PublicShare(commitments, index));
  // Of a share that fits this is public; of another one nothing but that is told.
  if (share.IsZero() || !base::ConstantTimeEquals(Element::MulBase(share).bytes(), expected.bytes())) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kVerificationFailed,
                       "a share does not fit its commitments");
  }
  return absl::OkStatus();
}

}  // namespace raakvlak::crypto::threshold
