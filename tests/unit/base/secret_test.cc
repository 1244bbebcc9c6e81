#include "base/secret.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <type_traits>

#include "base/locked.h"
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

// What the kernel says of the mapping in which `address` lies: the line "VmFlags:" of /proc/self/smaps.
std::string MappingFlags(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  bool is_there = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long from = 0;
    unsigned long to = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &from, &to) == 2) {
      const auto at = reinterpret_cast<unsigned long>(address);
      is_there = from <= at && at < to;
    }
    if (is_there && line.rfind("VmFlags:", 0) == 0) return line + " ";
  }
  return "";
}

TEST(LockedTest, TheValueLiesInPagesThatAreNeitherSwappedNorDumped) {
  const Locked<std::array<uint8_t, 32>> secret({7, 8, 9});
  EXPECT_EQ((*secret)[1], 8);
  const std::string flags = MappingFlags(&*secret);
  ASSERT_NE(flags, "");
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
  EXPECT_EQ(flags.find(" wr "), std::string::npos) << flags;
  // A process that may lock nothing is told so.
  EXPECT_EQ(flags.find(" lo ") != std::string::npos, secret.is_locked()) << flags;
}

}  // namespace
}  // namespace raakvlak::base
