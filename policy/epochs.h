// Which epochs of a purpose are in use: that of the covenant, and during the overlap the one before; which
// keys are kept; and how long an epoch is to last.
//
// Thread safety: pure.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "policy/covenant.h"

namespace raakvlak::policy {

struct Snapshot;

// EpochsServed returns the epochs whose keys, seal key and tags are in use at `now`, newest first: the
// purpose's own, and the one before it until previous_epoch_until. Tags of all others are to be destroyed.
std::vector<uint32_t> EpochsServed(const v1::Purpose& purpose, absl::Time now);

bool IsEpochServed(const v1::Purpose& purpose, uint32_t epoch, absl::Time now);

// When the epoch before ends; InfinitePast when none is served.
absl::Time PreviousEpochUntil(const v1::Purpose& purpose);

// IsEpochWanted: whether keys of the epoch are made, taken and kept. They are when the covenant in force
// serves it at `now`, or one that follows it does, which waits for its date or, when that has come, for its
// roster: keys are made beforehand. Keys of all others are to be destroyed.
bool IsEpochWanted(const Snapshot& snapshot, absl::string_view purpose, uint32_t epoch, absl::Time now);

// How many days an epoch is to last: epoch_days, or 365.
uint32_t EpochDays(const v1::Covenant& covenant);

// EpochDue returns when the epoch of a purpose is to be followed by the next: EpochDays after valid_from of
// the oldest covenant in which the purpose has this epoch. It goes by the covenants that are known here: a
// process that does not have the older ones (it joined later) takes the epoch for younger. REQUIRES:
// `purpose` is of the covenant in force.
absl::Time EpochDue(const Snapshot& snapshot, const v1::Purpose& purpose);

// IsEpochOver: whether the epoch is due at `now` and no covenant that follows raises it. REQUIRES: as
// EpochDue.
bool IsEpochOver(const Snapshot& snapshot, const v1::Purpose& purpose, absl::Time now);

}  // namespace raakvlak::policy
