#include "base/bytes.h"

#include "base/reason.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::base {
namespace {

using testing::HasReason;

TEST(BytesTest, BigEndianPutsTheMostSignificantByteFirst) {
  EXPECT_EQ(BigEndian(0x0102, 4), std::string("\x00\x00\x01\x02", 4));
  EXPECT_EQ(BigEndian(255, 1), "\xff");
}

TEST(BytesTest, BigEndianOfANumberThatDoesNotFitAborts) { EXPECT_DEATH(BigEndian(256, 1), "fits"); }

TEST(BytesTest, LengthPrefixedHoldsTwoByteLength) {
  EXPECT_EQ(LengthPrefixed("abc"), std::string("\x00\x03"
                                               "abc",
                                               5));
  EXPECT_EQ(LengthPrefixed(""), std::string("\x00\x00", 2));
}

TEST(BytesTest, HexAndBase64AreReadBackExactly) {
  const std::string bytes("\x00\xff\x10", 3);
  EXPECT_EQ(Hex(bytes), "00ff10");
  EXPECT_EQ(*ParseHex("00FF10"), bytes);
  EXPECT_EQ(*ParseBase64(Base64(bytes)), bytes);
}

TEST(BytesTest, OtherThanCanonicalTextIsRefused) {
  for (const char* text : {"0", "0g", " 00"})
    EXPECT_THAT(ParseHex(text), HasReason(reason::kMalformed)) << text;
  for (const char* text : {"AP8", "AP8Q\n", "AP9=", "A", "-_8="}) {
    EXPECT_THAT(ParseBase64(text), HasReason(reason::kMalformed)) << text;
  }
}

TEST(BytesTest, Sha256IsThatOfThePublishedExample) {
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(BytesTest, ConstantTimeEqualsComparesLengthAndContent) {
  EXPECT_TRUE(ConstantTimeEquals("ab", "ab"));
  EXPECT_FALSE(ConstantTimeEquals("ab", "ac"));
  EXPECT_FALSE(ConstantTimeEquals("ab", "abc"));
}

}  // namespace
}  // namespace raakvlak::base
