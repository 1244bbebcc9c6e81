#include "policy/epochs.h"

#include <algorithm>

#include "policy/text.h"

namespace raakvlak::policy {

absl::Time PreviousEpochUntil(const v1::Purpose& purpose) {
  if (purpose.epoch() < 2 || purpose.previous_epoch_until().empty()) return absl::InfinitePast();
  const auto until = ParseUtc(purpose.previous_epoch_until());
  return until ? *until : absl::InfinitePast();
}

std::vector<uint32_t> EpochsServed(const v1::Purpose& purpose, absl::Time now) {
  std::vector<uint32_t> epochs = {purpose.epoch()};
  if (now < PreviousEpochUntil(purpose)) epochs.push_back(purpose.epoch() - 1);
  return epochs;
}

bool IsEpochServed(const v1::Purpose& purpose, uint32_t epoch, absl::Time now) {
  const std::vector<uint32_t> served = EpochsServed(purpose, now);
  return std::find(served.begin(), served.end(), epoch) != served.end();
}

}  // namespace raakvlak::policy
