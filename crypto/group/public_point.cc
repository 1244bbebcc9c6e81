#include "crypto/group/public_point.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::group {
namespace {

// Fewer points than this are multiplied one by one: filling buckets would cost more
// (tests/bench/token_bench.cc).
constexpr size_t kPlainLimit = 4;
// L is barely over 2^252. The last window also takes bit 252.
constexpr size_t kScalarBits = 252;
constexpr size_t kMaxWindow = 12;

void DecodeScalar(const Scalar& scalar, decaf_255_scalar_t out) {
  RAAKVLAK_CHECK(decaf_255_scalar_decode(out, scalar.data()) == DECAF_SUCCESS, "a scalar is canonical");
}

size_t NumWindows(size_t window) { return (kScalarBits + window - 1) / window; }

// The window in bits that minimises the number of additions. Every window takes one addition a point, and for
// each of the 2^(window - 1) buckets two, less the one that a bucket's first point does not cost.
size_t ChooseWindow(size_t num_points) {
  const auto cost = [num_points](size_t window) {
    return NumWindows(window) * (num_points + (size_t{1} << (window - 1)));
  };
  size_t best = 2;
  for (size_t window = 3; window <= kMaxWindow; ++window) {
    if (cost(window) < cost(best)) best = window;
  }
  return best;
}

// `count` bits of a little-endian number from bit `from`; bits past the end are zero. REQUIRES: count <= 16.
int32_t Bits(const uint8_t* bytes, size_t from, size_t count) {
  uint32_t word = 0;
  for (size_t i = 0; i < 3 && from / 8 + i < kScalarSize; ++i)
    word |= uint32_t{bytes[from / 8 + i]} << (8 * i);
  return static_cast<int32_t>((word >> (from % 8)) & ((uint32_t{1} << count) - 1));
}

// Signed digits, all first digits, then all second ones and so on: scalar[i] = sum digit[w * n + i] * 2^(w *
// window). Digits are in -2^(window-1) .. 2^(window-1), but the last is 0 .. 2^window, which takes the carry
// and bit 252.
std::vector<int16_t> Recode(absl::Span<const Scalar> scalars, size_t window) {
  const size_t num_windows = NumWindows(window);
  const int32_t half = 1 << (window - 1);
  std::vector<int16_t> digits(num_windows * scalars.size());
  for (size_t i = 0; i < scalars.size(); ++i) {
    int32_t carry = 0;
    for (size_t w = 0; w < num_windows; ++w) {
      const bool last = w + 1 == num_windows;
      int32_t digit = Bits(scalars[i].data(), w * window, last ? window + 1 : window) + carry;
      carry = !last && digit > half ? 1 : 0;
      digit -= carry << window;
      digits[w * scalars.size() + i] = static_cast<int16_t>(digit);
    }
  }
  return digits;
}

}  // namespace

PublicPoint::PublicPoint() { decaf_255_point_copy(point_, decaf_255_point_identity); }

absl::StatusOr<PublicPoint> PublicPoint::Decode(absl::string_view bytes) {
  PublicPoint out;
  if (bytes.size() != kElementSize || (base::AsBytes(bytes)[kElementSize - 1] & 0x80) != 0 ||
      decaf_255_point_decode(out.point_, base::AsBytes(bytes), DECAF_FALSE) != DECAF_SUCCESS) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, "not a group element");
  }
  return out;
}

PublicPoint PublicPoint::FromElement(const Element& element) {
  absl::StatusOr<PublicPoint> out = Decode(element.bytes());
  RAAKVLAK_CHECK(out.ok(), "an Element decodes");
  return *std::move(out);
}

PublicPoint PublicPoint::Generator() {
  PublicPoint out;
  decaf_255_point_copy(out.point_, decaf_255_point_base);
  return out;
}

PublicPoint PublicPoint::operator+(const PublicPoint& other) const {
  PublicPoint out;
  decaf_255_point_add(out.point_, point_, other.point_);
  return out;
}

