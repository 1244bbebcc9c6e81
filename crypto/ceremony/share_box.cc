#include "crypto/ceremony/share_box.h"

#include <sodium.h>

#include <array>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/aead/aead.h"

namespace raakvlak::crypto::ceremony {
namespace {

using base::AsBytes;
using base::AsMutableBytes;
using base::RevealSecret;
using base::SecretBytes;

// DO NOT CHANGE.
constexpr char kShareLabel[] = "raakvlak/v1/ceremony/share";

static_assert(kBoxKeySize == crypto_kx_SECRETKEYBYTES && kBoxKeySize == crypto_kx_PUBLICKEYBYTES);
static_assert(kBoxKeySize == crypto_scalarmult_BYTES);
static_assert(crypto_kx_SESSIONKEYBYTES == aead::kKeySize);
static_assert(kEncryptedShareSize == group::kScalarSize + aead::kOverhead);

absl::Status CannotOpen() {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kVerificationFailed,
                     "an encrypted share does not open");
}

}  // namespace

std::string BoxPublicKey(const SecretBytes& secret) {
  RAAKVLAK_CHECK(secret.size() == kBoxKeySize, "an X25519 key has 32 bytes");
  std::string out(kBoxKeySize, '\0');
  crypto_scalarmult_base(AsMutableBytes(out), AsBytes(secret.Reveal(RevealSecret{})));
  return out;
}

bool IsBoxKey(absl::string_view public_key) {
  if (public_key.size() != kBoxKeySize) return false;
  // libsodium refuses a result of zero, which all points of small order give, whatever the scalar.
  const std::array<uint8_t, kBoxKeySize> any = {1};
  std::array<uint8_t, kBoxKeySize> ignored;
  return crypto_scalarmult(ignored.data(), any.data(), AsBytes(public_key)) == 0;
}

std::string ShareContext(absl::string_view chain, uint32_t contributor, uint32_t receiver) {
  return absl::StrCat(base::LengthPrefixed(kShareLabel), chain, base::BigEndian(contributor, 1),
                      base::BigEndian(receiver, 1));
}

std::string EncryptShare(const SecretBytes& ephemeral, absl::string_view receiving_key,
                         const group::Scalar& share, absl::string_view context, base::Random& random) {
  const std::string ephemeral_key = BoxPublicKey(ephemeral);
  std::string from_receiver(crypto_kx_SESSIONKEYBYTES, '\0');
  std::string to_receiver(crypto_kx_SESSIONKEYBYTES, '\0');
  RAAKVLAK_CHECK(crypto_kx_client_session_keys(
                     AsMutableBytes(from_receiver), AsMutableBytes(to_receiver), AsBytes(ephemeral_key),
                     AsBytes(ephemeral.Reveal(RevealSecret{})), AsBytes(receiving_key)) == 0,
                 "a receiving key was checked when it came");
  base::WipeString(from_receiver);
  const SecretBytes key = SecretBytes::Take(std::move(to_receiver));
  const SecretBytes plaintext = SecretBytes::Take(share.Encode());
  return aead::Encrypt(key, plaintext.Reveal(RevealSecret{}), context, random);
}

absl::StatusOr<group::Scalar> DecryptShare(const SecretBytes& receiving_secret,
                                           absl::string_view ephemeral_key, absl::string_view encrypted,
                                           absl::string_view context) {
  if (ephemeral_key.size() != kBoxKeySize || encrypted.size() != kEncryptedShareSize) return CannotOpen();
  const std::string receiving_key = BoxPublicKey(receiving_secret);
  std::string from_contributor(crypto_kx_SESSIONKEYBYTES, '\0');
  std::string to_contributor(crypto_kx_SESSIONKEYBYTES, '\0');
  if (crypto_kx_server_session_keys(AsMutableBytes(from_contributor), AsMutableBytes(to_contributor),
                                    AsBytes(receiving_key), AsBytes(receiving_secret.Reveal(RevealSecret{})),
                                    AsBytes(ephemeral_key)) != 0) {
    return CannotOpen();
  }
  base::WipeString(to_contributor);
  const SecretBytes key = SecretBytes::Take(std::move(from_contributor));
  const auto plaintext = aead::Decrypt(key, encrypted, context);
  if (!plaintext.ok()) return CannotOpen();
  const auto share = group::Scalar::DecodeNonZero(plaintext->Reveal(RevealSecret{}));
  if (!share.ok()) return CannotOpen();
  return *share;
}

}  // namespace raakvlak::crypto::ceremony
