#include "policy/keyset/key_files.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/keyset/passphrase.h"
#include "policy/secret_file.h"

namespace raakvlak::policy {
namespace {

constexpr size_t kMaxKeyFileSize = 4096;
constexpr char kPassphrase[] = "passphrase:";
// DO NOT CHANGE.
constexpr char kPassphraseLabel[] = "raakvlak/v1/vault-passphrase";

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

absl::StatusOr<base::SecretBytes> ReadVaultKey(const std::string& place, absl::string_view owner) {
  if (!absl::StartsWith(place, kPassphrase)) return ReadSecret32(place);
  const std::string path = place.substr(sizeof(kPassphrase) - 1);
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes content, base::ReadSecretFile(path, kMaxKeyFileSize));
  absl::string_view text = content.Reveal(base::RevealSecret{});
  text = text.substr(0, text.find('\n'));
  if (text.size() < kMinPassphraseSize || owner.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kInvalidArgument,
                       absl::StrCat(path, ": a passphrase is a first line of at least ", kMinPassphraseSize,
                                    " bytes, for a node"));
  }
  const std::string salt = base::Sha256(absl::StrCat(base::LengthPrefixed(kPassphraseLabel), owner))
                               .substr(0, kPassphraseSaltSize);
  return StretchPassphrase(base::SecretBytes(text), PassphraseCost(), salt);
}

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
  return WriteSecret32(path, key);
}

absl::Status WriteSealKey(const std::string& folder, const crypto::seal::SealKeyPair& key) {
  return WriteSecret32(SealKeyFile(folder, crypto::seal::SealKeyId(key.public_key)), key.secret_key);
}

}  // namespace raakvlak::policy
