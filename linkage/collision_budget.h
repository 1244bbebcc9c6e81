// Collision budget: how many other people a rule is expected to take for the person of a record.
//
// For a region of N inhabitants the expected accidental partners of one record are N * sum p^2 over the joint
// distribution of the rule's derived fields, which the shipped frequency tables (linkage/name_frequency.h)
// and the figures of collision_model.h give. Fields that depend on one another are counted once: what is made
// of one surname, one given name, one date or one address agrees or not as a whole. Households are in it:
// twins share date, surname and home, brothers and sisters surname and home, couples a home. So are people
// whose day of birth nobody knows, entered on 1 January or 1 July.
//
// A household rule is about the people at one address. Its partners are other addresses (with other people)
// under the same identifier; not households that share an address: they are what the list of excluded
// addresses is for.
//
// It does NOT know how one region differs from another, wrong or missing fields, or what a partner knows. It
// is an estimate within a factor of two for the made regions of tests/quality.
//
// Thread safety: const methods may be called from several threads.
#pragma once

#include <memory>

#include "linkage/rules.h"

namespace raakvlak::linkage {

// A rule with more expected partners may only support. DO NOT CHANGE: covenants are judged by it.
inline constexpr double kCollisionBudget = 1e-3;
inline constexpr double kNationalPopulation = 17'900'000;
inline constexpr double kPeoplePerAddress = 2.1;
// All BSNs but 000000000 that pass the 11-test.
inline constexpr double kBsns = 90'909'090;

struct PreparedNames;

// Expected partners of one record, by who they are.
struct Collisions {
  double strangers = 0;
  double unknown_days = 0;  // strangers, both entered on 1 January or 1 July for want of the day
  double twins = 0;         // of one birth, in the same home or another one of the region
  double siblings = 0;      // brothers and sisters of one home, of two births
  double family = 0;        // parents and children, couples
  double total() const { return strangers + unknown_days + twins + siblings + family; }
};

class CollisionModel {
 public:
  // Reads the shipped tables: some 0.1 s.
  CollisionModel();
  ~CollisionModel();

  // Expected returns the partners of one record in a region of so many inhabitants. A record without one of
  // the rule's fields has none. REQUIRES: population >= 1.
  Collisions Expected(const RuleDefinition& rule, double population) const;

  // Values returns how many identifiers of the rule somebody has to try who wants those of a region and has
  // no list of its people: the BSNs that exist (no region narrows them), its addresses for class ADDRESS,
  // else 1 / sum p^2 over strangers: the number of equally likely values with the same chance of agreement.
  // `expected` is what Expected returned for them.
  static double Values(const RuleDefinition& rule, double population, const Collisions& expected);

 private:
  std::unique_ptr<const PreparedNames> names_;
};

}  // namespace raakvlak::linkage
