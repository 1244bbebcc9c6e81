#include "base/secret.h"

#include <type_traits>

#include "base/testing/fakes.h"
#include "gtest/gtest.h"

namespace raakvlak::base {
namespace {

TEST(SecretBytesTest, RevealsWhatItWasMadeFrom) {
  const SecretBytes secret("key material");
  EXPECT_EQ(secret.Reveal(RevealSecret{}), "key material");
}

TEST(SecretBytesTest, CannotBeCopiedByAccident) {
  static_assert(!std::is_copy_constructible_v<SecretBytes>);
  static_assert(!std::is_copy_assignable_v<SecretBytes>);
}

// The string's memory lives on (reserved) after wiping, so what it holds can be looked at.
TEST(SecretBytesTest, WipedStringLeavesNoBytesBehind) {
  std::string text(64, 'x');
  const char* memory = text.data();
  WipeString(text);
  EXPECT_TRUE(text.empty());
  text.reserve(64);
  EXPECT_EQ(text.data(), memory);
  for (size_t i = 0; i < 64; ++i) EXPECT_EQ(memory[i], '\0') << i;
}

TEST(SecretBytesTest, MovedFromShortSecretIsWiped) {
  SecretBytes from("short");
  const SecretBytes to = std::move(from);
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(to.Reveal(RevealSecret{}), "short");
}

TEST(SecretBytesTest, GenerateDrawsTheSizeAskedFor) {
  testing::SeededRandom random(7);
  const SecretBytes one = SecretBytes::Generate(random, 32);
  const SecretBytes two = SecretBytes::Generate(random, 32);
  EXPECT_EQ(one.size(), 32u);
  EXPECT_NE(one.Reveal(RevealSecret{}), two.Reveal(RevealSecret{}));
}

}  // namespace
}  // namespace raakvlak::base
