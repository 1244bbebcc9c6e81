// Reports: the figures of a run as tables for people and as JSON for programs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/quality/linker.h"

namespace raakvlak::quality {

struct RuleFigures {
  std::string id;
  uint64_t records = 0;  // to which it applies
  Figures alone;         // with no other rule
};

struct Result {
  Figures all;
  std::vector<RuleFigures> rules;
};

// One way to cut the people, for example by age: a recall and precision for each part.
struct Subgroups {
  std::string by;
  std::vector<std::pair<std::string, Figures>> parts;
  double RecallGap() const;
};

struct Report {
  std::string title;
  Result without_id;
  Result with_id;
  Figures no_id_on_either_side;  // only for the generator
  std::vector<Subgroups> subgroups;
};

// Judge links by all of `rules`, and by each alone.
Result Judge(const std::vector<Item>& items, const std::vector<linkage::DefaultRule>& rules,
             const std::vector<size_t>& use, Pairs pairs);

std::string Tables(const Report& report);
std::string Json(const Report& report);

}  // namespace raakvlak::quality
