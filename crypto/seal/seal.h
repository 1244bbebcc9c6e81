// Sealing of a signal's content (docs/format/envelope.md). DO NOT CHANGE the layouts.
//
//   plaintext = SHA-256(header) || content, padded with sodium_pad to a multiple of 512
//   box       = crypto_box_seal(plaintext, seal public key)
//   payload   = nonce(24) || XChaCha20-Poly1305(content key, nonce, box, additional data: header)
//   wrapped   = nonce(24) || XChaCha20-Poly1305(wrap key, nonce, content key,
//                                               additional data: header || ctx' || tag || share || C)
//   content key commitment = SHA-512("raakvlak/v1/commit" || content key)[:32], part of the header
//
// All keys are 32 bytes. The inner box can be opened by the holder of the seal key only, the outer layer by
// who has the content key. A failed opening is VERIFICATION_FAILED whatever the cause. It does NOT
// authenticate the sender: the envelope's signature does. It does NOT compare the content key with the
// commitment in the header, which is opaque here: who opens does that first, because XChaCha20-Poly1305 lets
// one ciphertext open under two keys made for it.
//
// Thread safety: all functions are pure but for the random source handed in, and the sealed box's ephemeral
// key, which is libsodium's.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"

namespace raakvlak::crypto::seal {

inline constexpr size_t kKeySize = 32;
inline constexpr size_t kPaddingBlock = 512;
inline constexpr size_t kWrappedKeySize = 24 + 32 + 16;
inline constexpr size_t kMaxContentSize = 8192;

struct SealKeyPair {
  // X25519, 32 bytes.
  std::string public_key;
  base::SecretBytes secret_key;
};

SealKeyPair GenerateSealKeyPair(base::Random& random);
// INVALID_ARGUMENT for a secret key that is not 32 bytes.
absl::StatusOr<SealKeyPair> SealKeyPairFromSecret(base::SecretBytes secret_key);
// SealKeyId returns the first 8 bytes of SHA-256 of the public key, in lower-case hexadecimal (16
// characters).
std::string SealKeyId(absl::string_view public_key);

// ContentKeyCommitment returns 32 bytes.
std::string ContentKeyCommitment(const base::SecretBytes& content_key);

// SealContent returns the payload. INVALID_ARGUMENT for a key of another size or a seal key of small order;
// TOO_LARGE over kMaxContentSize.
absl::StatusOr<std::string> SealContent(absl::string_view header, absl::string_view content,
                                        const base::SecretBytes& content_key,
                                        absl::string_view seal_public_key, base::Random& random);

// OpenContent returns the content. VERIFICATION_FAILED when anything does not fit: payload, key, header,
// padding.
absl::StatusOr<base::SecretBytes> OpenContent(absl::string_view header, absl::string_view payload,
                                              const base::SecretBytes& content_key,
                                              const SealKeyPair& seal_key);

// WrapContentKey returns kWrappedKeySize bytes. `additional_data` is header || ctx' || tag || share || C.
// REQUIRES: both keys have kKeySize bytes.
std::string WrapContentKey(const base::SecretBytes& wrap_key, const base::SecretBytes& content_key,
                           absl::string_view additional_data, base::Random& random);

// UnwrapContentKey. VERIFICATION_FAILED when anything does not fit.
absl::StatusOr<base::SecretBytes> UnwrapContentKey(const base::SecretBytes& wrap_key,
                                                   absl::string_view wrapped,
                                                   absl::string_view additional_data);

// Encryption of rows and files at rest: nonce(24) || XChaCha20-Poly1305(key, nonce, plaintext, additional
// data). The additional data names table, column and row, so that a value cannot be moved to another place.
// REQUIRES, to encrypt: the key has kKeySize bytes. VERIFICATION_FAILED when anything does not fit.
std::string EncryptAtRest(const base::SecretBytes& key, absl::string_view plaintext,
                          absl::string_view additional_data, base::Random& random);
absl::StatusOr<base::SecretBytes> DecryptAtRest(const base::SecretBytes& key, absl::string_view ciphertext,
                                                absl::string_view additional_data);

// HmacAtRest returns HMAC-SHA-512(key, lp(label) || message)[:32]: the only digest of a record that a node
// keeps.
std::string HmacAtRest(const base::SecretBytes& key, absl::string_view label, absl::string_view message);

// DeriveAtRestKey derives a 32-byte key for one use from the vault key: HMAC-SHA-512(key,
// lp("raakvlak/v1/at-rest/" || use))[:32].
base::SecretBytes DeriveAtRestKey(const base::SecretBytes& vault_key, absl::string_view use);

}  // namespace raakvlak::crypto::seal
