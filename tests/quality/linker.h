// Linker: what the nodes and the broker do with records, in one process: rule inputs of the real normaliser
// and rules, groups of equal tags, connected sets. A plain hash stands in the OPRF's place: for measuring
// only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "linkage/default_rules.h"
#include "linkage/normalise.h"

namespace raakvlak::quality {

using Tag = std::array<uint8_t, 16>;

// One record: whom it is about in truth, where it comes from, and its tag per rule (when the rule applies).
struct Item {
  uint32_t person = 0;
  uint32_t source = 0;
  std::vector<std::optional<Tag>> tags;
};

Item MakeItem(uint32_t person, uint32_t source, const linkage::Normalised& record,
              const std::vector<linkage::DefaultRule>& rules);

// Which pairs count and which groups hold: all, or only those with records of two sources.
enum class Pairs { kAll, kAcrossSources };

struct Figures {
  uint64_t truth = 0;  // pairs of records about the same person
  uint64_t found = 0;  // pairs in one connected set
  uint64_t right = 0;  // both
  double precision() const {
    return found == 0 ? 1 : static_cast<double>(right) / static_cast<double>(found);
  }
  double recall() const { return truth == 0 ? 1 : static_cast<double>(right) / static_cast<double>(truth); }
  double f1() const {
    const double sum = precision() + recall();
    return sum == 0 ? 0 : 2 * precision() * recall() / sum;
  }
};

// Link returns for each item the number of its connected set, by the rules with these indices.
std::vector<uint32_t> Link(const std::vector<Item>& items, const std::vector<size_t>& rules, Pairs pairs);

// Count judges the sets; only items for which `keep` holds take part.
Figures Count(
    const std::vector<Item>& items, const std::vector<uint32_t>& sets, Pairs pairs,
    const std::function<bool(size_t)>& keep = [](size_t) { return true; });

}  // namespace raakvlak::quality
