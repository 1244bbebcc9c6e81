// KeyRing: the keysets that a node knows and its own shares of them, in their folders and in memory. Both
// change while the node runs: a ceremony brings new ones, the end of an epoch takes them away.
//
//   <keysets>/<keyset id, hex>.keyset   signed notes
//   <shares>/<keyset id, hex>.share     encrypted under the vault key (policy/keyset/keyset.h)
//
// Of one (purpose, class, epoch) only the newest generation's share is kept: shares of one generation and of
// another do not go together, and older ones are worth something only to who collects them. In memory a share
// lies in locked pages (base/locked.h). A call asks Now() once and works with what it got.
//
// It does NOT know which epochs are served, and does NOT notice that its folders were restored from a backup:
// CeremonyDriver does, by node.db. Thread safety: all methods may be called from any thread; Keys is
// immutable.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/locked.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/group/scalar.h"
#include "policy/keyset/keyset.h"

namespace raakvlak::node {

class Keys {
 public:
  const policy::KeysetStore& keysets() const { return keysets_; }
  // nullptr when this node holds no share of that keyset.
  const crypto::group::Scalar* FindShare(absl::string_view keyset_id) const;

 private:
  friend class KeyRing;
  policy::KeysetStore keysets_;
  // By keyset id.
  std::map<std::string, std::shared_ptr<const base::Locked<crypto::group::Scalar>>, std::less<>> shares_;
};

class KeyRing {
 public:
  struct Places {
    // Folders; made with mode 0700 when they are not there.
    std::string keysets;
    std::string shares;
  };

  // Load reads both folders, and removes shares of older generations and half-written ones that are there
  // still. A share that is missing is told in the log: others then evaluate, until a reshare or restore gives
  // this node one. A share that is there and wrong is an error. Errors as KeysetStore::Load and ReadShare;
  // STORAGE_FAILED. `random` outlives the ring.
  static absl::StatusOr<std::unique_ptr<KeyRing>> Load(Places places, std::string partner,
                                                       base::SecretBytes vault_key,
                                                       const policy::CovenantChain& chain,
                                                       base::Random& random);

  std::shared_ptr<const Keys> Now() const;

  // Install writes share and keyset to disk, then uses them, then deletes shares of older generations.
  // `share` is nullptr for who holds none, or has stored its share before. Again is the same as once.
  // KEYSET_INVALID as KeysetStore::With; VERIFICATION_FAILED: not this node's share of it; STORAGE_FAILED:
  // what is on disk may then be new already, and what is in use is still the old.
  absl::Status Install(absl::string_view keyset_note, std::shared_ptr<const policy::Keyset> keyset,
                       const crypto::group::Scalar* share);

  // Drop deletes keysets and shares of an epoch of a purpose, on disk and in memory, and returns the ids of
  // the keysets that were there. STORAGE_FAILED: then what is in memory stays.
  absl::StatusOr<std::vector<std::string>> Drop(absl::string_view purpose, uint32_t epoch);

  // Disregard takes one keyset out of memory and leaves its files: it is older than what this node has seen.
  void Disregard(absl::string_view keyset_id);

 private:
  KeyRing(Places places, std::string partner, base::SecretBytes vault_key, base::Random& random)
      : places_(std::move(places)),
        partner_(std::move(partner)),
        vault_key_(std::move(vault_key)),
        random_(random) {}
  absl::Status ReadOwnShare(const policy::Keyset& keyset, Keys& keys) const;
  absl::Status DeleteOlderShares(const policy::Keyset& keyset, Keys& keys) const;
  std::string ShareFile(absl::string_view keyset_id) const;
  std::string KeysetFile(absl::string_view keyset_id) const;
  void Use(Keys keys);

  const Places places_;
  const std::string partner_;
  const base::SecretBytes vault_key_;
  base::Random& random_;
  // Held by who changes the folders.
  base::Mutex change_mutex_;
  mutable base::Mutex mutex_;
  std::shared_ptr<const Keys> keys_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::node
