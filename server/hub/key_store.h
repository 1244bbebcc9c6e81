// KeyStore: what the opener opens with: seal keys, and the keysets of the region, both of which change while
// the hub runs.
//
// Seal keys are files that the hub's operator makes (`raakvlak key new --kind seal`). One is loaded once a
// covenant names it for an epoch that is wanted (policy/epochs.h: served, or of a covenant that follows). One
// that is missing is told in the log; only openings that need it are refused. When its epoch is no longer
// wanted, or its purpose is gone, the file is deleted and the key forgotten, after an entry "key_destroyed";
// a file that no known covenant names is left alone.
//
// Keysets come from the broker, which only relays: each is taken when it verifies against the known covenants
// with the signatures of all its holders. Of an epoch all must have one public key: what refreshes or
// reshares a key does not change it.
//
// Thread safety: Now may be called from any thread, Look and Poll from one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "client/ceremony_client.h"
#include "crypto/seal/seal.h"
#include "policy/authority.h"
#include "policy/keyset/ceremony.h"
#include "policy/keyset/keyset.h"
#include "raakvlak/v1/ceremony.pb.h"
#include "server/storage/audit.h"

namespace raakvlak::hub {

// Immutable once it is handed out.
struct OpenerKeys {
  // By key id.
  std::map<std::string, std::shared_ptr<const crypto::seal::SealKeyPair>> seal_keys;
  policy::KeysetStore keysets;
};

class KeyStore {
 public:
  // Folders. That of the keysets is made when it is not there.
  struct Places {
    std::string seal_keys;
    std::string keysets;
  };

  // Authority::Current.
  using FindPolicy = std::function<absl::StatusOr<policy::Snapshot>()>;

  // Open reads both folders. A keyset that does not verify is passed over, with a log line: the broker has
  // what is in use. `audit` makes entries durable before it returns; the references outlive the store.
  // FILE_UNREADABLE: the folder of the keysets; errors of `policy`.
  static absl::StatusOr<std::unique_ptr<KeyStore>> Open(Places places, FindPolicy policy,
                                                        storage::AuditAppender& audit,
                                                        const base::Clock& clock);

  // CheckSealKeys tells what is wrong with the first seal key in use that is not there or no key: errors of
  // policy::ReadSealKeyPair.
  static absl::Status CheckSealKeys(const std::string& folder, const policy::Snapshot& snapshot,
                                    absl::Time now);

  // What there is now. A call asks once, and works with what it got.
  std::shared_ptr<const OpenerKeys> Now() const;

  // Look loads seal keys that came into use and destroys those that went out of it, by the covenant in force;
  // with none in force, it does nothing.
  void Look();

  // Poll takes keysets that are new from the broker, on disk and then in use; it asks for them when there are
  // more than the last time, or another covenant. What does not verify, and what contradicts a keyset that is
  // there, is refused with a log line. Errors of the client; STORAGE_FAILED.
  absl::Status Poll(client::CeremonyClient& broker, absl::Duration timeout);

 private:
  KeyStore(Places places, FindPolicy policy, storage::AuditAppender& audit, const base::Clock& clock)
      : places_(std::move(places)), policy_(std::move(policy)), audit_(audit), clock_(clock) {}

  absl::Status ReadKeysets(const policy::CovenantChain& chain);
  void Use(OpenerKeys keys);
  void LoadSealKeys(const std::set<std::string>& wanted, OpenerKeys& keys);
  absl::Status Destroy(const policy::Snapshot& snapshot, const v1::SealKey& key, OpenerKeys& keys);
  absl::Status Take(const v1::KeysetsResponse& posted, const policy::CovenantChain& chain);

  const Places places_;
  const FindPolicy policy_;
  storage::AuditAppender& audit_;
  const base::Clock& clock_;
  mutable base::Mutex mutex_;
  std::shared_ptr<const OpenerKeys> keys_ ABSL_GUARDED_BY(mutex_) = std::make_shared<OpenerKeys>();
  // What was told once: seal keys that are missing, destroyed ones that have their entry, keysets refused.
  std::set<std::string> missing_;
  std::set<std::string> logged_;
  std::set<std::string> refused_;
  // How many keysets were posted, under how many covenants, when they were taken last.
  std::optional<std::pair<uint64_t, size_t>> taken_;
};

}  // namespace raakvlak::hub
