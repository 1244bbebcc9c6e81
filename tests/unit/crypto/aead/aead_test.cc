#include "crypto/aead/aead.h"

#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::aead {
namespace {

using base::SecretBytes;
using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::ScriptedRandom;
using base::testing::SeededRandom;
namespace reason = base::reason;

std::string Bytes(absl::string_view hex) { return *base::ParseHex(hex); }
std::string Shown(const absl::StatusOr<SecretBytes>& secret) {
  return secret.ok() ? std::string(secret->Reveal(base::RevealSecret{})) : "(refused)";
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
TEST(AeadTest, IsThatOfThePublishedVector) {
  const SecretBytes key(Bytes("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"));
  const std::string nonce = Bytes("404142434445464748494a4b4c4d4e4f5051525354555657");
  const std::string additional = Bytes("50515253c0c1c2c3c4c5c6c7");
  const std::string plaintext =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen "
      "would be it.";
  ScriptedRandom random({nonce});
  const std::string ciphertext = Encrypt(key, plaintext, additional, random);
  EXPECT_EQ(ciphertext.substr(0, 24), nonce);
  EXPECT_EQ(base::Hex(ciphertext.substr(24, 16)), "bd6d179d3e83d43b9576579493c0e939");
  EXPECT_EQ(base::Hex(ciphertext.substr(ciphertext.size() - 16)), "c0875924c1c7987947deafd8780acf49");
  EXPECT_EQ(Shown(Decrypt(key, ciphertext, additional)), plaintext);
}

TEST(AeadTest, EverySizeIsDecryptedAgain) {
  SeededRandom random(1);
  const SecretBytes key = SecretBytes::Generate(random, kKeySize);
  for (const size_t size : {0u, 1u, 63u, 64u, 65u, 5000u}) {
    const std::string plaintext = random.Bytes(size);
    const std::string ciphertext = Encrypt(key, plaintext, "place", random);
    EXPECT_EQ(ciphertext.size(), size + kOverhead);
    EXPECT_EQ(Shown(Decrypt(key, ciphertext, "place")), plaintext);
  }
}

TEST(AeadTest, AnyFlippedBitIsRefused) {
  SeededRandom random(2);
  const SecretBytes key = SecretBytes::Generate(random, kKeySize);
  const std::string ciphertext = Encrypt(key, "plaintext", "place", random);
  for (size_t bit = 0; bit < ciphertext.size() * 8; ++bit) {
    std::string changed = ciphertext;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THAT(Decrypt(key, changed, "place"), HasReason(reason::kVerificationFailed)) << bit;
  }
}

TEST(AeadTest, AnotherLengthKeyOrPlaceIsRefused) {
  SeededRandom random(3);
  const SecretBytes key = SecretBytes::Generate(random, kKeySize);
  const std::string ciphertext = Encrypt(key, "plaintext", "place", random);
  ASSERT_THAT(Decrypt(key, ciphertext, "place"), IsOk());
  for (size_t size = 0; size < ciphertext.size(); ++size) {
    EXPECT_THAT(Decrypt(key, ciphertext.substr(0, size), "place"), HasReason(reason::kVerificationFailed));
  }
  EXPECT_THAT(Decrypt(key, ciphertext + "x", "place"), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Decrypt(key, ciphertext, "other place"), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Decrypt(SecretBytes::Generate(random, kKeySize), ciphertext, "place"),
              HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Decrypt(SecretBytes::Generate(random, 31), ciphertext, "place"),
              HasReason(reason::kVerificationFailed));
}

TEST(AeadTest, EqualPlaintextsGiveUnrelatedCiphertexts) {
  SeededRandom random(4);
  const SecretBytes key = SecretBytes::Generate(random, kKeySize);
  EXPECT_NE(Encrypt(key, "plaintext", "place", random), Encrypt(key, "plaintext", "place", random));
}

}  // namespace
}  // namespace raakvlak::crypto::aead
