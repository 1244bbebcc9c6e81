#include "crypto/seal/seal.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace raakvlak::crypto::seal {
namespace {

using base::SecretBytes;
using base::testing::HasReason;
using base::testing::IsOk;
using base::testing::ScriptedRandom;
using base::testing::SeededRandom;
namespace reason = base::reason;

std::string Text(const SecretBytes& secret) { return std::string(secret.Reveal(base::RevealSecret{})); }

std::string WithFlippedBit(std::string bytes, size_t bit) {
  bytes[bit / 8] ^= static_cast<char>(1 << (bit % 8));
  return bytes;
}

// HMAC and hash by OpenSSL, for what ours does by libsodium.
std::string OpenSslHmac(absl::string_view key, absl::string_view message) {
  std::string out(64, '\0');
  unsigned size = 0;
  HMAC(EVP_sha512(), key.data(), static_cast<int>(key.size()), base::AsBytes(message), message.size(),
       base::AsMutableBytes(out), &size);
  return out.substr(0, size);
}
std::string OpenSslSha512(absl::string_view message) {
  std::string out(64, '\0');
  unsigned size = 0;
  EVP_Digest(message.data(), message.size(), base::AsMutableBytes(out), &size, EVP_sha512(), nullptr);
  return out.substr(0, size);
}

class SealTest : public ::testing::Test {
 protected:
  std::string Seal(absl::string_view content) {
    absl::StatusOr<std::string> payload =
        SealContent(header_, content, content_key_, seal_key_.public_key, random_);
    EXPECT_THAT(payload, IsOk());
    return *payload;
  }
  absl::StatusOr<SecretBytes> Open(absl::string_view payload) {
    return OpenContent(header_, payload, content_key_, seal_key_);
  }

  SeededRandom random_{21};
  const std::string header_ = "serialised header";
  SecretBytes content_key_ = SecretBytes::Generate(random_, kKeySize);
  SecretBytes wrap_key_ = SecretBytes::Generate(random_, kKeySize);
  SealKeyPair seal_key_ = GenerateSealKeyPair(random_);
};

TEST_F(SealTest, ContentOfEverySizeIsOpenedAgain) {
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{478}, size_t{479}, size_t{480}, size_t{481}, kMaxContentSize}) {
    const std::string content = random_.Bytes(size);
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SecretBytes opened, Open(Seal(content)));
    EXPECT_EQ(Text(opened), content);
  }
}

TEST_F(SealTest, PayloadSizeShowsOnlyTheNumberOfBlocks) {
  const size_t fixed = 24 + 16 + 48;
  EXPECT_EQ(Seal("").size(), fixed + 512);
  // 32 bytes of hash and at least one of padding are inside.
  EXPECT_EQ(Seal(std::string(479, 'x')).size(), fixed + 512);
  EXPECT_EQ(Seal(std::string(480, 'x')).size(), fixed + 1024);
}

TEST_F(SealTest, LayersAreThoseOfTheFormat) {
  const std::string payload = Seal("content");
  // nonce || XChaCha20-Poly1305 with the header as additional data ...
  std::string box(payload.size() - 24 - 16, '\0');
  ASSERT_EQ(crypto_aead_xchacha20poly1305_ietf_decrypt(
                base::AsMutableBytes(box), nullptr, nullptr, base::AsBytes(payload) + 24, payload.size() - 24,
                base::AsBytes(header_), header_.size(), base::AsBytes(payload),
                base::AsBytes(content_key_.Reveal(base::RevealSecret{}))),
            0);
  // ... around a sealed box ...
  std::string plaintext(box.size() - crypto_box_SEALBYTES, '\0');
  ASSERT_EQ(crypto_box_seal_open(base::AsMutableBytes(plaintext), base::AsBytes(box), box.size(),
                                 base::AsBytes(seal_key_.public_key),
                                 base::AsBytes(seal_key_.secret_key.Reveal(base::RevealSecret{}))),
            0);
  // ... around the header's hash, the content, 0x80 and zeros.
  std::string expected = base::Sha256(header_) + "content\x80";
  expected.resize(512);
  EXPECT_EQ(base::Hex(plaintext), base::Hex(expected));
}

TEST_F(SealTest, ContentOverTheLimitIsRefused) {
  EXPECT_THAT(SealContent(header_, std::string(kMaxContentSize + 1, 'x'), content_key_, seal_key_.public_key,
                          random_),
              HasReason(reason::kTooLarge));
}

