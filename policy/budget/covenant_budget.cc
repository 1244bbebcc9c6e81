#include "policy/budget/covenant_budget.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/epochs.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

constexpr double kMillion = 1e6;

absl::Status Invalid(absl::string_view where, absl::string_view what) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kCovenantInvalid,
                     absl::StrCat(where, ": ", what));
}

std::string RuleText(absl::string_view purpose, absl::string_view rule) {
  return absl::StrCat("purpose \"", purpose, "\" rule \"", rule, "\"");
}

// Which kind of partner makes the figure, for people who have to do something about it.
std::string Makeup(const linkage::Collisions& collisions) {
  std::vector<std::string> parts;
  for (const auto& [name, value] :
       {std::pair("strangers", collisions.strangers), std::pair("1 January", collisions.unknown_days),
        std::pair("twins", collisions.twins), std::pair("brothers and sisters", collisions.siblings),
        std::pair("parents and couples", collisions.family)}) {
    if (value > 0) parts.push_back(absl::StrCat(name, " ", FigureText(value)));
  }
  return absl::StrJoin(parts, ", ");
}

absl::string_view ValuesName(v1::IdentifierClass identifier_class) {
  if (identifier_class == v1::BSN) return "BSNs";
  return identifier_class == v1::ADDRESS ? "addresses" : "combinations of names, dates and places";
}

std::string Described(const Enumeration& each) {
  return absl::StrCat(each.partner.empty() ? "a partner" : each.partner,
                      " with all but one of the key holders it needs on its side can evaluate ",
                      Grouped(each.per_day), " identifiers a day, and so all ", Grouped(each.values), " ",
                      ValuesName(each.identifier_class), " in ", Grouped(each.days),
                      each.days == 1 ? " day" : " days");
}

// What was reckoned before: purposes share rules, quotas ask for them again, and so does the next covenant.
struct Known {
  const linkage::CollisionModel model;
  base::Mutex mutex;
  std::map<std::string, linkage::Collisions> collisions ABSL_GUARDED_BY(mutex);
};

linkage::Collisions Expected(const linkage::RuleDefinition& rule, double population) {
  static Known* const known = new Known;
  std::string key =
      absl::StrCat(rule.subject == linkage::Subject::kHousehold ? "household " : "person ", population);
  for (const linkage::DerivedField* field : rule.fields) absl::StrAppend(&key, " ", field->name);
  base::MutexLock lock(known->mutex);
  const auto [at, is_new] = known->collisions.try_emplace(std::move(key));
  if (is_new) at->second = known->model.Expected(rule, population);
  return at->second;
}

}  // namespace

std::string FigureText(double expected) {
  if (expected == 0) return "0";
  return expected < 1e-5 ? "< 0.00001" : absl::StrFormat("%.2g", expected);
}

absl::StatusOr<std::vector<linkage::QualifiedRule>> RulesOf(const v1::Purpose& purpose) {
  std::vector<linkage::QualifiedRule> rules;
  for (const v1::LinkageRule& rule : purpose.rules()) {
    auto definition = linkage::DefineRule(
        rule.id(), rule.version(), static_cast<linkage::IdentifierClass>(rule.identifier_class()),
        static_cast<linkage::Subject>(rule.subject()), {rule.fields().begin(), rule.fields().end()});
    if (!definition.ok()) {
      return Invalid(absl::StrCat(RuleText(purpose.id(), rule.id()), " version ", rule.version()),
                     definition.status().message());
    }
    rules.push_back({*std::move(definition), static_cast<linkage::Quality>(rule.quality())});
  }
  return rules;
}

namespace {

RuleBudget Judge(const std::string& purpose, const linkage::QualifiedRule& rule, double population,
                 uint32_t accepted_per_million) {
  return {purpose,
          rule.rule.id,
          rule.quality,
          Expected(rule.rule, population),
          Expected(rule.rule, linkage::kNationalPopulation),
          std::max(linkage::kCollisionBudget, accepted_per_million / kMillion)};
}

}  // namespace

std::vector<RuleBudget> BudgetOf(const std::string& purpose, const std::vector<linkage::QualifiedRule>& rules,
                                 uint64_t population) {
  std::vector<RuleBudget> budget;
  for (const linkage::QualifiedRule& rule : rules)
    budget.push_back(Judge(purpose, rule, static_cast<double>(population), 0));
  return budget;
}

absl::StatusOr<std::vector<RuleBudget>> BudgetOf(const v1::Covenant& covenant) {
  std::vector<RuleBudget> budget;
  for (const v1::Purpose& purpose : covenant.purposes()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto rules, RulesOf(purpose));
    for (size_t i = 0; i < rules.size(); ++i) {
      const uint32_t accepted = purpose.rules(static_cast<int>(i)).accept_partners_per_million();
      budget.push_back(Judge(purpose.id(), rules[i], covenant.population(), accepted));
    }
  }
  return budget;
}

