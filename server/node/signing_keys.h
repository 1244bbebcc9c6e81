// SigningKeys: the Ed25519 keys with which the partner of this node signs. There is one, but for a partner
// that replaces its key: it has both, and each covenant names the one that counts under it.
//
// Thread safety: const methods may be called from any thread. The keys outlive this.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "crypto/note/ed25519.h"

namespace raakvlak::node {

class SigningKeys {
 public:
  // None yet.
  SigningKeys() = default;
  SigningKeys(const crypto::note::PrivateKey* key) : keys_{key} {}  // NOLINT: one is usual
  explicit SigningKeys(std::vector<const crypto::note::PrivateKey*> keys) : keys_(std::move(keys)) {}

  // Find returns the key whose public half is `named`, nullptr when it is not here.
  const crypto::note::PrivateKey* Find(const crypto::note::PublicKey& named) const {
    const auto found =
        std::find_if(keys_.begin(), keys_.end(), [&](const auto* key) { return key->public_key() == named; });
    return found == keys_.end() ? nullptr : *found;
  }
  // REQUIRES, this and For: there is one.
  const crypto::note::PrivateKey& First() const {
    RAAKVLAK_CHECK(!keys_.empty(), "a partner has a signing key");
    return *keys_.front();
  }
  // For is Find; when the key is not here it returns another one, whose signatures nobody takes
  // (SIGNATURE_INVALID): the process says policy.other_configuration then.
  const crypto::note::PrivateKey& For(const crypto::note::PublicKey& named) const {
    const crypto::note::PrivateKey* found = Find(named);
    return found == nullptr ? First() : *found;
  }

 private:
  std::vector<const crypto::note::PrivateKey*> keys_;
};

}  // namespace raakvlak::node
