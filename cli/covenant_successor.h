// The text of a covenant that follows another: where `raakvlak covenant new --previous` starts from.
//
// Thread safety: pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "policy/covenant.h"

namespace raakvlak::cli {

struct SuccessorTerms {
  // As the covenant writes times.
  std::string valid_from;
  // Empty: as in the previous one.
  std::string valid_until;
  // Purposes that get an epoch of new keys, and the hub's new seal key for each: X25519, 32 bytes in base64.
  std::vector<std::string> next_epochs;
  std::map<std::string, std::string> seal_keys;
};

// SuccessorText returns the previous text with the next version, what it supersedes, and the new epochs; the
// epoch before is served for overlap_days, during which its seal key stays. Partners, purposes and rules are
// as they were: who changes them edits the text. INVALID_ARGUMENT: a purpose is unknown or given twice, has
// no seal key, or a time is none; COVENANT_INVALID when what comes out breaks a rule.
absl::StatusOr<std::string> SuccessorText(const policy::Covenant& previous, const SuccessorTerms& terms);

}  // namespace raakvlak::cli
