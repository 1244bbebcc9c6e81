#include "crypto/seal/seal.h"

#include <sodium.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/aead/aead.h"

namespace raakvlak::crypto::seal {
namespace {

using base::AsBytes;
using base::AsMutableBytes;
using base::RevealSecret;
using base::SecretBytes;

constexpr absl::string_view kCommitLabel = "raakvlak/v1/commit";
constexpr absl::string_view kAtRestLabel = "raakvlak/v1/at-rest/";
constexpr size_t kHashSize = 32;
static_assert(kWrappedKeySize == kKeySize + aead::kOverhead);

absl::Status InvalidArgument(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument, message);
}

// One error for every cause: an attacker learns nothing from which check failed.
absl::Status CannotOpen() {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed,
                     "it does not open");
}

// HMAC-SHA-512 cut to 32 bytes, with a key of any length.
std::string Hmac(const SecretBytes& key, absl::string_view first, absl::string_view second) {
  const absl::string_view key_bytes = key.Reveal(RevealSecret{});
  crypto_auth_hmacsha512_state state;
  crypto_auth_hmacsha512_init(&state, AsBytes(key_bytes), key_bytes.size());
  crypto_auth_hmacsha512_update(&state, AsBytes(first), first.size());
  crypto_auth_hmacsha512_update(&state, AsBytes(second), second.size());
  std::string out(crypto_auth_hmacsha512_BYTES, '\0');
  crypto_auth_hmacsha512_final(&state, AsMutableBytes(out));
  sodium_memzero(&state, sizeof state);
  std::string cut = out.substr(0, kHashSize);
  base::WipeString(out);
  return cut;
}

}  // namespace

SealKeyPair GenerateSealKeyPair(base::Random& random) {
  absl::StatusOr<SealKeyPair> pair = SealKeyPairFromSecret(SecretBytes::Generate(random, kKeySize));
  RAAKVLAK_CHECK(pair.ok(), "every 32 bytes are a secret key");
  return *std::move(pair);
}

absl::StatusOr<SealKeyPair> SealKeyPairFromSecret(SecretBytes secret_key) {
  if (secret_key.size() != kKeySize) return InvalidArgument("a seal key has 32 bytes");
  SealKeyPair pair{std::string(kKeySize, '\0'), std::move(secret_key)};
  RAAKVLAK_CHECK(crypto_scalarmult_base(AsMutableBytes(pair.public_key),
                                        AsBytes(pair.secret_key.Reveal(RevealSecret{}))) == 0,
                 "X25519 of the base point does not fail");
  return pair;
}

std::string SealKeyId(absl::string_view public_key) {
  return base::Hex(absl::string_view(base::Sha256(public_key)).substr(0, 8));
}

std::string ContentKeyCommitment(const SecretBytes& content_key) {
  const absl::string_view key_bytes = content_key.Reveal(RevealSecret{});
  crypto_hash_sha512_state state;
  crypto_hash_sha512_init(&state);
  crypto_hash_sha512_update(&state, AsBytes(kCommitLabel), kCommitLabel.size());
  crypto_hash_sha512_update(&state, AsBytes(key_bytes), key_bytes.size());
  std::string out(crypto_hash_sha512_BYTES, '\0');
  crypto_hash_sha512_final(&state, AsMutableBytes(out));
  sodium_memzero(&state, sizeof state);
  out.resize(kHashSize);
  return out;
}

