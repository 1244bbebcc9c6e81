// Which epochs of a purpose are in use: that of the covenant, and during the overlap the one before.
//
// Thread safety: pure.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "policy/covenant.h"

namespace raakvlak::policy {

// EpochsServed returns the epochs whose keys, seal key and tags are in use at `now`, newest first: the
// purpose's own, and the one before it until previous_epoch_until. Keys and tags of all others are to be
// destroyed.
std::vector<uint32_t> EpochsServed(const v1::Purpose& purpose, absl::Time now);

bool IsEpochServed(const v1::Purpose& purpose, uint32_t epoch, absl::Time now);

// When the epoch before ends; InfinitePast when none is served.
absl::Time PreviousEpochUntil(const v1::Purpose& purpose);

}  // namespace raakvlak::policy
