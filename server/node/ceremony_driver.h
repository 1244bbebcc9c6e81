// CeremonyDriver: this node's part in the ceremonies of its region (docs/format/ceremony.md), from what the
// broker relays to a key in use.
//
// A ceremony that others propose waits for this partner's operator (Approve). From then on the driver takes
// part by itself: it stores the state of its Participant, encrypted under the vault key, before it posts what
// follows from it, so that it goes on after a crash where it was and never says two different things. When
// the key is made it stores its share and its signature on the keyset in one transaction, posts the
// signature, and waits for those of all holders; only then the keyset is verified, written and used, and
// older shares go. Whoever fails is named, with the evidence kept; after `deadline` a ceremony is given up.
//
// A node takes part in one text once: the row of a ceremony is never deleted, and a node that lost its
// database sees its own messages at the broker and keeps out. It signs one keyset of one generation, unless a
// member of the ceremony before said, signed, that it stopped. A keyset that all its holders signed is taken
// wherever it comes from, also by who was no member or stopped waiting: all nodes come to the same keyset. It
// goes back to no older generation than node.db has seen.
//
// It does NOT evaluate, and does not decide which epochs are served (policy/epochs.h).
// Thread safety: all methods may be called from any thread; a call of an operator waits for a step under way.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "client/ceremony_client.h"
#include "crypto/ceremony/participant.h"
#include "policy/keyset/ceremony.h"
#include "raakvlak/v1/node_keys.pb.h"
#include "rpc/gate.h"
#include "server/node/environment.h"

namespace raakvlak::node {

class CeremonyDriver {
 public:
  struct Options {
    // Of one call to the broker.
    absl::Duration timeout = absl::Seconds(5);
    // From the approval here until this node gives up.
    absl::Duration deadline = absl::Hours(24);
  };
  static constexpr absl::Duration kIdle = absl::Seconds(1);
  static constexpr absl::Duration kBusy = absl::Milliseconds(200);

  // What `environment` points to, and `client`, outlive the driver.
  CeremonyDriver(const Environment& environment, client::CeremonyClient& client, Options options);
  CeremonyDriver(const Environment& environment, client::CeremonyClient& client)
      : CeremonyDriver(environment, client, Options()) {}
  ~CeremonyDriver();

  // Start reads what the store holds. Keysets of the ring that are older than what this node has used before
  // (its folders were restored from a backup) are disregarded with a log line, KEYSET_OUTDATED; those that it
  // has not seen are seen from now on. STORAGE_FAILED. Call first, once.
  absl::Status Start();

  // Step does what is to be done now and returns when to call it again. What fails is tried again then.
  absl::Duration Step();

  // For the operator; `pass` is the gate's (for the entries). Errors as proto/raakvlak/v1/node_keys.proto
  // says, and STORAGE_FAILED. Each that changes something leaves one entry of the operator, ceremony_start,
  // ceremony_approve or ceremony_give_up, in the transaction of its effect.
  using Online = std::function<std::set<std::string>(const policy::Keyset&)>;
  // `online` returns the partner ids of holders that serve a keyset now; asked only for a reshare that names
  // no contributors.
  absl::StatusOr<v1::CeremonyState> Propose(const rpc::Gate::Pass& pass,
                                            const v1::StartCeremonyRequest& request, const Online& online);
  absl::StatusOr<v1::CeremonyState> Approve(const rpc::Gate::Pass& pass, const std::string& ceremony_id);
  absl::StatusOr<v1::CeremonyState> GiveUp(const rpc::Gate::Pass& pass, const std::string& ceremony_id);
  absl::StatusOr<v1::CeremonyState> Show(const std::string& ceremony_id);
  // Oldest first.
  std::vector<v1::CeremonyState> List();

 private:
  struct Known;

  // What the broker knows.
  absl::Status Poll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Learn(const v1::CeremonyInfo& info) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Fetch(Known& known, std::vector<crypto::ceremony::SignedMessage>& messages)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Post(Known& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the deadline of one that this node takes part in has passed.
  bool IsLate(const Known& known) const;

  // One ceremony that this node takes part in.
  absl::Status Drive(const policy::Snapshot& snapshot, Known& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Run(const policy::Snapshot& snapshot, Known& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Resume(Known& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Receive(Known& known, std::vector<crypto::ceremony::SignedMessage> messages)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SignKeyset(const policy::Snapshot& snapshot, Known& known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Complete(const policy::Snapshot& snapshot, Known& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WatchStopped(const policy::Snapshot& snapshot, Known& known)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Stop(const policy::Snapshot& snapshot, Known& known, const std::string& why,
                    const crypto::ceremony::Blame* blame, const storage::AuditEntry* operator_entry = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The key that the ceremony gives this node, a member of it.
  const crypto::note::PrivateKey& KeyFor(const Known& known) const;
  // What this node posts to say that it will not go on.
  crypto::ceremony::SignedMessage OwnAbort(const Known& known, crypto::ceremony::Step step) const;
  // Writes the row; after an error memory is as the store is.
  absl::Status Save(Known& known, storage::NodeCeremony next, const std::vector<storage::AuditEntry>& entries)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Keysets that are complete.
  absl::Status TakeKeysets(const policy::Snapshot& snapshot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status TakeKeyset(const policy::Snapshot& snapshot, const policy::CompleteKeyset& complete)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ForgetEnded(const policy::Snapshot& snapshot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Whether the ceremony is one that the covenant in force, or one that follows it, asks for.
  absl::Status CheckFits(const policy::Snapshot& snapshot, const crypto::ceremony::Parameters& parameters)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The other ceremony of this key that may still come to a keyset here; nullptr when there is none.
  const Known* OtherUnderWay(const crypto::ceremony::Parameters& parameters)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<v1::CeremonyState> DoApprove(const rpc::Gate::Pass& pass, Known& known,
                                              absl::string_view action) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::vector<uint32_t>> ContributorsOf(const policy::Covenant& covenant,
                                                       const policy::Keyset& old_keyset,
                                                       const v1::StartCeremonyRequest& request,
                                                       const Online& online);
  Known* Find(const std::string& ceremony_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  v1::CeremonyState StateOf(const Known& known) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  storage::AuditEntry OwnEntry(const policy::Snapshot& snapshot, absl::string_view action,
                               const crypto::ceremony::Parameters& parameters) const;

  const Environment environment_;
  client::CeremonyClient& client_;
  const Options options_;
  base::Mutex mutex_;
  // In the order in which they became known.
  std::vector<std::unique_ptr<Known>> known_ ABSL_GUARDED_BY(mutex_);
  // What the broker hands out under an id that it is not; looked at once.
  std::set<std::string> unreadable_ ABSL_GUARDED_BY(mutex_);
  // Of the last call of Poll, "OK" included.
  std::string poll_reason_ ABSL_GUARDED_BY(mutex_);
  // How many keysets the broker had, and how many covenants were known, when keysets were last taken.
  std::pair<uint64_t, size_t> keysets_taken_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::node
