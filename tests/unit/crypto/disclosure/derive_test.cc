#include "crypto/disclosure/derive.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <set>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/testing/fakes.h"
#include "base/testing/status_matchers.h"
#include "crypto/disclosure/share.h"
#include "gtest/gtest.h"
#include "tests/unit/crypto/disclosure/example.h"

namespace raakvlak::crypto::disclosure {
namespace {

using base::SecretBytes;
using base::testing::HasReason;
using base::testing::IsOk;
namespace reason = base::reason;

// The derivation written once more, straight from docs/format/token.md, with OpenSSL's HMAC and big numbers.
std::string OpenSslHmac(absl::string_view key, absl::string_view message) {
  std::string out(64, '\0');
  HMAC(EVP_sha512(), key.data(), static_cast<int>(key.size()), base::AsBytes(message), message.size(),
       base::AsMutableBytes(out), nullptr);
  return out;
}
std::string Prefixed(const std::string& text) {
  return std::string(1, '\0') + static_cast<char>(text.size()) + text;
}
std::string ReferenceD(const std::string& y, const std::string& label, const std::string& context) {
  return OpenSslHmac(y, Prefixed("raakvlak/v1/" + label) + context + "\x01");
}
std::string ReferenceModL(const std::string& wide) {
  BIGNUM* order = nullptr;
  BN_dec2bn(&order, "7237005577332262213973186563042994240857116359379907606001950938285454250989");
  BIGNUM* value = BN_lebin2bn(base::AsBytes(wide), static_cast<int>(wide.size()), nullptr);
  BN_CTX* scratch = BN_CTX_new();
  BN_mod(value, value, order, scratch);
  std::string out(32, '\0');
  BN_bn2lebinpad(value, base::AsMutableBytes(out), 32);
  BN_CTX_free(scratch);
  BN_free(value);
  BN_free(order);
  return out;
}

std::string Text(const SecretBytes& secret) { return std::string(secret.Reveal(base::RevealSecret{})); }

TEST(DeriveTest, FiguresAreThoseOfTheWorkedExample) {
  const std::string context = *base::ParseHex(example::kExtendedContext);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const TokenSecrets secrets,
                                Derive(SecretBytes(example::ExampleOutput()), context, 2));
  EXPECT_EQ(base::Hex(secrets.tag), example::kTag);
  ASSERT_EQ(secrets.coefficients.size(), 2u);
  EXPECT_EQ(base::Hex(secrets.coefficients[0].Encode()), example::kSecret);
  EXPECT_EQ(base::Hex(secrets.coefficients[1].Encode()), example::kCoefficient1);
  EXPECT_EQ(base::Hex(Text(WrapKey(secrets.coefficients[0], context, secrets.tag))), example::kWrapKey);
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const group::Scalar share, EvaluateShare(secrets.coefficients, 3));
  EXPECT_EQ(base::Hex(share.Encode()), example::kShare3);
  EXPECT_EQ(base::Hex(Commit(secrets.coefficients)), example::kCommitments);
}

TEST(DeriveTest, FiguresAreThoseOfOpenSslForRandomOutputs) {
  base::testing::SeededRandom random(31);
  for (uint32_t k = 2; k <= 32; ++k) {
    const std::string y = random.Bytes(64);
    const std::string context = random.Bytes(k * 7);
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const TokenSecrets secrets, Derive(SecretBytes(y), context, k));
    EXPECT_EQ(secrets.tag, ReferenceD(y, "tag", context).substr(0, 16));
    ASSERT_EQ(secrets.coefficients.size(), k);
    for (uint32_t j = 0; j < k; ++j) {
      EXPECT_EQ(secrets.coefficients[j].Encode(),
                ReferenceModL(ReferenceD(y, "coef-" + std::to_string(j), context)));
    }
    const std::string wrap_message = Prefixed("raakvlak/v1/wrap") + context + secrets.tag;
    EXPECT_EQ(Text(WrapKey(secrets.coefficients[0], context, secrets.tag)),
              OpenSslHmac(secrets.coefficients[0].Encode(), wrap_message).substr(0, 32));
  }
}

