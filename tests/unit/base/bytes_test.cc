#include "base/bytes.h"

#include "base/line_reader.h"
#include "base/reason.h"
#include "base/status.h"
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

absl::Status Malformed(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kMalformed, message);
}

TEST(LineReaderTest, LinesAreTakenInTheirOrderOnly) {
  LineReader reader("first\nname a\npair 1 2\nname b", Malformed);
  EXPECT_FALSE(reader.Next("name", 1).has_value());
  EXPECT_EQ(reader.Next("first", 0), std::vector<std::string>());
  EXPECT_EQ(*reader.Value("name"), "a");
  EXPECT_FALSE(reader.Next("pair", 1).has_value()) << "one word too many";
  EXPECT_EQ(reader.Next("pair", 2), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(*reader.Value("name"), "b");
  EXPECT_THAT(reader.Value("name"), HasReason(reason::kMalformed)) << "nothing is left";
}

TEST(LineReaderTest, NumbersAndDigestsAreWhatTheySay) {
  const std::string digest(32, 'd');
  LineReader reader("n 7\nn -1\nd " + Hex(digest) + "\nd 0011\nd x", Malformed);
  EXPECT_EQ(*reader.Number("n"), 7u);
  EXPECT_THAT(reader.Number("n"), HasReason(reason::kMalformed));
  EXPECT_EQ(*reader.Digest("d"), digest);
  EXPECT_THAT(reader.Digest("d"), HasReason(reason::kMalformed)) << "too short";
  EXPECT_THAT(reader.Digest("d"), HasReason(reason::kMalformed)) << "not hexadecimal";
}

}  // namespace
}  // namespace raakvlak::base
