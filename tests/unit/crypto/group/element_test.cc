#include "crypto/group/element.h"

#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/group/public_point.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/vector_file.h"

namespace raakvlak::crypto::group {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::SeededRandom;

// All three ways from bytes to a group element.
void ExpectRejected(const std::string& bytes, const std::string& why) {
  EXPECT_THAT(Element::Decode(bytes), HasReason(base::reason::kMalformed)) << why << ": " << base::Hex(bytes);
  EXPECT_THAT(PublicPoint::Decode(bytes), HasReason(base::reason::kMalformed))
      << why << ": " << base::Hex(bytes);
  EXPECT_THAT(Element::DecodeAndMul(bytes, Scalar::FromUint64(3)), HasReason(base::reason::kMalformed))
      << why << ": " << base::Hex(bytes);
}

TEST(ElementTest, Rfc9496MultiplesAndInvalidEncodings) {
  testing::VectorObject file(testing::ReadVectorFile("ristretto255/rfc9496.json"));
  EXPECT_NE(file.Text("source"), "");
  const auto& multiples = file.Raw("multiples");
  ASSERT_EQ(multiples.size(), 16u);
  ExpectRejected(base::ParseHex(multiples[0].get<std::string>()).value(), "identity");
  for (size_t i = 1; i < multiples.size(); ++i) {
    const std::string bytes = base::ParseHex(multiples[i].get<std::string>()).value();
    EXPECT_EQ(Element::MulBase(Scalar::FromUint64(i)).Encode(), bytes) << i;
    EXPECT_EQ(PublicPoint::Generator().MulSmall(i).Encode(), bytes) << i;
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Element element, Element::Decode(bytes));
    EXPECT_EQ(element.Encode(), bytes) << i;
    EXPECT_THAT(PublicPoint::Decode(bytes), IsOk()) << i;
  }
  size_t num_invalid = 0;
  for (const auto& [why, encodings] : file.Raw("invalid").items()) {
    for (const auto& encoding : encodings) {
      ExpectRejected(base::ParseHex(encoding.get<std::string>()).value(), why);
      ++num_invalid;
    }
  }
  EXPECT_EQ(num_invalid, 29u);
}

TEST(ElementTest, OtherLengthsAreRejected) {
  const std::string good = Element::Generator().Encode();
  for (const std::string& bytes : {std::string(), good.substr(1), good + '\0', good + good}) {
    ExpectRejected(bytes, "length");
  }
}

TEST(ElementTest, BitTwoHundredFiftyFiveIsRejectedAlthoughLibsodiumIgnoresIt) {
  SeededRandom random(4);
  for (int round = 0; round < 100; ++round) {
    std::string bytes = Element::MulBase(Scalar::Random(random)).Encode();
    bytes[31] = static_cast<char>(bytes[31] | 0x80);
    ExpectRejected(bytes, "bit 255");
  }
  ExpectRejected(std::string(31, '\0') + '\x80', "identity with bit 255");
}

TEST(ElementTest, LibsodiumAndLibdecafAgreeOnWhatDecodes) {
  SeededRandom random(5);
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = random.Bytes(32);
    bytes[0] = static_cast<char>(bytes[0] & 0xfe);
    const bool by_libsodium = Element::Decode(bytes).ok();
    EXPECT_EQ(by_libsodium, PublicPoint::Decode(bytes).ok()) << base::Hex(bytes);
    EXPECT_EQ(by_libsodium, Element::DecodeAndMul(bytes, Scalar::FromUint64(2)).ok()) << base::Hex(bytes);
    accepted += by_libsodium ? 1 : 0;
  }
  EXPECT_GT(accepted, 200);
  EXPECT_LT(accepted, 2000);
}

TEST(ElementTest, MultiplicationIsAssociativeAndUndoneByTheInverse) {
  SeededRandom random(6);
  for (int round = 0; round < 20; ++round) {
    const Scalar a = Scalar::Random(random);
    const Scalar b = Scalar::Random(random);
    const Element element = Element::MulBase(a);
    EXPECT_EQ(element.Mul(b), Element::MulBase(a * b));
    EXPECT_EQ(element.Mul(b).Mul(b.Invert()), element);
    EXPECT_EQ(Element::DecodeAndMul(element.bytes(), b).value(), element.Mul(b));
  }
}

TEST(ElementDeathTest, AMultipleByZeroIsADefectOfTheCaller) {
  EXPECT_DEATH((void)Element::MulBase(Scalar()), "not the identity");
  EXPECT_DEATH((void)Element::Generator().Mul(Scalar()), "not the identity");
  EXPECT_DEATH((void)Element::DecodeAndMul(Element::Generator().bytes(), Scalar()), "not zero");
}

}  // namespace
}  // namespace raakvlak::crypto::group
