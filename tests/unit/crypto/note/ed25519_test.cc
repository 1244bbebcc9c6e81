#include "crypto/note/ed25519.h"

#include <openssl/err.h>

#include <cstdio>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::note {
namespace {

using base::SecretBytes;
using base::testing::HasReason;
using base::testing::IsOk;
namespace reason = base::reason;

std::string FromHex(absl::string_view hex) { return *base::ParseHex(hex); }

PrivateKey KeyFromSeed(absl::string_view hex) { return *PrivateKey::FromSeed(SecretBytes(FromHex(hex))); }

std::string Text(const SecretBytes& secret) { return std::string(secret.Reveal(base::RevealSecret{})); }

// RFC 8032 section 7.1, tests 1 to 3.
struct Rfc8032Case {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};
constexpr Rfc8032Case kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f"
     "0595b"
     "be24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2ea"
     "eb430"
     "2aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e"
     "9716e"
     "d28dc027beceea1ec40a"},
};

TEST(Ed25519Test, SignaturesAreThoseOfRfc8032) {
  for (const Rfc8032Case& vector : kRfc8032) {
    const PrivateKey key = KeyFromSeed(vector.seed);
    EXPECT_EQ(base::Hex(key.public_key().bytes()), vector.public_key);
    EXPECT_EQ(base::Hex(key.Sign(FromHex(vector.message))), vector.signature);
    EXPECT_THAT(key.public_key().Verify(FromHex(vector.message), FromHex(vector.signature)), IsOk());
  }
}

TEST(Ed25519Test, AnyFlippedBitOfSignatureOrMessageIsRefused) {
  base::testing::SeededRandom random(1);
  const PrivateKey key = PrivateKey::Generate(random);
  const std::string message = "message";
  const std::string signature = key.Sign(message);
  for (size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    std::string changed = signature;
    changed[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_THAT(key.public_key().Verify(message, changed), HasReason(reason::kSignatureInvalid)) << bit;
  }
  for (size_t bit = 0; bit < 8 * message.size(); ++bit) {
    std::string changed = message;
    changed[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    EXPECT_THAT(key.public_key().Verify(changed, signature), HasReason(reason::kSignatureInvalid)) << bit;
  }
}

TEST(Ed25519Test, SignatureOfAnotherLengthIsRefused) {
  base::testing::SeededRandom random(2);
  const PrivateKey key = PrivateKey::Generate(random);
  const std::string signature = key.Sign("m");
  for (const std::string& wrong : {std::string(), signature.substr(1), signature + '\0'}) {
    EXPECT_THAT(key.public_key().Verify("m", wrong), HasReason(reason::kSignatureInvalid)) << wrong.size();
  }
}

TEST(Ed25519Test, SignatureWithScalarPlusOrderIsRefused) {
  // L, little-endian: S + L verifies in implementations that do not check S < L.
  const std::string order = FromHex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  base::testing::SeededRandom random(3);
  const PrivateKey key = PrivateKey::Generate(random);
  std::string signature = key.Sign("m");
  int carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    const int sum = static_cast<uint8_t>(signature[32 + i]) + static_cast<uint8_t>(order[i]) + carry;
    signature[32 + i] = static_cast<char>(sum & 0xff);
    carry = sum >> 8;
  }
  EXPECT_THAT(key.public_key().Verify("m", signature), HasReason(reason::kSignatureInvalid));
}

TEST(Ed25519Test, SmallOrderAndInvalidPublicKeysAreRefused) {
  for (const char* hex : {
           "0000000000000000000000000000000000000000000000000000000000000000",  // order 4
           "0100000000000000000000000000000000000000000000000000000000000000",  // identity
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // order 2
           "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  // order 8
           "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",  // order 8
           "0200000000000000000000000000000000000000000000000000000000000000",  // not on the curve
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  // identity, not canonical
           "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751",    // 31 bytes
           "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a00",
           "",
       }) {
    EXPECT_THAT(PublicKey::Create(FromHex(hex)), HasReason(reason::kMalformed)) << hex;
  }
}

TEST(Ed25519Test, SeedOfAnotherLengthIsRefused) {
  for (const size_t size : {0, 31, 33, 64}) {
    EXPECT_THAT(PrivateKey::FromSeed(SecretBytes(std::string(size, 'x'))),
                HasReason(reason::kInvalidArgument));
  }
}

TEST(Ed25519Test, GeneratedKeysFollowTheRandomSource) {
  base::testing::SeededRandom random(4);
  base::testing::SeededRandom same(4);
  const PrivateKey first = PrivateKey::Generate(random);
  EXPECT_EQ(first.public_key(), PrivateKey::Generate(same).public_key());
  EXPECT_FALSE(first.public_key() == PrivateKey::Generate(random).public_key());
}

// RFC 8410 section 10.3: the first example key.
constexpr char kRfc8410Pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";

TEST(Ed25519Test, PemOfRfc8410IsReadAndWrittenBack) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const PrivateKey key, PrivateKey::FromPem(SecretBytes(kRfc8410Pem)));
  // Its public key, from the certificate of section 10.1.
  EXPECT_EQ(base::Hex(key.public_key().bytes()),
            "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
  EXPECT_EQ(Text(key.ToPem()), kRfc8410Pem);
}

