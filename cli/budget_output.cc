#include "cli/budget_output.h"

#include "absl/strings/str_cat.h"
#include "cli/output.h"
#include "policy/text.h"

namespace raakvlak::cli {
namespace {

std::string Verdict(const policy::RuleBudget& rule) {
  if (!rule.within()) return rule.forms_groups() ? "refused: over the budget" : "may only support";
  return rule.here.total() > linkage::kCollisionBudget ? "over the budget, agreed to" : "within the budget";
}

nlohmann::ordered_json CollisionsJson(const linkage::Collisions& collisions) {
  return {{"total", collisions.total()},
          {"strangers", collisions.strangers},
          {"unknown_days", collisions.unknown_days},
          {"twins", collisions.twins},
          {"siblings", collisions.siblings},
          {"family", collisions.family}};
}

}  // namespace

void PrintBudget(std::ostream& out, const std::vector<policy::RuleBudget>& budget, uint64_t population) {
  out << "accidental partners expected per record in a region of " << policy::Grouped(population)
      << " (household rules: other addresses); budget " << policy::FigureText(linkage::kCollisionBudget)
      << "\n";
  Table table({"PURPOSE", "RULE", "QUALITY", "HERE", "STRANGERS", "1 JAN", "TWINS", "SIBLINGS",
               "OTHER FAMILY", "NATIONALLY", "VERDICT"});
  for (const policy::RuleBudget& rule : budget) {
    table.Add({rule.purpose, rule.rule, v1::Quality_Name(static_cast<int>(rule.quality)),
               policy::FigureText(rule.here.total()), policy::FigureText(rule.here.strangers),
               policy::FigureText(rule.here.unknown_days), policy::FigureText(rule.here.twins),
               policy::FigureText(rule.here.siblings), policy::FigureText(rule.here.family),
               policy::FigureText(rule.nationally.total()), Verdict(rule)});
  }
  table.Print(out);
}

nlohmann::ordered_json BudgetJson(const std::vector<policy::RuleBudget>& budget) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const policy::RuleBudget& rule : budget) {
    rows.push_back({{"purpose", rule.purpose},
                    {"rule", rule.rule},
                    {"quality", v1::Quality_Name(static_cast<int>(rule.quality))},
                    {"here", CollisionsJson(rule.here)},
                    {"nationally", CollisionsJson(rule.nationally)},
                    {"budget", rule.budget},
                    {"within", rule.within()},
                    {"verdict", Verdict(rule)}});
  }
  return rows;
}

}  // namespace raakvlak::cli
