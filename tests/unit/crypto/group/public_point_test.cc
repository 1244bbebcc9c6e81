// Everything here compares libdecaf with libsodium, which shares no code with it.
#include "crypto/group/public_point.h"

#include <sodium.h>

#include <algorithm>
#include <vector>

#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::group {
namespace {

using base::testing::HasReason;
using base::testing::SeededRandom;

const std::string kIdentity(32, '\0');

Scalar MinusOne() { return Scalar() - Scalar::FromUint64(1); }

// The naive twin: libsodium on the wire format. The identity is 32 zero bytes.
std::string NaiveMultiScalarMul(const std::vector<Scalar>& scalars, const std::vector<std::string>& points) {
  std::string sum = kIdentity;
  for (size_t i = 0; i < points.size(); ++i) {
    if (scalars[i].IsZero() || points[i] == kIdentity) continue;
    std::string term(32, '\0');
    EXPECT_EQ(crypto_scalarmult_ristretto255(base::AsMutableBytes(term), scalars[i].data(),
                                             base::AsBytes(points[i])),
              0);
    std::string next(32, '\0');
    EXPECT_EQ(
        crypto_core_ristretto255_add(base::AsMutableBytes(next), base::AsBytes(sum), base::AsBytes(term)), 0);
    sum = next;
  }
  return sum;
}

struct Terms {
  std::vector<Scalar> scalars;
  std::vector<std::string> points;

