// Backup of one holder's share under a passphrase (docs/format/share_backup.md).
//
//   raakvlak/v1/share-backup
//   region <region>
//   purpose <purpose>
//   class <1|2|3>
//   epoch <n>
//   keyset <hex keyset_id>
//   holder <index> <partner id>
//   argon2id <operations> <memory in KiB> <base64 salt(16)>
//   share <base64 of nonce(24) || XChaCha20-Poly1305(share(32))>
//
// The key is Argon2id (RFC 9106, libsodium) of the passphrase; additional data are all lines before the last.
// A refresh or reshare makes a keyset with another id, so a share from before it is told by its keyset line
// and, were that forged, by share * G == PK_i: it is never taken for one of the keyset in force. It does NOT
// restore a vault key: what a node stored under a lost one stays lost.
//
// Thread safety: all functions may be called from any thread; with a passphrase each takes a second and the
// memory it says.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/group/scalar.h"
#include "policy/keyset/keyset.h"
#include "policy/keyset/passphrase.h"

namespace raakvlak::policy {

// BackUpShare returns the text. INVALID_ARGUMENT: the passphrase has fewer than kMinPassphraseSize bytes, or
// the cost is outside its limits. VERIFICATION_FAILED: the partner holds no share of the keyset, or another
// one. OVERLOADED: the memory is not to be had.
absl::StatusOr<std::string> BackUpShare(const Keyset& keyset, absl::string_view partner,
                                        const crypto::group::Scalar& share,
                                        const base::SecretBytes& passphrase, PassphraseCost cost,
                                        base::Random& random);

// Which share a backup says it is of. Nothing is verified: RestoreShare does.
struct BackupScope {
  std::string purpose;
  uint8_t identifier_class = 0;
  uint32_t epoch = 0;
  std::string keyset_id;  // 32 bytes
};
// MALFORMED.
absl::StatusOr<BackupScope> ReadBackupScope(absl::string_view text);

// RestoreShare returns the share. MALFORMED; KEYSET_UNKNOWN: it is a share of another keyset than this one,
// such as one from before a refresh; VERIFICATION_FAILED: another partner's, another passphrase, damaged, or
// not the share of this keyset. OVERLOADED as above.
absl::StatusOr<crypto::group::Scalar> RestoreShare(absl::string_view text, const Keyset& keyset,
                                                   absl::string_view partner,
                                                   const base::SecretBytes& passphrase);

}  // namespace raakvlak::policy
