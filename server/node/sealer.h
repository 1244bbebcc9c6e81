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

struct SealedSignal {
  v1::Envelope envelope;
  uint32_t expiry_day = 0;
};

// Seal makes the envelope of `record` as signal `signal_id`, submitted today. REQUIRES: the record is valid,
// has pseudonyms, and the partner is one of the covenant. COVENANT_MISMATCH when the covenant has no seal key
// for the purpose; TOO_LARGE; INTERNAL.
absl::StatusOr<SealedSignal> Seal(const Environment& environment, const policy::Snapshot& snapshot,
                                  const v1::Purpose& purpose, v1::SignalKind kind, const v1::Record& record,
                                  const std::string& signal_id, absl::Span<const Pseudonym> pseudonyms);

}  // namespace raakvlak::node
