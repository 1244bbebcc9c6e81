// How the collision budget of rules is shown, common to `raakvlak covenant` and `raakvlak linkage`.
#pragma once

#include <nlohmann/json.hpp>

#include <ostream>
#include <vector>

#include "policy/budget/covenant_budget.h"

namespace raakvlak::cli {

// One row a rule: purpose, rule, quality, expected accidental partners in a region of `population` and
// nationally, who they are, verdict.
void PrintBudget(std::ostream& out, const std::vector<policy::RuleBudget>& budget, uint64_t population);

nlohmann::ordered_json BudgetJson(const std::vector<policy::RuleBudget>& budget);

}  // namespace raakvlak::cli
