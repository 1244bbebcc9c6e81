// Shares: what the collision budget reckons with. Only for linkage/collision_*.cc.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "linkage/normalise.h"
#include "linkage/record.h"
#include "linkage/rules.h"

namespace raakvlak::linkage {

// Which fields of a rule: looking at one part of the record there is no need to derive the others.
enum class Made { kOfAll, kOfTheDate, kOfTheRest };

// Identifiers numbers the identifiers of one rule, or what those fields make of them; kNone: the rule has
// none for that record.
class Identifiers {
 public:
  static constexpr int kNone = -1;
  explicit Identifiers(const RuleDefinition& rule, Made fields = Made::kOfAll);
  int Of(const Normalised& record);

 private:
  RuleDefinition rule_;
  std::unordered_map<std::string, int> known_;
};

// Shares by identifier. Those that are compared are Gathered: sorted, each identifier once.
using Shares = std::vector<std::pair<int, double>>;

void Add(Shares& shares, int value, double share);
Shares Gathered(Shares shares);
double SumOf(const Shares& shares);

// Agreement is the chance that one drawn from each are the same.
double Agreement(const Shares& first, const Shares& second);

// Joint is the chance that one drawn from each are this one, by identifier.
Shares Joint(const Shares& first, const Shares& second);

// AnyRecord has every field: names that nobody bears, so that they agree with none, and a date and an address
// for which every derived field has a value. It stands for the parts of a record that are not looked at.
Record AnyRecord();

// NormalisedOf CHECKs that `record` can be normalised.
Normalised NormalisedOf(const Record& record);

}  // namespace raakvlak::linkage
