// EpochReminder: says when the keys of a purpose are older than the covenant wants them to get
// (policy/epochs.h, IsEpochOver).
//
// It changes nothing: a new epoch is in the text of a covenant that all sign (docs/operating.md). Thread
// safety: Look from one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "base/clock.h"
#include "policy/authority.h"

namespace raakvlak::node {

// What grpc.health.v1 says whether every purpose has keys that are not too old.
inline constexpr char kEpochs[] = "raakvlak.epochs";

class EpochReminder {
 public:
  // `clock` outlives this.
  explicit EpochReminder(const base::Clock& clock) : clock_(clock) {}

  // Look logs the warning "node.epoch_over" for each purpose whose epoch is over, at once and then every day
  // while that lasts. False when there is one.
  bool Look(const policy::Snapshot& snapshot);

 private:
  const base::Clock& clock_;
  // By purpose and epoch.
  std::map<std::pair<std::string, uint32_t>, absl::Time> next_warning_;
};

}  // namespace raakvlak::node
