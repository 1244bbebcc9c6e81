#include "crypto/aead/aead.h"

#include <sodium.h>

#include <utility>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::aead {
namespace {

using base::AsBytes;
using base::AsMutableBytes;
using base::RevealSecret;
using base::SecretBytes;

constexpr size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kAuthenticatorSize = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kNonceSize + kAuthenticatorSize == kOverhead);
static_assert(kKeySize == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

// One error for every cause: an attacker learns nothing from which check failed.
absl::Status CannotOpen() {
  return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed,
                     "it does not open");
}

}  // namespace

std::string Encrypt(const SecretBytes& key, absl::string_view plaintext, absl::string_view additional_data,
                    base::Random& random) {
  RAAKVLAK_CHECK(key.size() == kKeySize, "encryption keys have 32 bytes");
  std::string out(plaintext.size() + kOverhead, '\0');
  random.Fill(out.data(), kNonceSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(AsMutableBytes(out) + kNonceSize, nullptr, AsBytes(plaintext),
                                             plaintext.size(), AsBytes(additional_data),
                                             additional_data.size(), nullptr, AsBytes(out),
                                             AsBytes(key.Reveal(RevealSecret{})));
  return out;
}

absl::StatusOr<SecretBytes> Decrypt(const SecretBytes& key, absl::string_view ciphertext,
                                    absl::string_view additional_data) {
  if (key.size() != kKeySize || ciphertext.size() < kOverhead) return CannotOpen();
  const absl::string_view encrypted = ciphertext.substr(kNonceSize);
  std::string plaintext(encrypted.size() - kAuthenticatorSize, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          AsMutableBytes(plaintext), nullptr, nullptr, AsBytes(encrypted), encrypted.size(),
          AsBytes(additional_data), additional_data.size(), AsBytes(ciphertext),
          AsBytes(key.Reveal(RevealSecret{}))) != 0) {
    return CannotOpen();
  }
  return SecretBytes::Take(std::move(plaintext));
}

}  // namespace raakvlak::crypto::aead