TEST(Ed25519Test, OtherThanAnEd25519PemIsRefused) {
  const std::string pem = kRfc8410Pem;
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjNSkOKvkx1PgICCAAw\n"
      "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPnVgYZDnHnPEWY1wm5jPRsEQCNq\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  for (const std::string& text :
       {std::string(), std::string("key"), pem.substr(0, 60), encrypted,
        pem.substr(0, 40) + "AAAA" + pem.substr(44), std::string(kMaxPemSize + 1, 'x')}) {
    EXPECT_THAT(PrivateKey::FromPem(SecretBytes(text)), HasReason(reason::kMalformed)) << text;
    EXPECT_EQ(ERR_peek_error(), 0u) << "an error is left for TLS to find";
  }
}

class OpenSslToolTest : public ::testing::Test {
 protected:
  std::string Run(const std::string& arguments) {
    FILE* pipe = popen(("cd " + folder_.path() + " && openssl " + arguments + " 2>&1").c_str(), "r");
    std::string output;
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) output += static_cast<char>(c);
    EXPECT_EQ(pclose(pipe), 0) << arguments << "\n" << output;
    return output;
  }
  void Write(const std::string& name, absl::string_view content) {
    ASSERT_THAT(base::WriteFileAtomically(folder_.File(name), content, 0600), IsOk());
  }

  base::testing::TemporaryFolder folder_;
};

TEST_F(OpenSslToolTest, KeyOfGenpkeyIsReadAndItsSignatureVerifiesThere) {
  Run("genpkey -algorithm ed25519 -out key.pem");
  Run("pkey -in key.pem -pubout -out public.pem");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SecretBytes pem, base::ReadSecretFile(folder_.File("key.pem")));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const PrivateKey key, PrivateKey::FromPem(pem));
  EXPECT_EQ(Text(key.ToPem()), Text(pem));
  Write("message", "text");
  Write("signature", key.Sign("text"));
  EXPECT_NE(Run("pkeyutl -verify -pubin -inkey public.pem -rawin -in message -sigfile signature")
                .find("Successfully"),
            std::string::npos);
}

TEST_F(OpenSslToolTest, KeyOfOursIsReadThereAndSignsTheSame) {
  base::testing::SeededRandom random(5);
  const PrivateKey key = PrivateKey::Generate(random);
  ASSERT_THAT(base::WriteSecretFile(folder_.File("key.pem"), key.ToPem()), IsOk());
  Write("message", "text");
  Run("pkeyutl -sign -inkey key.pem -rawin -in message -out signature");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string signature, base::ReadFile(folder_.File("signature")));
  EXPECT_EQ(base::Hex(signature), base::Hex(key.Sign("text")));
}

TEST_F(OpenSslToolTest, KeyOfAnotherKindOrEncryptedIsRefused) {
  Run("genpkey -algorithm x25519 -out x25519.pem");
  Run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem");
  Run("genpkey -algorithm ed25519 -aes128 -pass pass:secret -out encrypted.pem");
  for (const char* name : {"x25519.pem", "ec.pem", "encrypted.pem"}) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string pem, base::ReadFile(folder_.File(name)));
    EXPECT_THAT(PrivateKey::FromPem(SecretBytes(pem)), HasReason(reason::kMalformed)) << name;
  }
}

}  // namespace
}  // namespace raakvlak::crypto::note
