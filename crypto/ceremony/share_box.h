// Encryption of one share to one receiver, so that the receiver can show others what it got.
//
// Every receiver makes a fresh X25519 key pair for each contributor and session and sends the public keys
// with its join. A contributor encrypts with libsodium's key exchange (crypto_kx: BLAKE2b of the X25519
// result and both public keys) from an ephemeral key pair of its own, and XChaCha20-Poly1305. A receiver that
// got a bad share discloses the one secret key made for that contributor: everyone recomputes its public key,
// opens the box and sees. Nobody can be blamed falsely, since both public keys and the box are signed, and
// nothing but the bad share comes out. Why not a long-term key, why no proof:
// docs/adr/0013-receiving-keys.md.
//
// Thread safety: all functions are pure but for the random source handed in.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::ceremony {

inline constexpr size_t kBoxKeySize = 32;
// nonce(24) || share(32) || authenticator(16).
inline constexpr size_t kEncryptedShareSize = 24 + 32 + 16;

// BoxPublicKey returns the X25519 public key of a secret of 32 bytes.
std::string BoxPublicKey(const base::SecretBytes& secret);
// Whether the public key is 32 bytes and of no small order.
bool IsBoxKey(absl::string_view public_key);

// ShareContext is the additional data: lp("raakvlak/v1/ceremony/share") || chain(32) || contributor(1) ||
// receiver(1), where chain is that of step 4.
std::string ShareContext(absl::string_view chain, uint32_t contributor, uint32_t receiver);

// EncryptShare returns kEncryptedShareSize bytes. REQUIRES: IsBoxKey(receiving_key).
std::string EncryptShare(const base::SecretBytes& ephemeral, absl::string_view receiving_key,
                         const group::Scalar& share, absl::string_view context, base::Random& random);

// DecryptShare: VERIFICATION_FAILED when it does not open or holds no scalar below L other than zero.
absl::StatusOr<group::Scalar> DecryptShare(const base::SecretBytes& receiving_secret,
                                           absl::string_view ephemeral_key, absl::string_view encrypted,
                                           absl::string_view context);

}  // namespace raakvlak::crypto::ceremony
