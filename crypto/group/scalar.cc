#include "crypto/group/scalar.h"

#include <sodium.h>

#include <cstring>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::group {
namespace {

// L = 2^252 + 27742317777372353535851937790883648493, little-endian.
constexpr std::array<uint8_t, kScalarSize> kOrder = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10};

// The last borrow of bytes - L: set when bytes < L. No branch on the bytes, since shares pass here too.
bool BelowOrder(const uint8_t* bytes) {
  unsigned borrow = 0;
  for (size_t i = 0; i < kScalarSize; ++i) borrow = ((unsigned{bytes[i]} - kOrder[i] - borrow) >> 8) & 1;
  return borrow == 1;
}

}  // namespace

Scalar::~Scalar() { sodium_memzero(bytes_.data(), bytes_.size()); }

absl::StatusOr<Scalar> Scalar::Decode(absl::string_view bytes) {
  if (bytes.size() != kScalarSize || !BelowOrder(base::AsBytes(bytes))) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       "not a canonical scalar");
  }
  Scalar out;
  std::memcpy(out.bytes_.data(), bytes.data(), kScalarSize);
  return out;
}

absl::StatusOr<Scalar> Scalar::DecodeNonZero(absl::string_view bytes) {
  absl::StatusOr<Scalar> out = Decode(bytes);
  if (out.ok() && out->IsZero()) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, "a scalar is zero");
  }
  return out;
}

Scalar Scalar::FromWide(absl::string_view bytes) {
  RAAKVLAK_CHECK(bytes.size() == crypto_core_ristretto255_NONREDUCEDSCALARBYTES, "64 bytes are reduced");
  Scalar out;
  crypto_core_ristretto255_scalar_reduce(out.bytes_.data(), base::AsBytes(bytes));
  return out;
}

Scalar Scalar::FromUint64(uint64_t value) {
  Scalar out;
  for (size_t i = 0; i < 8; ++i) out.bytes_[i] = static_cast<uint8_t>(value >> (8 * i));
  return out;
}

Scalar Scalar::Random(base::Random& random) {
  std::array<uint8_t, crypto_core_ristretto255_NONREDUCEDSCALARBYTES> wide;
  Scalar out;
  do {
    random.Fill(wide.data(), wide.size());
    out = FromWide(base::AsView(wide));
  } while (out.IsZero());
  sodium_memzero(wide.data(), wide.size());
  return out;
}

std::string Scalar::Encode() const { return std::string(base::AsView(bytes_)); }

bool Scalar::IsZero() const { return sodium_is_zero(bytes_.data(), bytes_.size()) == 1; }

bool Scalar::operator==(const Scalar& other) const {
  return sodium_memcmp(bytes_.data(), other.bytes_.data(), kScalarSize) == 0;
}

Scalar Scalar::operator+(const Scalar& other) const {
  Scalar out;
  crypto_core_ristretto255_scalar_add(out.bytes_.data(), data(), other.data());
  return out;
}

Scalar Scalar::operator-(const Scalar& other) const {
  Scalar out;
  crypto_core_ristretto255_scalar_sub(out.bytes_.data(), data(), other.data());
  return out;
}

Scalar Scalar::operator*(const Scalar& other) const {
  Scalar out;
  crypto_core_ristretto255_scalar_mul(out.bytes_.data(), data(), other.data());
  return out;
}

Scalar Scalar::Invert() const {
  Scalar out;
  RAAKVLAK_CHECK(crypto_core_ristretto255_scalar_invert(out.bytes_.data(), data()) == 0,
                 "zero has no inverse");
  return out;
}

void BatchInvert(absl::Span<Scalar> scalars) {
  if (scalars.empty()) return;
  // before[i] is the product of scalars[0 .. i-1].
  std::vector<Scalar> before;
  before.reserve(scalars.size());
  Scalar product = Scalar::FromUint64(1);
  for (const Scalar& scalar : scalars) {
    before.push_back(product);
    product = product * scalar;
  }
  Scalar inverse = product.Invert();
  for (size_t i = scalars.size(); i-- > 0;) {
    const Scalar rest = inverse * scalars[i];
    scalars[i] = inverse * before[i];
    inverse = rest;
  }
}

}  // namespace raakvlak::crypto::group
