// Key split: makes the keys of a region on one machine and shares them out to its nodes.
//
// Whoever runs this machine while it runs can take the keys: it belongs offline, watched by several partners,
// and wiped after. It does NOT need a later step to undo: a ceremony between the nodes, in which nobody ever
// holds a key, replaces it in a later version.
//
// Thread safety: one thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/note/ed25519.h"
#include "policy/covenant.h"

namespace raakvlak::cli {

struct SplitKeys {
  // By partner id; one for each key holder (policy::KeyHolders).
  std::map<std::string, crypto::note::PrivateKey> signing;
  std::map<std::string, base::SecretBytes> vault;
};

enum class IfPresent { kRefuse, kSkip };

// A keyset that was made, or was there already.
struct SplitResult {
  std::string purpose;
  uint8_t identifier_class = 0;
  uint32_t epoch = 0;
  std::string keyset_id;  // 32 bytes
  bool made = false;
};

// SplitAll makes a key for each (purpose, class that its rules use, epoch), shares it with the covenant's
// quorum over the key holders, and writes <folder>/keysets/<id>.keyset, signed by all holders, and
// <folder>/shares/<partner>/<id>.share, encrypted for that node. Every holder holds a share of every class: a
// partner without right to the BSN helps others but cannot ask. The keyset is written after its shares, so
// that one that is there is complete.
//
// INVALID_ARGUMENT: a holder's key is missing or not the covenant's, or (kRefuse) a keyset is there already:
// then nothing is written. KEYSET_INVALID, SIGNATURE_INVALID for what is there but does not verify;
// STORAGE_FAILED.
absl::StatusOr<std::vector<SplitResult>> SplitAll(const policy::Covenant& covenant, const SplitKeys& keys,
                                                  const std::string& folder, IfPresent if_present,
                                                  base::Random& random);

}  // namespace raakvlak::cli