absl::StatusOr<std::string> SealContent(absl::string_view header, absl::string_view content,
                                        const SecretBytes& content_key, absl::string_view seal_public_key,
                                        base::Random& random) {
  if (content_key.size() != kKeySize || seal_public_key.size() != kKeySize) {
    return InvalidArgument("content keys and seal keys have 32 bytes");
  }
  if (content.size() > kMaxContentSize) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kTooLarge,
                       "the content is too large");
  }
  const size_t plain_size = kHashSize + content.size();
  const size_t padded_size = (plain_size / kPaddingBlock + 1) * kPaddingBlock;
  std::string plaintext;
  plaintext.reserve(padded_size);  // so that no copy is left behind unwiped
  absl::StrAppend(&plaintext, base::Sha256(header), content);
  plaintext.resize(padded_size);
  RAAKVLAK_CHECK(sodium_pad(nullptr, AsMutableBytes(plaintext), plain_size, kPaddingBlock, padded_size) == 0,
                 "there is room for the padding");
  std::string box(padded_size + crypto_box_SEALBYTES, '\0');
  const int sealed =
      crypto_box_seal(AsMutableBytes(box), AsBytes(plaintext), padded_size, AsBytes(seal_public_key));
  base::WipeString(plaintext);
  // libsodium refuses a public key of small order.
  if (sealed != 0) return InvalidArgument("the seal key is no valid X25519 key");
  return aead::Encrypt(content_key, box, header, random);
}

absl::StatusOr<SecretBytes> OpenContent(absl::string_view header, absl::string_view payload,
                                        const SecretBytes& content_key, const SealKeyPair& seal_key) {
  RAAKVLAK_ASSIGN_OR_RETURN(const SecretBytes box_secret, aead::Decrypt(content_key, payload, header));
  const absl::string_view box = box_secret.Reveal(RevealSecret{});
  if (box.size() < crypto_box_SEALBYTES + kPaddingBlock ||
      (box.size() - crypto_box_SEALBYTES) % kPaddingBlock != 0 || seal_key.public_key.size() != kKeySize ||
      seal_key.secret_key.size() != kKeySize) {
    return CannotOpen();
  }
  std::string opened(box.size() - crypto_box_SEALBYTES, '\0');
  const int result =
      crypto_box_seal_open(AsMutableBytes(opened), AsBytes(box), box.size(), AsBytes(seal_key.public_key),
                           AsBytes(seal_key.secret_key.Reveal(RevealSecret{})));
  const SecretBytes padded = SecretBytes::Take(std::move(opened));
  if (result != 0) return CannotOpen();
  const absl::string_view plaintext = padded.Reveal(RevealSecret{});
  size_t plain_size = 0;
  if (sodium_unpad(&plain_size, AsBytes(plaintext), plaintext.size(), kPaddingBlock) != 0 ||
      plain_size < kHashSize || plain_size > kHashSize + kMaxContentSize ||
      !base::ConstantTimeEquals(plaintext.substr(0, kHashSize), base::Sha256(header))) {
    return CannotOpen();
  }
  return SecretBytes(plaintext.substr(kHashSize, plain_size - kHashSize));
}

std::string WrapContentKey(const SecretBytes& wrap_key, const SecretBytes& content_key,
                           absl::string_view additional_data, base::Random& random) {
  RAAKVLAK_CHECK(content_key.size() == kKeySize, "content keys have 32 bytes");
  return aead::Encrypt(wrap_key, content_key.Reveal(RevealSecret{}), additional_data, random);
}

absl::StatusOr<SecretBytes> UnwrapContentKey(const SecretBytes& wrap_key, absl::string_view wrapped,
                                             absl::string_view additional_data) {
  if (wrapped.size() != kWrappedKeySize) return CannotOpen();
  return aead::Decrypt(wrap_key, wrapped, additional_data);
}

std::string EncryptAtRest(const SecretBytes& key, absl::string_view plaintext,
                          absl::string_view additional_data, base::Random& random) {
  return aead::Encrypt(key, plaintext, additional_data, random);
}

absl::StatusOr<SecretBytes> DecryptAtRest(const SecretBytes& key, absl::string_view ciphertext,
                                          absl::string_view additional_data) {
  return aead::Decrypt(key, ciphertext, additional_data);
}

std::string HmacAtRest(const SecretBytes& key, absl::string_view label, absl::string_view message) {
  return Hmac(key, base::LengthPrefixed(label), message);
}

SecretBytes DeriveAtRestKey(const SecretBytes& vault_key, absl::string_view use) {
  return SecretBytes::Take(Hmac(vault_key, base::LengthPrefixed(absl::StrCat(kAtRestLabel, use)), ""));
}

}  // namespace raakvlak::crypto::seal
