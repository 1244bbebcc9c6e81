#include "crypto/note/ed25519.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include <cstring>
#include <memory>
#include <utility>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::note {
namespace {

using base::RevealSecret;

struct OpenSslFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslFree>;

absl::Status Malformed(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, message);
}

// Without a callback OpenSSL would ask for the passphrase of an encrypted key on the terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

}  // namespace

absl::StatusOr<PublicKey> PublicKey::Create(absl::string_view bytes) {
  if (bytes.size() != kPublicKeySize || crypto_core_ed25519_is_valid_point(base::AsBytes(bytes)) != 1) {
    return Malformed("not an Ed25519 public key");
  }
  PublicKey key;
  std::memcpy(key.bytes_.data(), bytes.data(), kPublicKeySize);
  return key;
}

absl::Status PublicKey::Verify(absl::string_view message, absl::string_view signature) const {
  if (signature.size() != kSignatureSize ||
      crypto_sign_verify_detached(base::AsBytes(signature), base::AsBytes(message), message.size(),
                                  bytes_.data()) != 0) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kSignatureInvalid,
                       "the signature does not verify");
  }
  return absl::OkStatus();
}

PrivateKey PrivateKey::Generate(base::Random& random) {
  absl::StatusOr<PrivateKey> key = FromSeed(base::SecretBytes::Generate(random, kSeedSize));
  RAAKVLAK_CHECK(key.ok(), "every 32 bytes are a seed");
  return *std::move(key);
}

absl::StatusOr<PrivateKey> PrivateKey::FromSeed(const base::SecretBytes& seed) {
  if (seed.size() != kSeedSize) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       "an Ed25519 seed has 32 bytes");
  }
  std::string public_bytes(kPublicKeySize, '\0');
  std::string expanded(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_seed_keypair(base::AsMutableBytes(public_bytes), base::AsMutableBytes(expanded),
                           base::AsBytes(seed.Reveal(RevealSecret{})));
  base::SecretBytes secret = base::SecretBytes::Take(std::move(expanded));
  RAAKVLAK_ASSIGN_OR_RETURN(PublicKey public_key, PublicKey::Create(public_bytes));
  return PrivateKey(public_key, std::move(secret));
}

absl::StatusOr<PrivateKey> PrivateKey::FromPem(const base::SecretBytes& pem) {
  const absl::string_view text = pem.Reveal(RevealSecret{});
  if (text.size() > kMaxPemSize) return Malformed("not an Ed25519 private key in PEM");
  OpenSslPtr<BIO> input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  RAAKVLAK_CHECK(input != nullptr, "OpenSSL has memory");
  OpenSslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(input.get(), nullptr, NoPassphrase, nullptr));
  std::string seed(kSeedSize, '\0');
  size_t seed_size = seed.size();
  const bool read = key != nullptr && EVP_PKEY_get_id(key.get()) == EVP_PKEY_ED25519 &&
                    EVP_PKEY_get_raw_private_key(key.get(), base::AsMutableBytes(seed), &seed_size) == 1 &&
                    seed_size == kSeedSize;
  // TLS on this thread must not find our errors in OpenSSL's queue.
  ERR_clear_error();
  base::SecretBytes secret = base::SecretBytes::Take(std::move(seed));
  if (!read) return Malformed("not an Ed25519 private key in PEM");
  return FromSeed(secret);
}

base::SecretBytes PrivateKey::ToPem() const {
  // libsodium's secret key starts with the seed, which is what PKCS#8 holds (RFC 8410 section 7).
  OpenSslPtr<EVP_PKEY> key(EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, nullptr, base::AsBytes(expanded_.Reveal(RevealSecret{})), kSeedSize));
  OpenSslPtr<BIO> output(BIO_new(BIO_s_mem()));
  RAAKVLAK_CHECK(key != nullptr && output != nullptr, "OpenSSL has memory");
  RAAKVLAK_CHECK(
      PEM_write_bio_PKCS8PrivateKey(output.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "OpenSSL writes a key that it holds");
  char* data = nullptr;
  const long size = BIO_get_mem_data(output.get(), &data);
  return base::SecretBytes(absl::string_view(data, static_cast<size_t>(size)));
}

std::string PrivateKey::Sign(absl::string_view message) const {
  std::string signature(kSignatureSize, '\0');
  crypto_sign_detached(base::AsMutableBytes(signature), nullptr, base::AsBytes(message), message.size(),
                       base::AsBytes(expanded_.Reveal(RevealSecret{})));
  return signature;
}

}  // namespace raakvlak::crypto::note
