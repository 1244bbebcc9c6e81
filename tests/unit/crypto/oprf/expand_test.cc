#include "crypto/oprf/expand.h"

#include "base/bytes.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::oprf {
namespace {

std::string Expand(absl::string_view dst, absl::string_view message) {
  return Expander(dst).Start().Add(message).Finish();
}

// The definition of RFC 9380 section 5.3.1 in one piece, as a naive twin.
std::string NaiveExpand(const std::string& dst, const std::string& message) {
  const std::string dst_prime = dst + static_cast<char>(dst.size());
  const auto hash = [](const std::string& bytes) {
    std::string out(64, '\0');
    crypto_hash_sha512(base::AsMutableBytes(out), base::AsBytes(bytes), bytes.size());
    return out;
  };
  const std::string b_0 = hash(std::string(128, '\0') + message + std::string("\x00\x40\x00", 3) + dst_prime);
  return hash(b_0 + '\1' + dst_prime);
}

TEST(ExpandTest, EqualsTheDefinitionAtEveryLengthAroundABlock) {
  for (size_t size = 0; size < 300; ++size) {
    std::string message;
    for (size_t i = 0; i < size; ++i) message.push_back(static_cast<char>(i * 7));
    EXPECT_EQ(base::Hex(Expand("a DST", message)), base::Hex(NaiveExpand("a DST", message))) << size;
  }
  EXPECT_EQ(Expand(std::string(255, 'd'), "m"), NaiveExpand(std::string(255, 'd'), "m"));
}

TEST(ExpandTest, PartsEqualTheWhole) {
  const Expander expander("a DST");
  EXPECT_EQ(expander.Start().Add("one").Add("").Add("two").Finish(), Expand("a DST", "onetwo"));
}

TEST(ExpandTest, AForkedMessageGoesOnByItself) {
  const Expander expander("a DST");
  const Expander::Message begun = expander.Start().Add("common ");
  Expander::Message first = begun;
  Expander::Message second = begun;
  EXPECT_EQ(second.Add("b").Finish(), Expand("a DST", "common b"));
  EXPECT_EQ(first.Add("a").Finish(), Expand("a DST", "common a"));
}

TEST(ExpandDeathTest, ADstHasOneTo255Bytes) {
  EXPECT_DEATH(Expander(""), "DST");
  EXPECT_DEATH(Expander(std::string(256, 'd')), "DST");
}

}  // namespace
}  // namespace raakvlak::crypto::oprf
