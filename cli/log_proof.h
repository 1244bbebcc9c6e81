// What `raakvlak` checks of a log entry that a server hands out with its tlog-proof (docs/format/log.md), by
// the covenant alone. Thread safety: the function is pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "policy/covenant.h"
#include "raakvlak/v1/log.pb.h"

namespace raakvlak::cli {

struct ProvenEntry {
  uint64_t size = 0;                   // of the checkpoint's tree
  std::vector<std::string> witnesses;  // who cosigned it
};

// CheckLogProof: that the entry's leaf stands at its index in the log it names, under a checkpoint with the
// quorum for that log. NOT_FOUND when the covenant knows no such log; errors of tlog::VerifyProofFile;
// VERIFICATION_FAILED for the proof of another entry. Does NOT look at the details.
absl::StatusOr<ProvenEntry> CheckLogProof(const v1::LogEntry& entry, absl::string_view proof,
                                          const policy::Covenant& covenant);

}  // namespace raakvlak::cli
