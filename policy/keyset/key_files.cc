#include "policy/keyset/key_files.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::policy {
namespace {

constexpr size_t kMaxKeyFileSize = 4096;

// Base64 of 32 bytes and a newline.
absl::StatusOr<base::SecretBytes> ReadSecret32(const std::string& path) {
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes content, base::ReadSecretFile(path, kMaxKeyFileSize));
  absl::string_view text = content.Reveal(base::RevealSecret{});
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  auto bytes = base::ParseBase64(text);
  if (!bytes.ok() || bytes->size() != 32) {
    if (bytes.ok()) base::WipeString(*bytes);
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       absl::StrCat(path, " is not 32 bytes in base64"));
  }
  return base::SecretBytes::Take(*std::move(bytes));
}

absl::Status WriteSecret32(const std::string& path, const base::SecretBytes& secret) {
  std::string text = base::Base64(secret.Reveal(base::RevealSecret{}));
  text += '\n';
  return base::WriteSecretFile(path, base::SecretBytes::Take(std::move(text)));
}

std::string SealKeyFile(const std::string& folder, absl::string_view id) {
  return absl::StrCat(folder, "/", id, ".seal");
}

}  // namespace

absl::StatusOr<crypto::note::PrivateKey> ReadSigningKey(const std::string& path) {
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes pem, base::ReadSecretFile(path, kMaxKeyFileSize));
  auto key = crypto::note::PrivateKey::FromPem(pem);
  if (!key.ok()) return base::Annotate(key.status(), path);
  return key;
}

absl::StatusOr<base::SecretBytes> ReadVaultKey(const std::string& path) { return ReadSecret32(path); }

absl::StatusOr<crypto::seal::SealKeyPair> ReadSealKeyPair(const std::string& folder, absl::string_view id) {
  const std::string path = SealKeyFile(folder, id);
  RAAKVLAK_ASSIGN_OR_RETURN(base::SecretBytes secret, ReadSecret32(path));
  RAAKVLAK_ASSIGN_OR_RETURN(auto pair, crypto::seal::SealKeyPairFromSecret(std::move(secret)));
  if (crypto::seal::SealKeyId(pair.public_key) != std::string(id)) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kVerificationFailed,
                       absl::StrCat(path, " holds the key of another id"));
  }
  return pair;
}

absl::Status WriteSigningKey(const std::string& path, const crypto::note::PrivateKey& key) {
  return base::WriteSecretFile(path, key.ToPem());
}

absl::Status WriteVaultKey(const std::string& path, const base::SecretBytes& key) {
  RAAKVLAK_CHECK(key.size() == 32, "a vault key has 32 bytes");
  return WriteSecret32(path, key);
}

absl::Status WriteSealKey(const std::string& folder, const crypto::seal::SealKeyPair& key) {
  return WriteSecret32(SealKeyFile(folder, crypto::seal::SealKeyId(key.public_key)), key.secret_key);
}

}  // namespace raakvlak::policy
