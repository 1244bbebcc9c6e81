// Sealer: from a record and its pseudonyms to the signed envelope (docs/format/envelope.md, design 4.3
// and 4.4).
//
// Thread safety: all functions may be called from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "raakvlak/v1/envelope.pb.h"
#include "raakvlak/v1/intake.pb.h"
#include "server/node/environment.h"
#include "server/node/pseudonymiser.h"

namespace raakvlak::node {

// Seal makes the envelope of `record` as signal `signal_id` under the covenant in force and the epoch of
// `terms` (server/node/sealing_epoch.h). REQUIRES: the record has pseudonyms under that epoch, and the
// partner is one of the covenant. COVENANT_MISMATCH when the covenant has no seal key for the epoch;
// TOO_LARGE; INTERNAL.
absl::StatusOr<v1::Envelope> Seal(const Environment& environment, const policy::Snapshot& snapshot,
                                  const v1::Purpose& terms, v1::SignalKind kind, const v1::Record& record,
                                  const std::string& signal_id, storage::SignalDays days,
                                  absl::Span<const Pseudonym> pseudonyms);

}  // namespace raakvlak::node