  void Add(const Scalar& scalar, const std::string& point) {
    scalars.push_back(scalar);
    points.push_back(point);
  }
  std::string Fast() const {
    std::vector<PublicPoint> decoded;
    for (const std::string& point : points) {
      decoded.push_back(point == kIdentity ? PublicPoint() : PublicPoint::Decode(point).value());
    }
    return MultiScalarMul(scalars, decoded).Encode();
  }
  std::string Naive() const { return NaiveMultiScalarMul(scalars, points); }
};

Terms RandomTerms(size_t n, base::Random& random) {
  Terms terms;
  for (size_t i = 0; i < n; ++i) {
    terms.Add(Scalar::Random(random), Element::MulBase(Scalar::Random(random)).Encode());
  }
  return terms;
}

TEST(MultiScalarMulTest, RandomTermsEqualTheNaiveSum) {
  SeededRandom random(10);
  // Every size to 20 crosses the change from plain sums to buckets; the others use each window width that
  // occurs.
  for (size_t n = 0; n <= 20; ++n) {
    const Terms terms = RandomTerms(n, random);
    EXPECT_EQ(terms.Fast(), terms.Naive()) << n;
  }
  for (const size_t n : {50, 100, 300, 700, 2000}) {
    const Terms terms = RandomTerms(n, random);
    EXPECT_EQ(terms.Fast(), terms.Naive()) << n;
  }
}

TEST(MultiScalarMulTest, NoTermsAreTheIdentity) { EXPECT_TRUE(MultiScalarMul({}, {}).IsIdentity()); }

TEST(MultiScalarMulTest, ExtremeScalarsEqualTheNaiveSum) {
  SeededRandom random(11);
  std::vector<Scalar> extremes = {Scalar(), Scalar::FromUint64(1), Scalar::FromUint64(2), MinusOne(),
                                  MinusOne() - Scalar::FromUint64(1)};
  // 2^i and 2^i - 1 put a digit and a carry at every place, bit 252 included.
  Scalar power = Scalar::FromUint64(1);
  for (int i = 0; i < 253; ++i) {
    extremes.push_back(power);
    extremes.push_back(power - Scalar::FromUint64(1));
    power = power + power;
  }
  for (const size_t n : {1, 3, 17, 40, 600}) {
    Terms terms;
    for (size_t i = 0; i < std::max(n, n > 17 ? extremes.size() : n); ++i) {
      terms.Add(extremes[i % extremes.size()], Element::MulBase(Scalar::Random(random)).Encode());
    }
    EXPECT_EQ(terms.Fast(), terms.Naive()) << n;
  }
  for (const Scalar& extreme : extremes) {
    Terms terms = RandomTerms(8, random);
    for (Scalar& scalar : terms.scalars) scalar = extreme;
    EXPECT_EQ(terms.Fast(), terms.Naive()) << base::Hex(extreme.Encode());
  }
}

TEST(MultiScalarMulTest, AllZeroScalarsAreTheIdentity) {
  SeededRandom random(12);
  for (const size_t n : {1, 3, 17, 300}) {
    Terms terms = RandomTerms(n, random);
    for (Scalar& scalar : terms.scalars) scalar = Scalar();
    EXPECT_EQ(terms.Fast(), kIdentity) << n;
  }
}

TEST(MultiScalarMulTest, IdentityPointsAddNothing) {
  SeededRandom random(13);
  for (const size_t n : {1, 3, 17, 300}) {
    Terms terms = RandomTerms(n, random);
    for (size_t i = 0; i < n; i += 2) terms.points[i] = kIdentity;
    EXPECT_EQ(terms.Fast(), terms.Naive()) << n;
  }
}

TEST(MultiScalarMulTest, RepeatedPointsAndScalarsEqualTheNaiveSum) {
  SeededRandom random(14);
  for (const size_t n : {2, 3, 17, 300}) {
    Terms terms = RandomTerms(n, random);
    for (size_t i = 1; i < n; ++i) terms.points[i] = terms.points[0];
    EXPECT_EQ(terms.Fast(), terms.Naive()) << n;
    for (size_t i = 1; i < n; ++i) terms.scalars[i] = terms.scalars[0];
    EXPECT_EQ(terms.Fast(), terms.Naive()) << n;
  }
}

TEST(MultiScalarMulTest, APointAndItsNegativeCancel) {
  SeededRandom random(15);
  for (const size_t pairs : {1, 2, 9, 150}) {
    Terms terms = RandomTerms(pairs, random);
    for (size_t i = 0; i < pairs; ++i) {
      std::string negative(32, '\0');
      ASSERT_EQ(crypto_core_ristretto255_sub(base::AsMutableBytes(negative), base::AsBytes(kIdentity),
                                             base::AsBytes(terms.points[i])),
                0);
      terms.Add(terms.scalars[i], negative);
    }
    EXPECT_EQ(terms.Fast(), kIdentity) << pairs;
  }
}

TEST(PublicPointTest, OperationsEqualLibsodium) {
  SeededRandom random(16);
  for (int round = 0; round < 200; ++round) {
    const Element a = Element::MulBase(Scalar::Random(random));
    const Element b = Element::MulBase(Scalar::Random(random));
    const Scalar scalar = Scalar::Random(random);
    const PublicPoint p = PublicPoint::FromElement(a);
    const PublicPoint q = PublicPoint::FromElement(b);
    std::string expected(32, '\0');
    ASSERT_EQ(crypto_core_ristretto255_add(base::AsMutableBytes(expected), a.data(), b.data()), 0);
    EXPECT_EQ((p + q).Encode(), expected);
    ASSERT_EQ(crypto_core_ristretto255_sub(base::AsMutableBytes(expected), a.data(), b.data()), 0);
    EXPECT_EQ((p - q).Encode(), expected);
    EXPECT_EQ(p.Mul(scalar).Encode(), a.Mul(scalar).Encode());
    EXPECT_EQ(p.ToElement().value(), a);
    EXPECT_TRUE(p + q == q + p);
    EXPECT_FALSE(p == q);
  }
}

TEST(PublicPointTest, SmallFactorsEqualFullScalars) {
  SeededRandom random(17);
  const Element element = Element::MulBase(Scalar::Random(random));
  const PublicPoint point = PublicPoint::FromElement(element);
  EXPECT_TRUE(point.MulSmall(0).IsIdentity());
  for (const uint64_t factor : {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{32}, uint64_t{1000003},
                                uint64_t{1} << 63, ~uint64_t{0}}) {
    EXPECT_EQ(point.MulSmall(factor).Encode(), element.Mul(Scalar::FromUint64(factor)).Encode()) << factor;
  }
}

TEST(PublicPointTest, TheIdentityIsNoElement) {
  const PublicPoint generator = PublicPoint::Generator();
  const PublicPoint identity = generator - generator;
  EXPECT_TRUE(PublicPoint().IsIdentity());
  EXPECT_TRUE(identity.IsIdentity());
  EXPECT_TRUE(identity == PublicPoint());
  EXPECT_FALSE(generator.IsIdentity());
  EXPECT_EQ(identity.Encode(), kIdentity);
  EXPECT_TRUE(generator.Mul(Scalar()).IsIdentity());
  EXPECT_TRUE((generator.Mul(MinusOne()) + generator).IsIdentity());
  EXPECT_THAT(identity.ToElement(), HasReason(base::reason::kVerificationFailed));
}

}  // namespace
}  // namespace raakvlak::crypto::group
