#include "crypto/group/element.h"

#include <sodium.h>

#include <cstring>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::group {
namespace {

absl::Status NotAnElement() {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, "not a group element");
}

// What libsodium 1.0.18 does not refuse itself.
bool HasPlausibleForm(absl::string_view bytes) {
  return bytes.size() == kElementSize && (base::AsBytes(bytes)[kElementSize - 1] & 0x80) == 0;
}

}  // namespace

absl::StatusOr<Element> Element::Decode(absl::string_view bytes) {
  if (!HasPlausibleForm(bytes) || crypto_core_ristretto255_is_valid_point(base::AsBytes(bytes)) != 1 ||
      sodium_is_zero(base::AsBytes(bytes), kElementSize) == 1) {
    return NotAnElement();
  }
  Element out;
  std::memcpy(out.bytes_.data(), bytes.data(), kElementSize);
  return out;
}

Element Element::MulBase(const Scalar& scalar) {
  Element out;
  RAAKVLAK_CHECK(crypto_scalarmult_ristretto255_base(out.bytes_.data(), scalar.data()) == 0,
                 "a non-zero multiple of the generator is not the identity");
  return out;
}

Element Element::Generator() { return MulBase(Scalar::FromUint64(1)); }

Element Element::Mul(const Scalar& scalar) const {
  Element out;
  RAAKVLAK_CHECK(crypto_scalarmult_ristretto255(out.bytes_.data(), scalar.data(), data()) == 0,
                 "a non-zero multiple of an element is not the identity");
  return out;
}

absl::StatusOr<Element> Element::DecodeAndMul(absl::string_view bytes, const Scalar& scalar) {
  RAAKVLAK_CHECK(!scalar.IsZero(), "the scalar is not zero");
  Element out;
  if (!HasPlausibleForm(bytes) ||
      crypto_scalarmult_ristretto255(out.bytes_.data(), scalar.data(), base::AsBytes(bytes)) != 0) {
    return NotAnElement();
  }
  return out;
}

}  // namespace raakvlak::crypto::group
