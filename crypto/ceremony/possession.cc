#include "crypto/ceremony/possession.h"

#include <sodium.h>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/group/public_point.h"

namespace raakvlak::crypto::ceremony {
namespace {

using group::Element;
using group::PublicPoint;
using group::Scalar;

// DO NOT CHANGE.
constexpr char kPossessionLabel[] = "raakvlak/v1/ceremony/possession";

Scalar Challenge(absl::string_view session_id, uint32_t contributor, absl::string_view commitments,
                 absl::string_view r) {
  const std::string message = absl::StrCat(base::LengthPrefixed(kPossessionLabel), session_id,
                                           base::BigEndian(contributor, 1), commitments, r);
  std::string digest(crypto_hash_sha512_BYTES, '\0');
  crypto_hash_sha512(base::AsMutableBytes(digest), base::AsBytes(message), message.size());
  return Scalar::FromWide(digest);
}

}  // namespace

std::string ProvePossession(const Scalar& secret, absl::string_view session_id, uint32_t contributor,
                            absl::string_view commitments, base::Random& random) {
  const Scalar r = Scalar::Random(random);
  const Scalar c = Challenge(session_id, contributor, commitments, Element::MulBase(r).bytes());
  const Scalar s = r - c * secret;
  return c.Encode() + s.Encode();
}

absl::Status VerifyPossession(absl::string_view proof, absl::string_view session_id, uint32_t contributor,
                              absl::string_view commitments) {
  const auto failed = [] {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kVerificationFailed,
                       "a proof of possession does not verify");
  };
  if (proof.size() != 2 * group::kScalarSize) return failed();
  const auto c = Scalar::Decode(proof.substr(0, group::kScalarSize));
  const auto s = Scalar::Decode(proof.substr(group::kScalarSize));
  const auto first = PublicPoint::Decode(commitments.substr(0, group::kElementSize));
  if (!c.ok() || !s.ok() || !first.ok()) return failed();
  const PublicPoint r = PublicPoint::Generator().Mul(*s) + first->Mul(*c);
  return Challenge(session_id, contributor, commitments, r.Encode()) == *c ? absl::OkStatus() : failed();
}

}  // namespace raakvlak::crypto::ceremony
