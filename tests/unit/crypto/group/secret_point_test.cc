// Everything here compares libdecaf with libsodium, which shares no code with it, or with published figures.
#include "crypto/group/secret_point.h"

#include <sodium.h>

#include <algorithm>
#include <new>
#include <vector>

#include "base/bytes.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/vector_file.h"

namespace raakvlak::crypto::group {
namespace {

using base::testing::SeededRandom;

const std::string kIdentityEncoding(32, '\0');

Scalar OrderMinusOne() { return Scalar() - Scalar::FromUint64(1); }

// The naive twins: libsodium on the wire format. The identity is 32 zero bytes.
std::string NaiveFromUniform(const std::string& bytes) {
  std::string out(32, '\0');
  crypto_core_ristretto255_from_hash(base::AsMutableBytes(out), base::AsBytes(bytes));
  return out;
}
std::string NaiveMul(const Scalar& scalar, const std::string& point) {
  if (scalar.IsZero() || point == kIdentityEncoding) return kIdentityEncoding;
  std::string out(32, '\0');
  EXPECT_EQ(crypto_scalarmult_ristretto255(base::AsMutableBytes(out), scalar.data(), base::AsBytes(point)),
            0);
  return out;
}

std::string Encoding(const SecretPoint& point) { return point.Publish().Encode(); }

// Both ways out give what libsodium gives.
void ExpectSame(const SecretPoint& point, const std::string& expected, const std::string& why) {
  EXPECT_EQ(base::Hex(Encoding(point)), base::Hex(expected)) << why;
  EXPECT_EQ(point.IsIdentity(), expected == kIdentityEncoding) << why;
  if (expected == kIdentityEncoding) return;
  EXPECT_EQ(base::Hex(point.ToElement().bytes()), base::Hex(expected)) << why;
}

// 32 bytes around every boundary of the field: p = 2^255 - 19, and the bit above it.
std::vector<std::string> FieldEdges() {
  std::vector<std::string> out;
  for (const int low : {0, 1, 2, 9, 18, 19, 20, 0x7f, 0x80, 0xec, 0xed, 0xee, 0xff}) {
    for (const int middle : {0x00, 0xff}) {
      for (const int high : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
        std::string bytes(32, static_cast<char>(middle));
        bytes.front() = static_cast<char>(low);
        bytes.back() = static_cast<char>(high);
        out.push_back(bytes);
      }
    }
  }
  return out;
}

// Scalars that make windows, carries and borrows of any recoding extreme.
std::vector<Scalar> ScalarEdges() {
  std::vector<Scalar> out = {Scalar(),
                             OrderMinusOne(),
                             OrderMinusOne() - Scalar::FromUint64(1),
                             OrderMinusOne().Invert(),
                             Scalar::FromUint64(2).Invert(),
                             Scalar::FromUint64(8).Invert()};
  Scalar power = Scalar::FromUint64(1);
  for (int bit = 0; bit < 254; ++bit) {
    out.push_back(power);
    out.push_back(power - Scalar::FromUint64(1));
    out.push_back(Scalar() - power);
    power = power + power;
  }
  for (const char fill : {'\x0f', '\x11', '\x33', '\x55', '\x77', '\x88', '\xaa', '\xcc', '\xf0', '\xff'}) {
    std::string bytes(32, fill);
    bytes.back() = '\x0f';
    out.push_back(Scalar::Decode(bytes).value());
  }
  return out;
}

TEST(SecretPointTest, UniformBytesMapAsRfc9496Publishes) {
  testing::VectorObject file(testing::ReadVectorFile("ristretto255/rfc9496_uniform.json"));
  EXPECT_NE(file.Text("source"), "");
  int checked = 0;
  for (const auto& raw : file.Raw("uniform")) {
    testing::VectorObject vector(raw);
    ExpectSame(SecretPoint::FromUniform(vector.Bytes("input")), vector.Bytes("output"), "published");
    ++checked;
  }
  EXPECT_EQ(checked, 11);
}

TEST(SecretPointTest, RandomBytesMapAsInLibsodium) {
  SeededRandom random(7);
  for (int round = 0; round < 5000; ++round) {
    const std::string bytes = random.Bytes(64);
    ExpectSame(SecretPoint::FromUniform(bytes), NaiveFromUniform(bytes), base::Hex(bytes));
  }
}

TEST(SecretPointTest, BytesAtTheEdgesOfTheFieldMapAsInLibsodium) {
  SeededRandom random(8);
  const std::vector<std::string> edges = FieldEdges();
  for (const std::string& first : edges) {
    const std::string other = random.Bytes(32);
    for (const std::string& bytes : {first + other, other + first, first + first}) {
      ExpectSame(SecretPoint::FromUniform(bytes), NaiveFromUniform(bytes), base::Hex(bytes));
    }
  }
  for (size_t i = 0; i < edges.size(); ++i) {
    const std::string bytes = edges[i] + edges[(37 * i + 11) % edges.size()];
    ExpectSame(SecretPoint::FromUniform(bytes), NaiveFromUniform(bytes), base::Hex(bytes));
  }
}

TEST(SecretPointTest, BytesThatMapToTheIdentityAreSeen) {
  ExpectSame(SecretPoint::FromUniform(std::string(64, '\0')), kIdentityEncoding, "zeros");
}

TEST(SecretPointTest, RandomMultiplesAreThoseOfLibsodium) {
  SeededRandom random(9);
  for (int round = 0; round < 2000; ++round) {
    const std::string bytes = random.Bytes(64);
    const Scalar scalar = Scalar::Random(random);
    const std::string expected = NaiveMul(scalar, NaiveFromUniform(bytes));
    const SecretPoint product = SecretPoint::FromUniform(bytes).Mul(scalar);
    ExpectSame(product, expected, base::Hex(bytes));
    // A product has other coordinates than a decoded point: they must not matter.
    const Scalar inverse = scalar.Invert();
    EXPECT_EQ(Encoding(product.Mul(inverse)), NaiveFromUniform(bytes));
    EXPECT_EQ(Encoding(SecretPoint::FromPublic(PublicPoint::Decode(expected).value()).Mul(inverse)),
              NaiveFromUniform(bytes));
  }
}

TEST(SecretPointTest, MultiplesByScalarsAtTheEdgesAreThoseOfLibsodium) {
  const std::string bytes = SeededRandom(10).Bytes(64);
  const SecretPoint hashed = SecretPoint::FromUniform(bytes);
  const SecretPoint generator = SecretPoint::FromPublic(PublicPoint::Generator());
  for (const Scalar& scalar : ScalarEdges()) {
    const std::string why = base::Hex(scalar.Encode());
    ExpectSame(hashed.Mul(scalar), NaiveMul(scalar, NaiveFromUniform(bytes)), why);
    ExpectSame(generator.Mul(scalar), NaiveMul(scalar, Element::Generator().Encode()), why);
  }
}

TEST(SecretPointTest, TheIdentityStaysTheIdentity) {
  SeededRandom random(11);
  const SecretPoint identity = SecretPoint::FromPublic(PublicPoint());
  for (const Scalar& scalar : {Scalar(), Scalar::FromUint64(1), OrderMinusOne(), Scalar::Random(random)}) {
    ExpectSame(identity.Mul(scalar), kIdentityEncoding, "identity");
  }
  // The sum of a point and its opposite is another representation of it.
  const PublicPoint point = SecretPoint::FromUniform(random.Bytes(64)).Publish();
  ExpectSame(SecretPoint::FromPublic(point - point).Mul(Scalar::Random(random)), kIdentityEncoding,
             "difference");
}

TEST(SecretPointTest, PublishedPointsAddAndMultiplyAsDecodedOnes) {
  SeededRandom random(12);
  for (int round = 0; round < 200; ++round) {
    const PublicPoint published =
        SecretPoint::FromUniform(random.Bytes(64)).Mul(Scalar::Random(random)).Publish();
    const PublicPoint decoded = PublicPoint::Decode(published.Encode()).value();
    EXPECT_TRUE(published == decoded);
    const Scalar scalars[] = {Scalar::Random(random), Scalar::Random(random)};
    EXPECT_EQ(published.Mul(scalars[0]).Encode(), decoded.Mul(scalars[0]).Encode());
    EXPECT_EQ((published + PublicPoint::Generator()).Encode(), (decoded + PublicPoint::Generator()).Encode());
    const PublicPoint pair[] = {published, PublicPoint::Generator()};
    const PublicPoint decoded_pair[] = {decoded, PublicPoint::Generator()};
    EXPECT_EQ(MultiScalarMul(scalars, pair).Encode(), MultiScalarMul(scalars, decoded_pair).Encode());
  }
}

TEST(SecretPointTest, IsWipedWhenItGoes) {
  alignas(SecretPoint) unsigned char memory[sizeof(SecretPoint)];
  std::fill(std::begin(memory), std::end(memory), 0);
  auto* point = new (memory) SecretPoint(SecretPoint::FromUniform(SeededRandom(13).Bytes(64)));
  ASSERT_FALSE(std::all_of(std::begin(memory), std::end(memory), [](unsigned char c) { return c == 0; }));
  point->~SecretPoint();
  EXPECT_TRUE(std::all_of(std::begin(memory), std::end(memory), [](unsigned char c) { return c == 0; }));
}

TEST(SecretPointDeathTest, WhatCannotBeAnElementIsADefectOfTheCaller) {
  EXPECT_DEATH((void)SecretPoint::FromPublic(PublicPoint()).ToElement(), "not the identity");
  EXPECT_DEATH((void)SecretPoint::FromUniform(std::string(63, '\0')), "64 bytes");
}

}  // namespace
}  // namespace raakvlak::crypto::group
