// Keys from passphrases: Argon2id v1.3 (RFC 9106, libsodium), one lane, 32 bytes.
//
// Whoever guesses the passphrase has the key: each guess costs the time and memory said, no more. It does NOT
// judge a passphrase but by its length. Thread safety: may be called from any thread.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"

namespace raakvlak::policy {

// How hard a passphrase is to guess. Allowed: 1 to 10 operations, 8 to 1,048,576 KiB.
struct PassphraseCost {
  uint32_t operations = 3;
  uint32_t memory_kib = 262'144;
};
inline constexpr size_t kMinPassphraseSize = 12;
inline constexpr size_t kPassphraseSaltSize = 16;

bool IsWithinLimits(PassphraseCost cost);

// StretchPassphrase: OVERLOADED when the memory is not to be had. REQUIRES: the cost is within limits, the
// salt has kPassphraseSaltSize bytes.
absl::StatusOr<base::SecretBytes> StretchPassphrase(const base::SecretBytes& passphrase, PassphraseCost cost,
                                                    absl::string_view salt);

}  // namespace raakvlak::policy