TEST_F(SealTest, KeyOfAnotherSizeOrOfSmallOrderIsRefused) {
  for (const size_t size : {0, 31, 33}) {
    const SecretBytes short_key(std::string(size, 'k'));
    EXPECT_THAT(SealContent(header_, "c", short_key, seal_key_.public_key, random_),
                HasReason(reason::kInvalidArgument));
    EXPECT_THAT(SealContent(header_, "c", content_key_, std::string(size, 'k'), random_),
                HasReason(reason::kInvalidArgument));
    EXPECT_THAT(SealKeyPairFromSecret(short_key.Copy()), HasReason(reason::kInvalidArgument));
    EXPECT_THAT(OpenContent(header_, Seal("c"), short_key, seal_key_),
                HasReason(reason::kVerificationFailed));
    EXPECT_DEATH(WrapContentKey(short_key, content_key_, "", random_), "32 bytes");
    EXPECT_DEATH(WrapContentKey(wrap_key_, short_key, "", random_), "32 bytes");
  }
  EXPECT_THAT(SealContent(header_, "c", content_key_, std::string(32, '\0'), random_),
              HasReason(reason::kInvalidArgument));
}

TEST_F(SealTest, ChangedHeaderDoesNotOpen) {
  const std::string payload = Seal("content");
  for (size_t bit = 0; bit < 8 * header_.size(); ++bit) {
    EXPECT_THAT(OpenContent(WithFlippedBit(header_, bit), payload, content_key_, seal_key_),
                HasReason(reason::kVerificationFailed));
  }
  EXPECT_THAT(OpenContent("", payload, content_key_, seal_key_), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(OpenContent(header_ + '\0', payload, content_key_, seal_key_),
              HasReason(reason::kVerificationFailed));
}

TEST_F(SealTest, BoxMovedUnderAnotherHeaderWithTheContentKeyDoesNotOpen) {
  // Who has the content key can encrypt the inner box anew under another header; the hash inside tells.
  const std::string payload = Seal("content");
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SecretBytes box, DecryptAtRest(content_key_, payload, header_));
  const std::string same = EncryptAtRest(content_key_, Text(box), header_, random_);
  EXPECT_THAT(OpenContent(header_, same, content_key_, seal_key_), IsOk());
  const std::string moved = EncryptAtRest(content_key_, Text(box), "other header", random_);
  EXPECT_THAT(OpenContent("other header", moved, content_key_, seal_key_),
              HasReason(reason::kVerificationFailed));
}

TEST_F(SealTest, AnyFlippedBitDoesNotOpen) {
  const std::string payload = Seal("content");
  for (size_t bit = 0; bit < 8 * payload.size(); ++bit) {
    ASSERT_THAT(Open(WithFlippedBit(payload, bit)), HasReason(reason::kVerificationFailed)) << bit;
  }
}

TEST_F(SealTest, PayloadCutOrExtendedAnywhereDoesNotOpen) {
  const std::string payload = Seal("content");
  for (size_t size = 0; size < payload.size(); ++size) {
    ASSERT_THAT(Open(payload.substr(0, size)), HasReason(reason::kVerificationFailed)) << size;
  }
  EXPECT_THAT(Open(payload + '\0'), HasReason(reason::kVerificationFailed));
}

TEST_F(SealTest, WrongContentKeyOrSealKeyDoesNotOpen) {
  const std::string payload = Seal("content");
  EXPECT_THAT(OpenContent(header_, payload, wrap_key_, seal_key_), HasReason(reason::kVerificationFailed));
  const SealKeyPair other = GenerateSealKeyPair(random_);
  EXPECT_THAT(OpenContent(header_, payload, content_key_, other), HasReason(reason::kVerificationFailed));
  const SealKeyPair mixed{seal_key_.public_key, other.secret_key.Copy()};
  EXPECT_THAT(OpenContent(header_, payload, content_key_, mixed), HasReason(reason::kVerificationFailed));
}

// SealRaw seals `plaintext` as it stands, as a dishonest partner could.
class DishonestSealTest : public SealTest {
 protected:
  std::string SealRaw(const std::string& plaintext) {
    std::string box(plaintext.size() + crypto_box_SEALBYTES, '\0');
    EXPECT_EQ(crypto_box_seal(base::AsMutableBytes(box), base::AsBytes(plaintext), plaintext.size(),
                              base::AsBytes(seal_key_.public_key)),
              0);
    return EncryptAtRest(content_key_, box, header_, random_);
  }
  std::string Padded(std::string plaintext, size_t size) {
    plaintext += '\x80';
    plaintext.resize(size);
    return plaintext;
  }
};