PublicPoint PublicPoint::operator-(const PublicPoint& other) const {
  PublicPoint out;
  decaf_255_point_sub(out.point_, point_, other.point_);
  return out;
}

PublicPoint PublicPoint::MulSmall(uint64_t factor) const {
  PublicPoint out;
  if (factor == 0) return out;
  out = *this;
  for (int bit = 62 - __builtin_clzll(factor); bit >= 0; --bit) {
    decaf_255_point_double(out.point_, out.point_);
    if ((factor >> bit) & 1) decaf_255_point_add(out.point_, out.point_, point_);
  }
  return out;
}

PublicPoint PublicPoint::Mul(const Scalar& scalar) const {
  decaf_255_scalar_t factor;
  DecodeScalar(scalar, factor);
  PublicPoint out;
  decaf_255_base_double_scalarmul_non_secret(out.point_, decaf_255_scalar_zero, point_, factor);
  return out;
}

bool PublicPoint::IsIdentity() const {
  return decaf_255_point_eq(point_, decaf_255_point_identity) == DECAF_TRUE;
}

bool PublicPoint::operator==(const PublicPoint& other) const {
  return decaf_255_point_eq(point_, other.point_) == DECAF_TRUE;
}

std::string PublicPoint::Encode() const {
  std::string out(kElementSize, '\0');
  decaf_255_point_encode(base::AsMutableBytes(out), point_);
  return out;
}

absl::StatusOr<Element> PublicPoint::ToElement() const {
  Element out;
  decaf_255_point_encode(out.bytes_.data(), point_);
  if (out.bytes_ == std::array<uint8_t, kElementSize>{}) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kVerificationFailed,
                       "a point is the identity");
  }
  return out;
}

PublicPoint MultiScalarMul(absl::Span<const Scalar> scalars, absl::Span<const PublicPoint> points) {
  RAAKVLAK_CHECK(scalars.size() == points.size(), "one scalar a point");
  const size_t n = points.size();
  PublicPoint sum;
  if (n < kPlainLimit) {
    for (size_t i = 0; i < n; ++i) sum = sum + points[i].Mul(scalars[i]);
    return sum;
  }
  const size_t window = ChooseWindow(n);
  const std::vector<int16_t> digits = Recode(scalars, window);
  // buckets[d] is the sum of the points whose digit is d, less those whose digit is -d.
  std::vector<PublicPoint> buckets((size_t{1} << window) + 1);
  std::vector<uint8_t> filled(buckets.size());
  for (size_t w = NumWindows(window); w-- > 0;) {
    for (size_t i = 0; i < window; ++i) decaf_255_point_double(sum.point_, sum.point_);
    std::fill(filled.begin(), filled.end(), uint8_t{0});
    size_t highest = 0;
    for (size_t i = 0; i < n; ++i) {
      const int digit = digits[w * n + i];
      if (digit == 0) continue;
      const size_t d = static_cast<size_t>(std::abs(digit));
      decaf_255_point_s* bucket = buckets[d].point_;
      if (filled[d] != 0) {
        (digit > 0 ? decaf_255_point_add : decaf_255_point_sub)(bucket, bucket, points[i].point_);
      } else if (digit > 0) {
        decaf_255_point_copy(bucket, points[i].point_);
      } else {
        decaf_255_point_negate(bucket, points[i].point_);
      }
      filled[d] = 1;
      highest = std::max(highest, d);
    }
    // sum d * buckets[d] = the sum of all partial sums from the highest bucket down.
    PublicPoint partial;
    for (size_t d = highest; d > 0; --d) {
      if (filled[d] != 0) decaf_255_point_add(partial.point_, partial.point_, buckets[d].point_);
      decaf_255_point_add(sum.point_, sum.point_, partial.point_);
    }
  }
  return sum;
}

}  // namespace raakvlak::crypto::group