absl::StatusOr<std::vector<Enumeration>> EnumerationsOf(const v1::Covenant& covenant) {
  std::map<int, double> fewest;
  for (const v1::Purpose& purpose : covenant.purposes()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto rules, RulesOf(purpose));
    for (const linkage::QualifiedRule& rule : rules) {
      const double values = linkage::CollisionModel::Values(rule.rule, covenant.population(),
                                                            Expected(rule.rule, covenant.population()));
      double& least = fewest.emplace(static_cast<int>(rule.rule.identifier_class), values).first->second;
      least = std::min(least, values);
    }
  }
  const uint64_t n = KeyHolders(covenant).size();
  const uint64_t t = covenant.quorum();
  const uint64_t epoch = EpochDays(covenant);
  // With c of t - 1 holders the others answer q(n-c)/(t-c): most for c = t - 1.
  const uint64_t factor = n >= t ? n - t + 1 : 1;
  std::set<int> accepted(covenant.accept_enumeration().begin(), covenant.accept_enumeration().end());
  std::vector<Enumeration> found;
  for (const v1::Quota& quota : covenant.quotas()) {
    const auto of_class = fewest.find(quota.identifier_class());
    if (of_class == fewest.end()) continue;
    const auto values = static_cast<uint64_t>(std::clamp(of_class->second, 1.0, 1e18));
    const uint64_t per_day = quota.elements_per_day() * factor;
    const uint64_t days = (values + per_day - 1) / per_day;
    if (days > epoch) continue;
    found.push_back({quota.partner(), quota.identifier_class(), values, per_day, days,
                     (values - 1) / (epoch * factor), accepted.contains(quota.identifier_class())});
  }
  return found;
}

absl::Status CheckLinkage(const v1::Covenant& covenant) {
  for (const v1::Purpose& purpose : covenant.purposes()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto rules, RulesOf(purpose));
    for (size_t i = 0; i < rules.size(); ++i) {
      const std::string where = RuleText(purpose.id(), rules[i].rule.id);
      const uint32_t accepted = purpose.rules(static_cast<int>(i)).accept_partners_per_million();
      if (accepted != 0 && rules[i].quality != linkage::Quality::kStrong)
        return Invalid(where, "accept_partners_per_million is for STRONG rules only");
      const double budget = accepted == 0 ? linkage::kCollisionBudget : accepted / kMillion;
      if (budget < linkage::kCollisionBudget || budget > 1) {
        return Invalid(where, "accept_partners_per_million is 1,000 (the budget) to 1,000,000");
      }
      if (rules[i].quality == linkage::Quality::kSupporting) continue;
      const linkage::Collisions expected = Expected(rules[i].rule, covenant.population());
      if (expected.total() <= budget) continue;
      return Invalid(where,
                     absl::StrCat("collision budget: ", FigureText(expected.total()),
                                  " accidental partners per record are expected in a region of ",
                                  Grouped(covenant.population()), " (", Makeup(expected),
                                  "), over the budget of ", FigureText(budget),
                                  "; give it quality SUPPORTING or more fields, or agree to the figure in "
                                  "accept_partners_per_million"));
    }
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const auto enumerations, EnumerationsOf(covenant));
  for (const Enumeration& each : enumerations) {
    if (each.accepted) continue;
    const std::string name = v1::IdentifierClass_Name(each.identifier_class);
    return Invalid(
        absl::StrCat("quota of \"", each.partner.empty() ? "every partner" : each.partner, "\" class ", name),
        absl::StrCat(Described(each), ", within one epoch; lower elements_per_day to at most ",
                     Grouped(each.largest_quota), ", or agree to it: accept_enumeration: ", name));
  }
  return absl::OkStatus();
}

absl::Status LinkageCheck::Check(const Covenant& covenant) {
  base::MutexLock lock(mutex_);
  if (covenant_id_ != covenant.id()) {
    status_ = CheckLinkage(covenant.text());
    covenant_id_ = covenant.id();
  }
  return status_;
}

std::vector<std::string> LinkageNotes(const std::vector<RuleBudget>& budget,
                                      const std::vector<Enumeration>& enumerations) {
  std::vector<std::string> notes;
  for (const RuleBudget& each : budget) {
    if (each.budget <= linkage::kCollisionBudget || each.here.total() <= linkage::kCollisionBudget) continue;
    notes.push_back(absl::StrCat(
        RuleText(each.purpose, each.rule), " is over the collision budget (", Makeup(each.here),
        ") and STRONG by the consent of all signers: of 1,000 records by this rule ",
        absl::StrFormat("%.1f", each.here.total() * 1000),
        " agree with another person of the region; whoever opens a match by this rule alone looks twice"));
  }
  for (const Enumeration& each : enumerations) {
    if (!each.accepted) continue;
    notes.push_back(absl::StrCat(
        v1::IdentifierClass_Name(each.identifier_class), ": ", Described(each),
        ", by the consent of all signers. With a copy of the broker's store it then knows of each whether "
        "it was reported, by whom and when, and has removed the outer layer of those signals; every "
        "evaluation stands in the logs of the other key holders"));
  }
  return notes;
}

}  // namespace raakvlak::policy
