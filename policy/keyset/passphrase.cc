#include "policy/keyset/passphrase.h"

#include <sodium.h>

#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::policy {

static_assert(crypto_pwhash_SALTBYTES == kPassphraseSaltSize);

bool IsWithinLimits(PassphraseCost cost) {
  return cost.operations >= 1 && cost.operations <= 10 && cost.memory_kib >= 8 &&
         cost.memory_kib <= 1'048'576;
}

absl::StatusOr<base::SecretBytes> StretchPassphrase(const base::SecretBytes& passphrase, PassphraseCost cost,
                                                    absl::string_view salt) {
  RAAKVLAK_CHECK(IsWithinLimits(cost) && salt.size() == kPassphraseSaltSize, "cost and salt were checked");
  const absl::string_view text = passphrase.Reveal(base::RevealSecret{});
  std::string key(32, '\0');
  if (crypto_pwhash(base::AsMutableBytes(key), key.size(), text.data(), text.size(), base::AsBytes(salt),
                    cost.operations, size_t{cost.memory_kib} * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return base::Error(absl::StatusCode::kResourceExhausted, base::reason::kOverloaded,
                       "there is not enough memory to stretch the passphrase");
  }
  return base::SecretBytes::Take(std::move(key));
}

}  // namespace raakvlak::policy
