// Places: the homes of a region, as the collision budget sees them.
//
// Thread safety: pure.
#pragma once

#include "linkage/rules.h"

namespace raakvlak::linkage {

struct Places {
  double homes;
  // The chance that two different homes agree in the rule's fields of the address; 1 when it has none.
  double agreement;
};

// PlacesOf: postcodes of consecutive areas, house numbers that start low more often than high
// (collision_model.h). REQUIRES: population >= 1.
Places PlacesOf(const RuleDefinition& rule, double population);

}  // namespace raakvlak::linkage
