#include "crypto/group/secret_point.h"

#include "base/bytes.h"
#include "base/status.h"

namespace raakvlak::crypto::group {
namespace {

constexpr size_t kUniformSize = 2 * DECAF_255_HASH_BYTES;

}  // namespace

SecretPoint::~SecretPoint() { decaf_255_point_destroy(point_); }

SecretPoint SecretPoint::FromUniform(absl::string_view bytes) {
  RAAKVLAK_CHECK(bytes.size() == kUniformSize, "64 bytes are mapped");
  SecretPoint out;
  decaf_255_point_from_hash_uniform(out.point_, base::AsBytes(bytes));
  return out;
}

SecretPoint SecretPoint::FromPublic(const PublicPoint& point) {
  SecretPoint out;
  decaf_255_point_copy(out.point_, point.point_);
  return out;
}

SecretPoint SecretPoint::Mul(const Scalar& scalar) const {
  decaf_255_scalar_t factor;
  // Not decaf_255_scalar_decode: it returns whether the scalar was reduced, which is nothing to branch on.
  decaf_255_scalar_decode_long(factor, scalar.data(), kScalarSize);
  SecretPoint out;
  decaf_255_point_scalarmul(out.point_, point_, factor);
  decaf_255_scalar_destroy(factor);
  return out;
}

bool SecretPoint::IsIdentity() const {
  return decaf_255_point_eq(point_, decaf_255_point_identity) == DECAF_TRUE;
}

Element SecretPoint::ToElement() const {
  RAAKVLAK_CHECK(!IsIdentity(), "the point is not the identity");
  Element out;
  decaf_255_point_encode(out.bytes_.data(), point_);
  return out;
}

PublicPoint SecretPoint::Publish() const {
  PublicPoint out;
  decaf_255_point_copy(out.point_, point_);
  return out;
}

}  // namespace raakvlak::crypto::group
