// Writes a made region in Raakvlak's own form, so that real processes can take it in.
#pragma once

#include <string>
#include <vector>

#include "tests/quality/linker.h"
#include "tests/quality/population.h"
#include "tests/quality/signals.h"

namespace raakvlak::quality {

// WriteSignals writes <partner>.csv per partner into `folder`, which it makes. client_ref is "<index of the
// signal>"; category and purpose are the demonstration's. False when it cannot write.
bool WriteSignals(const std::string& folder, const std::vector<Signal>& signals);

// WriteMatches writes matches.json beside them: a list of lists of [partner, client_ref], sorted: the
// connected sets of two or more partners that the plain hash finds.
bool WriteMatches(const std::string& folder, const Population& population, const std::vector<Signal>& signals,
                  const std::vector<linkage::DefaultRule>& rules);

}  // namespace raakvlak::quality