TEST_F(DishonestSealTest, PaddingThatIsNotThatOfTheFormatDoesNotOpen) {
  const std::string start = base::Sha256(header_) + "content";
  EXPECT_THAT(Open(SealRaw(Padded(start, 512))), IsOk());
  EXPECT_THAT(Open(SealRaw(Padded(start, 511))), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Open(SealRaw(Padded(start, 513))), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Open(SealRaw(Padded(start, 1024))),
              HasReason(reason::kVerificationFailed));  // two blocks where one does
  EXPECT_THAT(Open(SealRaw(std::string(512, '\0'))), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(Open(SealRaw("")), HasReason(reason::kVerificationFailed));
}

TEST_F(DishonestSealTest, HashOneByteShortThatThePaddingCompletesDoesNotOpen) {
  std::string header;
  for (int i = 0; base::Sha256(header).back() != '\x80'; ++i) header = std::to_string(i);
  const std::string cut = base::Sha256(header).substr(0, 31);
  ASSERT_EQ(Padded(cut, 512).substr(0, 32), base::Sha256(header));
  const std::string payload = SealRaw(Padded(cut, 512));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SecretBytes box, DecryptAtRest(content_key_, payload, header_));
  EXPECT_THAT(
      OpenContent(header, EncryptAtRest(content_key_, Text(box), header, random_), content_key_, seal_key_),
      HasReason(reason::kVerificationFailed));
}

TEST_F(DishonestSealTest, PlaintextShorterThanItsHashOrOverTheLimitDoesNotOpen) {
  EXPECT_THAT(Open(SealRaw(Padded(base::Sha256(header_).substr(0, 31), 512))),
              HasReason(reason::kVerificationFailed));
  const std::string largest = base::Sha256(header_) + std::string(kMaxContentSize, 'x');
  EXPECT_THAT(Open(SealRaw(Padded(largest, 8704))), IsOk());
  EXPECT_THAT(Open(SealRaw(Padded(largest + 'x', 8704))), HasReason(reason::kVerificationFailed));
}

TEST_F(SealTest, EqualContentUnderEqualKeysGivesUnrelatedCiphertexts) {
  // Keystream reuse would make the exclusive or of two ciphertexts that of the plaintexts: mostly zeros here.
  const std::string first = Seal(std::string(400, 'a'));
  const std::string second = Seal(std::string(400, 'a'));
  size_t equal_bytes = 0;
  for (size_t i = 0; i < first.size(); ++i) equal_bytes += first[i] == second[i];
  EXPECT_LT(equal_bytes, 20u);
  const std::string first_wrap = WrapContentKey(wrap_key_, content_key_, "ad", random_);
  const std::string second_wrap = WrapContentKey(wrap_key_, content_key_, "ad", random_);
  equal_bytes = 0;
  for (size_t i = 0; i < first_wrap.size(); ++i) equal_bytes += first_wrap[i] == second_wrap[i];
  EXPECT_LT(equal_bytes, 8u);
}

TEST_F(SealTest, NoncesAreNeverRepeated) {
  std::set<std::string> nonces;
  for (int i = 0; i < 1000; ++i)
    nonces.insert(WrapContentKey(wrap_key_, content_key_, "", random_).substr(0, 24));
  EXPECT_EQ(nonces.size(), 1000u);
}

TEST_F(SealTest, WrappedKeyIsUnwrappedOnlyWithEveryComponentUnchanged) {
  const std::vector<std::string> components = {"header", "context", "tag-16-bytes-xxx", std::string(32, 's'),
                                               std::string(64, 'C')};
  const auto join = [](const std::vector<std::string>& parts) {
    std::string out;
    for (const std::string& part : parts) out += part;
    return out;
  };
  const std::string wrapped = WrapContentKey(wrap_key_, content_key_, join(components), random_);
  EXPECT_EQ(wrapped.size(), kWrappedKeySize);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SecretBytes unwrapped,
                                UnwrapContentKey(wrap_key_, wrapped, join(components)));
  EXPECT_EQ(Text(unwrapped), Text(content_key_));
  for (size_t i = 0; i < components.size(); ++i) {
    for (size_t bit = 0; bit < 8 * components[i].size(); ++bit) {
      std::vector<std::string> changed = components;
      changed[i] = WithFlippedBit(changed[i], bit);
      ASSERT_THAT(UnwrapContentKey(wrap_key_, wrapped, join(changed)), HasReason(reason::kVerificationFailed))
          << i << " " << bit;
    }
    std::vector<std::string> missing = components;
    missing[i].clear();
    EXPECT_THAT(UnwrapContentKey(wrap_key_, wrapped, join(missing)), HasReason(reason::kVerificationFailed))
        << i;
  }
}

