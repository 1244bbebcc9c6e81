// Under which epoch a node seals.
//
// A new epoch has new keys, and may have other rules and another threshold. Until its keys are there a node
// goes on under the epoch before, as long as that is served (policy/epochs.h), by the terms that were agreed
// for it. An envelope names the covenant in force either way. Thread safety: all functions may be called from
// any thread.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/node/environment.h"

namespace raakvlak::node {

// FindSealingTerms returns the purpose as it was agreed for the newest served epoch that has a keyset for
// every class of its rules. It points into the covenants of the snapshot. PURPOSE_UNKNOWN: the covenant in
// force has no such purpose. KEYSET_UNKNOWN: no served epoch has its keys here.
absl::StatusOr<const v1::Purpose*> FindSealingTerms(const Environment& environment,
                                                    const policy::Snapshot& snapshot,
                                                    absl::string_view purpose);

}  // namespace raakvlak::node
