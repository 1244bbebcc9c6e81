// Plays a history on a new region, with the oracle beside it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/events.h"

namespace raakvlak::simulation {

struct Outcome {
  // In words; none when all was as it should be.
  std::vector<std::string> problems;
  // How many events were played until the first problem.
  size_t played = 0;
  // How often what was compared.
  size_t signals = 0;
  size_t matches = 0;
};

// `tell`: says on standard output what each event does.
Outcome Play(uint64_t seed, const std::vector<Event>& history, bool tell);

// Shortest returns a part of `history` that still fails, and of which no event can be left out.
std::vector<Event> Shorten(uint64_t seed, std::vector<Event> history);

}  // namespace raakvlak::simulation
