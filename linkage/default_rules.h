// Default rules: the set that `raakvlak covenant new --rules default` offers, chosen by measurement
// (tests/quality). A covenant may have others.
//
// Thread safety: all functions are pure.
#pragma once

#include <vector>

#include "linkage/rules.h"

namespace raakvlak::linkage {

using DefaultRule = QualifiedRule;

// DefaultPersonRules returns the rules for purposes about persons; the one by BSN is the first.
const std::vector<DefaultRule>& DefaultPersonRules();

// DefaultHouseholdRules returns those for purposes about households.
const std::vector<DefaultRule>& DefaultHouseholdRules();

}  // namespace raakvlak::linkage
