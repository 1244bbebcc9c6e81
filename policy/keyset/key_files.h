// Key files: the secrets that programs and commands read, each a file of mode 0600 (base::ReadSecretFile).
//
//   signing key   Ed25519, PKCS#8 PEM
//   vault key     base64 of 32 random bytes, newline
//   seal key      <key id>.seal: base64 of the 32-byte X25519 secret key, newline
//
// All reading functions: FILE_UNREADABLE, FILE_UNSAFE, MALFORMED (not such a key). Messages name the file,
// never its content. Thread safety: all functions may be called from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"
#include "crypto/note/ed25519.h"
#include "crypto/seal/seal.h"

namespace raakvlak::policy {

absl::StatusOr<crypto::note::PrivateKey> ReadSigningKey(const std::string& path);
// 32 bytes. `place` is a path, credential:<name> or fd:<n> (policy/secret_file.h), or passphrase:<path>: a
// file as base::ReadSecretFile takes it, whose first line is a passphrase of at least kMinPassphraseSize
// bytes. The key is then Argon2id of it at PassphraseCost's defaults, with salt
// SHA-256(lp("raakvlak/v1/vault-passphrase")
// || owner)[:16], where `owner` is the node's URN: two nodes never have the same key. DO NOT CHANGE.
// INVALID_ARGUMENT: a passphrase that is too short, or no owner; OVERLOADED: no memory for Argon2id.
absl::StatusOr<base::SecretBytes> ReadVaultKey(const std::string& place, absl::string_view owner = "");
// Reads <folder>/<id>.seal. Also VERIFICATION_FAILED when the key in it has another id.
absl::StatusOr<crypto::seal::SealKeyPair> ReadSealKeyPair(const std::string& folder, absl::string_view id);

// Writing: STORAGE_FAILED. An existing file is replaced; callers that must not, look first.
absl::Status WriteSigningKey(const std::string& path, const crypto::note::PrivateKey& key);
absl::Status WriteVaultKey(const std::string& path, const base::SecretBytes& key);
// Writes <folder>/<id>.seal.
absl::Status WriteSealKey(const std::string& folder, const crypto::seal::SealKeyPair& key);

}  // namespace raakvlak::policy
