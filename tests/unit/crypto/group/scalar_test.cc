#include "crypto/group/scalar.h"

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::group {
namespace {

using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::ScriptedRandom;
using base::testing::SeededRandom;

// L and its neighbours, little-endian.
constexpr char kOrder[] = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
constexpr char kOrderMinusOne[] = "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
constexpr char kOrderPlusOne[] = "eed3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

std::string FromHex(absl::string_view hex) { return base::ParseHex(hex).value(); }

TEST(ScalarTest, ZeroOneAndOrderMinusOneDecodeToThemselves) {
  for (const std::string& bytes :
       {std::string(32, '\0'), '\1' + std::string(31, '\0'), FromHex(kOrderMinusOne)}) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const Scalar scalar, Scalar::Decode(bytes));
    EXPECT_EQ(scalar.Encode(), bytes);
  }
}

TEST(ScalarTest, EncodingsOfTheOrderAndAboveAreRejected) {
  const std::string below_high_byte = FromHex(kOrderMinusOne).substr(0, 31) + '\x11';
  for (const std::string& bytes :
       {FromHex(kOrder), FromHex(kOrderPlusOne), std::string(32, '\xff'), below_high_byte,
        std::string(31, '\0') + '\x80', std::string(31, '\xff') + '\x7f'}) {
    EXPECT_THAT(Scalar::Decode(bytes), HasReason(base::reason::kMalformed)) << base::Hex(bytes);
    EXPECT_THAT(Scalar::DecodeNonZero(bytes), HasReason(base::reason::kMalformed)) << base::Hex(bytes);
  }
}

TEST(ScalarTest, EverySumOfAScalarAndTheOrderIsRejected) {
  SeededRandom random(1);
  const std::string order = FromHex(kOrder);
  for (int round = 0; round < 200; ++round) {
    std::string sum = Scalar::Random(random).Encode();
    unsigned carry = 0;
    for (size_t i = 0; i < 32; ++i) {
      carry += static_cast<uint8_t>(sum[i]) + static_cast<uint8_t>(order[i]);
      sum[i] = static_cast<char>(carry & 0xff);
      carry >>= 8;
    }
    EXPECT_THAT(Scalar::Decode(sum), HasReason(base::reason::kMalformed)) << base::Hex(sum);
  }
}

TEST(ScalarTest, OtherLengthsAreRejected) {
  for (const size_t size : {0, 1, 31, 33, 64}) {
    EXPECT_THAT(Scalar::Decode(std::string(size, '\0')), HasReason(base::reason::kMalformed)) << size;
  }
}

TEST(ScalarTest, ZeroIsRejectedWhereItIsForbidden) {
  EXPECT_THAT(Scalar::DecodeNonZero(std::string(32, '\0')), HasReason(base::reason::kMalformed));
  EXPECT_THAT(Scalar::DecodeNonZero('\1' + std::string(31, '\0')), IsOk());
}

TEST(ScalarTest, WideBytesAreReducedModuloTheOrder) {
  const std::string zeros(32, '\0');
  EXPECT_TRUE(Scalar::FromWide(FromHex(kOrder) + zeros).IsZero());
  EXPECT_EQ(Scalar::FromWide(FromHex(kOrderPlusOne) + zeros), Scalar::FromUint64(1));
  // 2^256 by doubling.
  Scalar power = Scalar::FromUint64(1);
  for (int i = 0; i < 256; ++i) power = power + power;
  EXPECT_EQ(Scalar::FromWide(zeros + '\1' + std::string(31, '\0')), power);
}

TEST(ScalarTest, ArithmeticFollowsTheFieldLaws) {
  SeededRandom random(2);
  const Scalar zero;
  const Scalar one = Scalar::FromUint64(1);
  for (int round = 0; round < 50; ++round) {
    const Scalar a = Scalar::Random(random);
    const Scalar b = Scalar::Random(random);
    const Scalar c = Scalar::Random(random);
    EXPECT_EQ(a + b, b + a);
    EXPECT_EQ(a * (b + c), a * b + a * c);
    EXPECT_EQ(a - b + b, a);
    EXPECT_EQ(a - a, zero);
    EXPECT_EQ(a * a.Invert(), one);
    EXPECT_FALSE(a == b);
  }
}

TEST(ScalarTest, SmallNumbersComputeAsIntegers) {
  const uint64_t large = 0xfedcba9876543210;
  EXPECT_EQ(Scalar::FromUint64(large) - Scalar::FromUint64(large - 7), Scalar::FromUint64(7));
  EXPECT_EQ(Scalar::FromUint64(1u << 20) * Scalar::FromUint64(1u << 11),
            Scalar::FromUint64(uint64_t{1} << 31));
  const Scalar minus_one = Scalar::Decode(FromHex(kOrderMinusOne)).value();
  EXPECT_EQ(Scalar() - Scalar::FromUint64(1), minus_one);
  EXPECT_EQ(minus_one * minus_one, Scalar::FromUint64(1));
}

TEST(ScalarTest, BatchInversionEqualsSingleInversion) {
  SeededRandom random(3);
  for (const size_t n : {0, 1, 2, 3, 100}) {
    std::vector<Scalar> scalars;
    for (size_t i = 0; i < n; ++i) scalars.push_back(Scalar::Random(random));
    if (n > 2) scalars[1] = scalars[0];
    std::vector<Scalar> inverses = scalars;
    BatchInvert(absl::MakeSpan(inverses));
    for (size_t i = 0; i < n; ++i) EXPECT_EQ(inverses[i], scalars[i].Invert()) << i << " of " << n;
  }
}

TEST(ScalarDeathTest, ZeroHasNoInverse) {
  EXPECT_DEATH((void)Scalar().Invert(), "no inverse");
  std::vector<Scalar> scalars = {Scalar::FromUint64(1), Scalar()};
  EXPECT_DEATH(BatchInvert(absl::MakeSpan(scalars)), "no inverse");
}

TEST(ScalarTest, RandomDrawsAgainOnZero) {
  ScriptedRandom random(
      {std::string(64, '\0'), FromHex(kOrder) + std::string(32, '\0'), '\5' + std::string(63, '\0')});
  EXPECT_EQ(Scalar::Random(random), Scalar::FromUint64(5));
}

}  // namespace
}  // namespace raakvlak::crypto::group
