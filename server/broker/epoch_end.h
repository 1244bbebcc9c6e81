// EpochEnd: destroys what the broker keeps of epochs that are no longer served (policy/epochs.h), and of
// purposes that left the covenant, of which no epoch is served: their matches too, closed ones included.
//
// A version goes with its envelope, its tokens and its places in matches, and leaves no tombstone: the
// partner did not end the signal, and may submit it in the epoch that is served. The old envelope cannot come
// back, because its epoch is refused (policy/envelope.h); what was withdrawn or expired before stays ended.
//
// Before the first version of an epoch goes, and in the same transaction, what is dirty is matched, so that a
// match goes on under its id in the newer versions of its signals. Those that have none yet leave it.
//
// Thread safety: no Run beside a run of the Matcher, so that no matching comes between two transactions of
// one end; IsDue and Progress from any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "policy/authority.h"
#include "server/broker/matcher.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

// The epochs that are served at `now`, by the covenant of the snapshot.
std::set<storage::PurposeEpoch> ServedEpochs(const policy::Snapshot& snapshot, absl::Time now);

// How far the partners have come with the newest epoch of a purpose; `epoch` is the one before it.
struct Renewal {
  storage::PurposeEpoch epoch;
  storage::EpochProgress progress;
};

class EpochEnd {
 public:
  // At most this many versions go in one transaction, so that submits are not held up for long.
  static constexpr size_t kBatch = 500;

  // `actor` is the broker's URN, for the audit. The references outlive the EpochEnd.
  EpochEnd(storage::BrokerStore& store, const base::Clock& clock, Matcher& matcher, std::string actor,
           size_t batch = kBatch)
      : store_(store), clock_(clock), matcher_(matcher), actor_(std::move(actor)), batch_(batch) {}

  // IsDue: whether Run would find something to end. It costs a look at two indices. STORAGE_FAILED.
  absl::StatusOr<bool> IsDue(const std::set<storage::PurposeEpoch>& served);

  // Run ends every epoch that is not in `served` and returns how many versions went. Each transaction that
  // ended some has one audit entry "tags_destroyed" with purpose, object "epoch <n>" and their number, or
  // "matches_destroyed" with purpose and number. With nothing to end it costs what IsDue does. Without terms
  // (nothing is in force) nothing is matched; `policy` is for the entries. STORAGE_FAILED.
  absl::StatusOr<uint64_t> Run(const std::set<storage::PurposeEpoch>& served, const MatchTerms* terms,
                               const std::string& policy);

  // Progress of each purpose of which `served` has two epochs. Looks at every signal of the older ones.
  // STORAGE_FAILED.
  absl::StatusOr<std::vector<Renewal>> Progress(const std::set<storage::PurposeEpoch>& served);

 private:
  // What stands in the store and is not served.
  struct Over {
    std::vector<storage::PurposeEpoch> epochs;
    std::vector<std::string> match_purposes;
  };
  absl::StatusOr<Over> FindOver(const std::set<storage::PurposeEpoch>& served);
  absl::StatusOr<uint64_t> EndBatch(const storage::PurposeEpoch& epoch, const MatchTerms* terms,
                                    const std::string& policy);
  absl::Status DeleteMatches(const std::string& purpose, const std::string& policy);
  storage::AuditEntry EntryOf(const std::string& action, const std::string& purpose, uint64_t count,
                              const std::string& policy) const;

  storage::BrokerStore& store_;
  const base::Clock& clock_;
  Matcher& matcher_;
  const std::string actor_;
  const size_t batch_;
};

}  // namespace raakvlak::broker
