#include "crypto/oprf/proof.h"

#include <utility>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/oprf/expand.h"

namespace raakvlak::crypto::oprf {
namespace {

using group::Element;
using group::PublicPoint;
using group::Scalar;

absl::Status ProofFailed() {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kVerificationFailed,
                     "the proof does not verify");
}

absl::Status WrongBatchSize() {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                     "a batch has 1 to 2048 elements of 32 bytes");
}

std::string Sha512(absl::string_view bytes) {
  std::string out(crypto_hash_sha512_BYTES, '\0');
  crypto_hash_sha512(base::AsMutableBytes(out), base::AsBytes(bytes), bytes.size());
  return out;
}

// The scalars d_i of ComputeComposites, section 2.2.1; C is `blinded`, D is `evaluated` (packed).
std::vector<Scalar> CompositeScalars(const Element& public_key, absl::string_view blinded,
                                     absl::string_view evaluated) {
  const std::string seed =
      Sha512(base::LengthPrefixed(public_key.bytes()) +
             base::LengthPrefixed("Seed-" + std::string(kContextString, kContextStringSize)));
  // "compositeTranscript = I2OSP(len(seed), 2) || seed || I2OSP(i, 2) || I2OSP(len(Ci), 2) || Ci ||
  // I2OSP(len(Di), 2) || Di || "Composite""
  const Expander::Message begun = ScalarExpander().Start().Add(base::LengthPrefixed(seed));
  const absl::string_view element_size("\x00\x20", 2);
  const size_t n = blinded.size() / group::kElementSize;
  std::vector<Scalar> scalars;
  scalars.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    const char index[] = {static_cast<char>(i >> 8), static_cast<char>(i & 0xff)};
    Expander::Message message = begun;
    message.Add(absl::string_view(index, 2));
    message.Add(element_size).Add(blinded.substr(group::kElementSize * i, group::kElementSize));
    message.Add(element_size).Add(evaluated.substr(group::kElementSize * i, group::kElementSize));
    scalars.push_back(Scalar::FromWide(message.Add("Composite").Finish()));
  }
  return scalars;
}

// "challengeTranscript = I2OSP(len(Bm), 2) || Bm || .. || I2OSP(len(a3), 2) || a3 || "Challenge"": Bm, M, Z,
// t2, t3.
Scalar Challenge(absl::string_view public_key, absl::string_view m, absl::string_view z, absl::string_view t2,
                 absl::string_view t3) {
  Expander::Message message = ScalarExpander().Start();
  for (const absl::string_view part : {public_key, m, z, t2, t3}) message.Add(base::LengthPrefixed(part));
  return Scalar::FromWide(message.Add("Challenge").Finish());
}

}  // namespace

absl::StatusOr<ElementList> ElementList::DecodeAll(std::string packed) {
  if (packed.empty() || packed.size() % group::kElementSize != 0 ||
      packed.size() / group::kElementSize > kMaxBatch) {
    return WrongBatchSize();
  }
  ElementList out;
  out.packed_ = std::move(packed);
  const size_t n = out.packed_.size() / group::kElementSize;
  out.points_.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    const absl::StatusOr<PublicPoint> point = PublicPoint::Decode(out.encoding(i));
    if (!point.ok()) return point.status();
    out.points_.push_back(*point);
  }
  return out;
}

absl::StatusOr<ElementList> ElementList::FromPoints(std::vector<PublicPoint> points) {
  if (points.empty() || points.size() > kMaxBatch) return WrongBatchSize();
  ElementList out;
  out.packed_.reserve(points.size() * group::kElementSize);
  for (const PublicPoint& point : points) {
    RAAKVLAK_ASSIGN_OR_RETURN(const Element element, point.ToElement());
    out.packed_.append(element.bytes().data(), group::kElementSize);
  }
  out.points_ = std::move(points);
  return out;
}

absl::StatusOr<Evaluation> BlindEvaluate(const Scalar& key, const Element& public_key,
                                         const ElementList& blinded, base::Random& random) {
  Evaluation out;
  out.evaluated.reserve(blinded.packed().size());
  for (size_t i = 0; i < blinded.size(); ++i) {
    const absl::StatusOr<Element> element = Element::DecodeAndMul(blinded.encoding(i), key);
    if (!element.ok()) {
      return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kVerificationFailed,
                         "not a group element");
    }
    out.evaluated.append(element->bytes().data(), group::kElementSize);
  }
  const std::vector<Scalar> scalars = CompositeScalars(public_key, blinded.packed(), out.evaluated);
  // ComputeCompositesFast: Z = k * M. M is public; from here on the key and r are in play, so libsodium.
  RAAKVLAK_ASSIGN_OR_RETURN(const Element m, group::MultiScalarMul(scalars, blinded.points()).ToElement());
  const Element z = m.Mul(key);
  const Scalar r = Scalar::Random(random);
  const Element t2 = Element::MulBase(r);
  const Element t3 = m.Mul(r);
  const Scalar c = Challenge(public_key.bytes(), m.bytes(), z.bytes(), t2.bytes(), t3.bytes());
  const Scalar s = r - c * key;
  out.proof = c.Encode() + s.Encode();
  return out;
}

absl::Status VerifyProof(const Element& public_key, const ElementList& blinded, const ElementList& evaluated,
                         absl::string_view proof) {
  if (blinded.size() != evaluated.size() || proof.size() != kProofSize) return ProofFailed();
  const absl::StatusOr<Scalar> c = Scalar::Decode(proof.substr(0, group::kScalarSize));
  const absl::StatusOr<Scalar> s = Scalar::Decode(proof.substr(group::kScalarSize));
  if (!c.ok() || !s.ok()) return ProofFailed();
  const std::vector<Scalar> scalars = CompositeScalars(public_key, blinded.packed(), evaluated.packed());
  const PublicPoint m = group::MultiScalarMul(scalars, blinded.points());
  const PublicPoint z = group::MultiScalarMul(scalars, evaluated.points());
  // "t2 = ((s * A) + (c * B)); t3 = ((s * M) + (c * Z))"
  const PublicPoint t2 = PublicPoint::Generator().Mul(*s) + PublicPoint::FromElement(public_key).Mul(*c);
  const PublicPoint t3 = m.Mul(*s) + z.Mul(*c);
  const Scalar expected = Challenge(public_key.bytes(), m.Encode(), z.Encode(), t2.Encode(), t3.Encode());
  return expected == *c ? absl::OkStatus() : ProofFailed();
}

}  // namespace raakvlak::crypto::oprf