TEST_F(SealTest, WrappedKeyThatIsChangedCutOrUnderAnotherKeyIsRefused) {
  const std::string wrapped = WrapContentKey(wrap_key_, content_key_, "ad", random_);
  for (size_t bit = 0; bit < 8 * wrapped.size(); ++bit) {
    ASSERT_THAT(UnwrapContentKey(wrap_key_, WithFlippedBit(wrapped, bit), "ad"),
                HasReason(reason::kVerificationFailed));
  }
  for (size_t size = 0; size < wrapped.size(); ++size) {
    ASSERT_THAT(UnwrapContentKey(wrap_key_, wrapped.substr(0, size), "ad"),
                HasReason(reason::kVerificationFailed));
  }
  EXPECT_THAT(UnwrapContentKey(content_key_, wrapped, "ad"), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(UnwrapContentKey(SecretBytes("short"), wrapped, "ad"), HasReason(reason::kVerificationFailed));
  // A well-made ciphertext of something that is no key.
  EXPECT_THAT(
      UnwrapContentKey(wrap_key_, EncryptAtRest(wrap_key_, std::string(31, 'k'), "ad", random_), "ad"),
      HasReason(reason::kVerificationFailed));
}

// draft-irtf-cfrg-xchacha-03, appendix A.3.1.
TEST_F(SealTest, EncryptionIsThatOfThePublishedXChaChaVector) {
  const std::string key = *base::ParseHex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const std::string nonce = *base::ParseHex("404142434445464748494a4b4c4d4e4f5051525354555657");
  const std::string additional_data = *base::ParseHex("50515253c0c1c2c3c4c5c6c7");
  const std::string plaintext =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen "
      "would be it.";
  ScriptedRandom script({nonce});
  EXPECT_EQ(base::Hex(EncryptAtRest(SecretBytes(key), plaintext, additional_data, script)),
            "404142434445464748494a4b4c4d4e4f5051525354555657"
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
            "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
            "21f9664c97637da9768812f615c68b13b52e"
            "c0875924c1c7987947deafd8780acf49");
}

TEST_F(SealTest, RowAtRestOpensOnlyInItsOwnPlace) {
  const std::string row = EncryptAtRest(wrap_key_, "", "vault/record/1", random_);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SecretBytes opened, DecryptAtRest(wrap_key_, row, "vault/record/1"));
  EXPECT_TRUE(opened.empty());
  EXPECT_THAT(DecryptAtRest(wrap_key_, row, "vault/record/2"), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(DecryptAtRest(content_key_, row, "vault/record/1"), HasReason(reason::kVerificationFailed));
  EXPECT_THAT(DecryptAtRest(wrap_key_, row.substr(1), "vault/record/1"),
              HasReason(reason::kVerificationFailed));
  EXPECT_THAT(DecryptAtRest(wrap_key_, "", "vault/record/1"), HasReason(reason::kVerificationFailed));
}

TEST_F(SealTest, CommitmentIsTheHashOfLabelAndKey) {
  EXPECT_EQ(base::Hex(ContentKeyCommitment(content_key_)),
            base::Hex(OpenSslSha512("raakvlak/v1/commit" + Text(content_key_)).substr(0, 32)));
  EXPECT_NE(ContentKeyCommitment(content_key_), ContentKeyCommitment(wrap_key_));
}

TEST_F(SealTest, DigestAndKeyAtRestAreThoseOfOpenSsl) {
  for (const size_t size :
       {1, 32, 128, 129, 300}) {  // 128 bytes is the block of SHA-512: longer keys are hashed
    const std::string key = random_.Bytes(size);
    const std::string label(
        "\x00\x03"
        "row",
        5);
    EXPECT_EQ(HmacAtRest(SecretBytes(key), "row", "message"),
              OpenSslHmac(key, label + "message").substr(0, 32));
    const std::string use(
        "\x00\x1a"
        "raakvlak/v1/at-rest/outbox",
        28);
    EXPECT_EQ(Text(DeriveAtRestKey(SecretBytes(key), "outbox")), OpenSslHmac(key, use).substr(0, 32));
  }
}

TEST_F(SealTest, LabelAndMessageOfADigestDoNotRunTogether) {
  EXPECT_NE(HmacAtRest(wrap_key_, "ab", "c"), HmacAtRest(wrap_key_, "a", "bc"));
}

// RFC 7748 section 6.1: Bob's key pair. The id is the worked example of docs/format/sealing.md.
TEST_F(SealTest, SealKeyIsAnX25519KeyNamedByItsHash) {
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SealKeyPair pair,
                                SealKeyPairFromSecret(SecretBytes(*base::ParseHex(
                                    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))));
  EXPECT_EQ(base::Hex(pair.public_key), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  EXPECT_EQ(SealKeyId(pair.public_key), "f35e5616160a30bf");
}

// The worked example of docs/format/sealing.md, made by a program that is not ours
// (tests/vectors/seal/README.md).
class SealExampleTest : public ::testing::Test {
 protected:
  std::string Read(absl::string_view path) {
    return *base::ReadFile(absl::StrCat(RAAKVLAK_SOURCE_DIR, "/", path));
  }
  static SecretBytes ContentKey() {
    std::string key;
    for (char byte = 0x40; byte < 0x60; ++byte) key += byte;
    return SecretBytes(key);
  }

  const std::string wrapped_ =
      "000102030405060708090a0b0c0d0e0f1011121314151617452052da2c59da7d76986fbffd904cd0b88f790ced7403d4edb6f3"
      "37cfa09438"
      "4d50d69f02ead46cce5f32ed87f9397a";
  const std::string wrap_key_ = "4cd42723117e818974936292d7b774bba2aa681f3e8ea467d240fbab73430652";
  // header || ctx' || tag || share || C, with the figures of docs/format/token.md.
  const std::string additional_data_ =
      "header" + *base::ParseHex(
                     "000a6d616173747269636874000e6f6e61616e74617374626172656e0100000001000362736e000102b4aed"
                     "8a647936906f61cce1e81"
                     "15fd2f99a6be13eae8683271bc75fcc8bb6e1e"
                     "3353f445e1986004fa5e52834b49498a"
                     "926674b14f4092857f2b71b13b8c0acd9ddf748f719af65f67f5217d442fb005"
                     "7abfba09cc45b0946cbe473321da386d289faad149d22e966eac185886c43628564a16e016b39e5d936cb07"
                     "5219cc0ac3da5361c57a2"
                     "4bdf3fcfd08299449d55");
};

TEST_F(SealExampleTest, ContentKeyIsWrappedAndUnwrappedAsThere) {
  ScriptedRandom script({base::ParseHex(wrapped_)->substr(0, 24)});
  const SecretBytes wrap_key(*base::ParseHex(wrap_key_));
  EXPECT_EQ(base::Hex(WrapContentKey(wrap_key, ContentKey(), additional_data_, script)), wrapped_);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SecretBytes unwrapped,
                                UnwrapContentKey(wrap_key, *base::ParseHex(wrapped_), additional_data_));
  EXPECT_EQ(Text(unwrapped), Text(ContentKey()));
}

TEST_F(SealExampleTest, PayloadMadeThereOpensHere) {
  const std::string hex = absl::StrReplaceAll(Read("tests/vectors/seal/payload.hex"), {{"\n", ""}});
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SealKeyPair seal_key,
                                SealKeyPairFromSecret(SecretBytes(*base::ParseHex(
                                    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"))));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const SecretBytes content,
                                OpenContent("header", *base::ParseHex(hex), ContentKey(), seal_key));
  EXPECT_EQ(Text(content), "content");
}

TEST_F(SealExampleTest, FormatPageShowsTheFigures) {
  const std::string page = Read("docs/format/sealing.md");
  EXPECT_THAT(page, ::testing::HasSubstr(wrapped_));
  EXPECT_THAT(page, ::testing::HasSubstr(base::Hex(ContentKeyCommitment(ContentKey()))));
  EXPECT_THAT(page, ::testing::HasSubstr("f35e5616160a30bf"));
}

}  // namespace
}  // namespace raakvlak::crypto::seal
