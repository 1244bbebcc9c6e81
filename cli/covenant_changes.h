// What one covenant changes in another, in words: what a signer reads before signing.
//
// Thread safety: pure.
#pragma once

#include <string>
#include <vector>

#include "raakvlak/v1/covenant.pb.h"

namespace raakvlak::cli {

// CovenantChanges lists what differs, one line each: times, partners that join, leave or change, purposes
// that begin, end or change, epochs with what follows from a new one, quotas, and every other field by its
// name. No line for version and supersedes, which always differ.
std::vector<std::string> CovenantChanges(const v1::Covenant& before, const v1::Covenant& after);

}  // namespace raakvlak::cli
