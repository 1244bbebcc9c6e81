// What the linkage rules and quotas of a covenant come to: which rules there are, how many other people each
// takes for the person of a record (linkage/collision_budget.h), and whether a quota lets a partner try every
// value of a class within one epoch.
//
// `raakvlak covenant new|sign|verify` and the nodes check this. The broker and the hub do not: they must not
// contain linkage, and without a node nothing is linked.
//
// It lives apart from the rest of policy because it needs linkage. All functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "linkage/collision_budget.h"
#include "linkage/rules.h"
#include "policy/covenant.h"
#include "raakvlak/v1/covenant.pb.h"

namespace raakvlak::policy {

// RulesOf returns the rules of a purpose. COVENANT_INVALID for one that linkage::DefineRule refuses.
absl::StatusOr<std::vector<linkage::QualifiedRule>> RulesOf(const v1::Purpose& purpose);

// One rule of one purpose, judged.
struct RuleBudget {
  std::string purpose;
  std::string rule;
  linkage::Quality quality;
  linkage::Collisions here;        // at the covenant's population
  linkage::Collisions nationally;  // only shown
  double budget;                   // linkage::kCollisionBudget, or what the covenant agrees to for this rule
  bool forms_groups() const { return quality != linkage::Quality::kSupporting; }
  bool within() const { return here.total() <= budget; }
};
// BudgetOf judges the rules of a covenant, or rules of none under the name `purpose`. COVENANT_INVALID as
// RulesOf. REQUIRES: population >= 1.
absl::StatusOr<std::vector<RuleBudget>> BudgetOf(const v1::Covenant& covenant);
std::vector<RuleBudget> BudgetOf(const std::string& purpose, const std::vector<linkage::QualifiedRule>& rules,
                                 uint64_t population);

// A quota with which every value of a class can be tried within one epoch.
struct Enumeration {
  std::string partner;  // empty: every partner
  v1::IdentifierClass identifier_class;
  uint64_t values;   // of the region, see CollisionModel::Values; the fewest of the class's rules
  uint64_t per_day;  // a partner with t - 1 key holders on its side: q(n-c)/(t-c)
  uint64_t days;
  uint64_t largest_quota;  // elements a day that would not do
  bool accepted;           // Covenant.accept_enumeration
};
absl::StatusOr<std::vector<Enumeration>> EnumerationsOf(const v1::Covenant& covenant);

// CheckLinkage refuses what linkage cannot stand for. COVENANT_INVALID with purpose, rule and what to do: a
// rule that RulesOf refuses; an EXACT or STRONG rule over its budget; a consent for an EXACT or SUPPORTING
// rule, or to less than the budget; a quota that enumerates a class without consent. REQUIRES:
// CheckCovenant(covenant).ok().
absl::Status CheckLinkage(const v1::Covenant& covenant);

// LinkageCheck is CheckLinkage for a process that asks again and again: it remembers the covenant that it
// judged last. Thread safety: Check may be called from several threads.
class LinkageCheck {
 public:
  absl::Status Check(const Covenant& covenant);

 private:
  base::Mutex mutex_;
  std::string covenant_id_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// LinkageNotes says in words, one line each, what the covenant consents to beyond the limits.
std::vector<std::string> LinkageNotes(const std::vector<RuleBudget>& budget,
                                      const std::vector<Enumeration>& enumerations);

// A figure as people read it: "0.00031", "0.012", "2.4".
std::string FigureText(double expected);

}  // namespace raakvlak::policy
