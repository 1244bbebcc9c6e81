// Ed25519 keys (RFC 8032, libsodium): signing, verification, and key files.
//
// A public key is taken only when it is a canonical point of the main subgroup
// (crypto_core_ed25519_is_valid_point): OpenSSL would accept signatures under small-order keys. Thread
// safety: all functions and const methods may be called from any thread.
#pragma once

#include <array>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/bytes.h"
#include "base/random.h"
#include "base/secret.h"

namespace raakvlak::crypto::note {

inline constexpr size_t kPublicKeySize = 32;
inline constexpr size_t kSignatureSize = 64;
inline constexpr size_t kSeedSize = 32;
inline constexpr size_t kMaxPemSize = 16384;

class PublicKey {
 public:
  // MALFORMED unless `bytes` is a valid 32-byte key.
  static absl::StatusOr<PublicKey> Create(absl::string_view bytes);
  absl::string_view bytes() const { return base::AsView(bytes_); }
  // SIGNATURE_INVALID when the signature is not 64 bytes or does not verify.
  absl::Status Verify(absl::string_view message, absl::string_view signature) const;
  bool operator==(const PublicKey& other) const { return bytes_ == other.bytes_; }

 private:
  PublicKey() = default;
  std::array<uint8_t, kPublicKeySize> bytes_;
};

class PrivateKey {
 public:
  static PrivateKey Generate(base::Random& random);
  // INVALID_ARGUMENT unless the seed is 32 bytes.
  static absl::StatusOr<PrivateKey> FromSeed(const base::SecretBytes& seed);
  // From PKCS#8 PEM, as `openssl genpkey -algorithm ed25519` writes it. MALFORMED otherwise: another kind
  // of key, an encrypted one, over kMaxPemSize.
  static absl::StatusOr<PrivateKey> FromPem(const base::SecretBytes& pem);
  // To PKCS#8 PEM.
  base::SecretBytes ToPem() const;

  PrivateKey(PrivateKey&&) = default;
  PrivateKey& operator=(PrivateKey&&) = default;

  const PublicKey& public_key() const { return public_key_; }
  // 64 bytes; deterministic.
  std::string Sign(absl::string_view message) const;

 private:
  PrivateKey(PublicKey public_key, base::SecretBytes expanded)
      : public_key_(public_key), expanded_(std::move(expanded)) {}
  PublicKey public_key_;
  base::SecretBytes expanded_;  // libsodium's seed || public key
};

}  // namespace raakvlak::crypto::note
