// Authenticated encryption of what is kept at rest: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), as
// libsodium has it. DO NOT CHANGE the layout: databases and files depend on it.
//
//   ciphertext = nonce(24, random) || encrypted || authenticator(16)
//
// The additional data says where the value belongs (table, column, row), so that it cannot be moved to
// another place. Random nonces of 24 bytes do not repeat in practice, however much is encrypted under a key.
// It does NOT hide the length, and it does NOT commit to the key: one ciphertext can be made to open under
// two keys by who knows both.
//
// Thread safety: both functions are pure but for the random source handed in.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"

namespace raakvlak::crypto::aead {

inline constexpr size_t kKeySize = 32;
// How much longer a ciphertext is than its plaintext.
inline constexpr size_t kOverhead = 24 + 16;

// REQUIRES: the key has kKeySize bytes.
std::string Encrypt(const base::SecretBytes& key, absl::string_view plaintext,
                    absl::string_view additional_data, base::Random& random);

// Decrypt: VERIFICATION_FAILED when anything does not fit, whatever the cause.
absl::StatusOr<base::SecretBytes> Decrypt(const base::SecretBytes& key, absl::string_view ciphertext,
                                          absl::string_view additional_data);

}  // namespace raakvlak::crypto::aead
