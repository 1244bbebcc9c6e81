// Destruction: what is served no more is destroyed at this node (design 4.2, policy/epochs.h).
//
// Keys: keysets and shares of an epoch whose overlap is over, and of a purpose that is gone, each keyset with
// an entry "key_destroyed", which is written first: a crash in between writes it twice and never loses it.
// Keys that a covenant wants which follows the one in force are kept. Signals: those of a purpose that is
// gone end as EXPIRED with PURPOSE_ENDED, and those that could not go over to the epoch that is now the only
// one (server/node/rotator.h) with the reason for it; record, digest and envelope go, and an entry "expire"
// has the count.
//
// Only a covenant in force decides: without one, or with an expired roster, nothing is destroyed. Thread
// safety: Look from one thread.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/node/environment.h"

namespace raakvlak::node {

class Destruction {
 public:
  // At most `end_at_once` signals end in one transaction.
  explicit Destruction(const Environment& environment, size_t end_at_once = 500)
      : environment_(environment), end_at_once_(end_at_once) {}

  // Look destroys what is due; to be called every second. It costs a few look-ups when there is nothing. What
  // fails is logged ("node.destruction_failed") and done the next time.
  void Look();

 private:
  absl::Status DestroyKeys(const policy::Snapshot& snapshot);
  absl::Status DestroyEpoch(const policy::Snapshot& snapshot, const std::string& purpose, uint32_t epoch);
  absl::Status LogDestroyed(const policy::Snapshot& snapshot, const std::string& purpose, uint32_t epoch,
                            std::vector<std::string> keysets);
  absl::Status EndPurposes(const policy::Snapshot& snapshot);
  absl::Status EndHeldBack(const policy::Snapshot& snapshot);
  absl::Status EndAll(const policy::Snapshot& snapshot, const std::string& purpose, const std::string& reason,
                      absl::FunctionRef<absl::StatusOr<uint64_t>(storage::NodeTransaction&)> end);

  const Environment environment_;
  const size_t end_at_once_;
  // Keysets that have their entry.
  std::set<std::string> logged_;
  // Purpose and epoch for which the signals held back were ended.
  std::set<std::pair<std::string, uint32_t>> ended_;
};

}  // namespace raakvlak::node