TEST(DeriveTest, TagAloneIsTheSameTag) {
  const SecretBytes y(example::ExampleOutput());
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string tag, DeriveTag(y, "context"));
  RAAKVLAK_ASSERT_OK_AND_ASSIGN(const TokenSecrets secrets, Derive(y, "context", 2));
  EXPECT_EQ(tag, secrets.tag);
  EXPECT_EQ(tag.size(), kTagSize);
}

TEST(DeriveTest, OutputOfAnotherSizeIsRefused) {
  for (const size_t size : {0, 32, 63, 65}) {
    EXPECT_THAT(Derive(SecretBytes(std::string(size, 'y')), "context", 2),
                HasReason(reason::kInvalidArgument));
    EXPECT_THAT(DeriveTag(SecretBytes(std::string(size, 'y')), "context"),
                HasReason(reason::kInvalidArgument));
  }
}

TEST(DeriveTest, ThresholdOutsideItsRangeIsRefused) {
  const SecretBytes y(example::ExampleOutput());
  for (const uint32_t k : {0u, 1u, 33u, 0xffffffffu}) {
    EXPECT_THAT(Derive(y, "context", k), HasReason(reason::kInvalidArgument)) << k;
  }
  EXPECT_THAT(Derive(y, "context", 32), IsOk());
}

TEST(DeriveTest, AnyChangeOfContextThresholdOrKeyChangesTagSecretAndWrapKey) {
  const SecretBytes y(example::ExampleOutput());
  const group::Element public_key = example::ExamplePublicKey();
  const group::Element other_key = group::Element::MulBase(group::Scalar::FromUint64(2));
  const Context context = example::ExampleContext();
  std::vector<std::string> extended = {EncodeExtendedContext(context, 2, public_key),
                                       EncodeExtendedContext(context, 3, public_key),
                                       EncodeExtendedContext(context, 2, other_key)};
  for (int i = 0; i < 6; ++i) {
    Context changed = context;
    if (i == 0) changed.region = "almere";
    if (i == 1) changed.purpose = "risicojeugd";
    if (i == 2) changed.identifier_class = 2;
    if (i == 3) changed.epoch = 2;
    if (i == 4) changed.rule = "surname-initial-birthdate";
    if (i == 5) changed.rule_version = 2;
    extended.push_back(EncodeExtendedContext(changed, 2, public_key));
  }
  std::set<std::string> tags, secrets, wrap_keys, wrap_keys_of_one_secret;
  const group::Scalar one_secret = group::Scalar::FromUint64(7);
  for (const std::string& extended_context : extended) {
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const TokenSecrets derived, Derive(y, extended_context, 2));
    tags.insert(derived.tag);
    secrets.insert(derived.coefficients[0].Encode());
    wrap_keys.insert(Text(WrapKey(derived.coefficients[0], extended_context, derived.tag)));
    wrap_keys_of_one_secret.insert(Text(WrapKey(one_secret, extended_context, "tag")));
  }
  EXPECT_EQ(tags.size(), extended.size());
  EXPECT_EQ(secrets.size(), extended.size());
  EXPECT_EQ(wrap_keys.size(), extended.size());
  EXPECT_EQ(wrap_keys_of_one_secret.size(), extended.size());
}

TEST(DeriveTest, AnyBitOfTheOutputChangesTheTag) {
  const std::string y = example::ExampleOutput();
  std::set<std::string> tags;
  for (size_t bit = 0; bit < 512; ++bit) {
    std::string changed = y;
    changed[bit / 8] ^= static_cast<char>(1 << (bit % 8));
    RAAKVLAK_ASSERT_OK_AND_ASSIGN(const std::string tag, DeriveTag(SecretBytes(changed), "context"));
    tags.insert(tag);
  }
  EXPECT_EQ(tags.size(), 512u);
}

TEST(DeriveTest, WrapKeyBelongsToItsTag) {
  const group::Scalar secret = group::Scalar::FromUint64(7);
  EXPECT_EQ(WrapKey(secret, "context", "tag").size(), kWrapKeySize);
  EXPECT_NE(Text(WrapKey(secret, "context", "tag-a")), Text(WrapKey(secret, "context", "tag-b")));
  EXPECT_NE(Text(WrapKey(secret, "context", "tag")),
            Text(WrapKey(group::Scalar::FromUint64(8), "context", "tag")));
}

}  // namespace
}  // namespace raakvlak::crypto::disclosure
