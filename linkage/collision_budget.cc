#include "linkage/collision_budget.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "linkage/collision_model.h"
#include "linkage/collision_places.h"
#include "linkage/collision_shares.h"
#include "linkage/name_frequency.h"
#include "linkage/normalise.h"

namespace raakvlak::linkage {
namespace {

constexpr std::array<int, 5> kPeriods = {1900, 1945, 1970, 1995, 9999};
constexpr int kNumPeriods = 4;

int PeriodOf(int year) {
  int period = 0;
  while (year >= kPeriods[static_cast<size_t>(period) + 1]) ++period;
  return period;
}

// A given name, per origin, sex and period.
struct Bearers {
  size_t name;  // index of PreparedNames::given
  double share;
};

constexpr std::array<char, 2> kSexes = {'m', 'f'};

}  // namespace

struct PreparedNames {
  PreparedNames() {
    for (const SurnameRow& row : ShippedSurnames()) {
      Record record = AnyRecord();
      record.surname_prefix = row.prefix;
      record.surname = row.surname;
      surnames.push_back(NormalisedOf(record));
      const auto at = std::find(origins.begin(), origins.end(), row.origin);
      surname_origin.push_back(static_cast<size_t>(at - origins.begin()));
      if (at == origins.end()) {
        origins.push_back(row.origin);
        share_of_origin.push_back(0);
      }
      surname_share.push_back(row.share);
      share_of_origin[surname_origin.back()] += row.share;
    }
    given_names.resize(origins.size());
    std::map<std::string, size_t> known;
    for (const GivenNameRow& row : ShippedGivenNames()) {
      const auto [at, is_new] = known.emplace(row.name, given.size());
      if (is_new) {
        Record record = AnyRecord();
        record.given_names = row.name;
        given.push_back(NormalisedOf(record));
      }
      const auto origin =
          static_cast<size_t>(std::find(origins.begin(), origins.end(), row.origin) - origins.begin());
      for (size_t period = 0; period < kNumPeriods; ++period) {
        if (row.last_year < kPeriods[period] || row.first_year >= kPeriods[period + 1]) continue;
        given_names[origin][row.sex == kSexes[0] ? 0 : 1][period].push_back({at->second, row.share});
      }
    }
  }

  std::vector<std::string> origins;
  std::vector<double> share_of_origin;
  std::vector<Normalised> surnames;
  std::vector<size_t> surname_origin;
  std::vector<double> surname_share;  // of all
  std::vector<Normalised> given;
  std::vector<std::array<std::array<std::vector<Bearers>, kNumPeriods>, kSexes.size()>> given_names;
};

namespace {

double ShareOfAge(int age) { return model::kPerMilleByDecade[age / 10] / 10'000; }

class Reckoner {
 public:
  Reckoner(const PreparedNames& tables, const RuleDefinition& rule, double population)
      : tables_(tables),
        names_(rule, Made::kOfTheRest),
        dates_(rule, Made::kOfTheDate),
        population_(population),
        places_(PlacesOf(rule, population)) {
    MakeNames();
    MakeDates();
  }

  // Fields of one person are none of theirs, so the whole population is in both.
  Collisions Household() {
    Collisions out;
    out.strangers =
        places_.homes * places_.agreement *
        (Strangers(rest_, rest_) + 2 * Strangers(rest_, unknown_) + Strangers(unknown_, unknown_));
    return out;
  }

  Collisions Person() {
    Collisions out;
    const double known = Strangers(rest_, rest_) + 2 * Strangers(rest_, unknown_);
    out.strangers = population_ * known * places_.agreement;
    out.unknown_days = population_ * Strangers(unknown_, unknown_) * places_.agreement;
    out.twins = Twins();
    out.siblings = Siblings();
    out.family = Parents() + Couples();
    return out;
  }

 private:
  using ByPeriod = std::vector<std::array<Shares, kNumPeriods>>;

  void MakeNames() {
    const size_t origins = tables_.origins.size();
    std::vector<Shares> shares(origins), local(origins);
    for (size_t i = 0; i < tables_.surnames.size(); ++i) {
      const size_t origin = tables_.surname_origin[i];
      const int value = names_.Of(tables_.surnames[i]);
      Add(shares[origin], value, tables_.surname_share[i] / tables_.share_of_origin[origin]);
      Add(local[origin], value, 1);
    }
    for (size_t origin = 0; origin < origins; ++origin) {
      // Every Dutch name is as likely to be one of some region's own.
      const bool has_local = tables_.origins[origin] == "dutch";
      if (has_local) {
        const auto names = static_cast<double>(local[origin].size());
        for (auto& [value, share] : shares[origin]) share *= 1 - model::kLocalName;
        for (const auto& [value, share] : local[origin])
          Add(shares[origin], value, model::kLocalName / names);
      }
      surnames_.push_back(Gathered(std::move(shares[origin])));
    }
    for (size_t i = 0; i < tables_.given.size(); ++i) {
      given_value_.push_back(names_.Of(tables_.given[i]));
    }
    given_.resize(origins);
    for (size_t origin = 0; origin < origins; ++origin) {
      for (size_t sex = 0; sex < kSexes.size(); ++sex) {
        for (size_t period = 0; period < kNumPeriods; ++period) {
          Shares names;
          for (const Bearers& each : tables_.given_names[origin][sex][period])
            Add(names, given_value_[each.name], each.share);
          given_[origin][sex][period] = Gathered(std::move(names));
        }
      }
    }
  }

  void MakeDates() {
    for (const std::string& origin : tables_.origins) {
      const double unknown = model::UnknownDays(origin);
      const auto at = std::find(unknown_days_.begin(), unknown_days_.end(), unknown);
      habit_.push_back(static_cast<size_t>(at - unknown_days_.begin()));
      if (at == unknown_days_.end()) unknown_days_.push_back(unknown);
    }
    Normalised record = NormalisedOf(AnyRecord());
    rest_.resize(unknown_days_.size());
    unknown_.resize(unknown_days_.size());
    years_.resize(unknown_days_.size());
    for (int age = 0; age < model::kAges; ++age) {
      const int year = model::kYear - 1 - age;
      const auto period = static_cast<size_t>(PeriodOf(year));
      Shares plain;
      absl::CivilDay day(year, 1, 1);
      for (int i = 0; i < model::kDaysOfYear; ++i, ++day)
        Add(plain, ValueOfDay(record, day), 1.0 / model::kDaysOfYear);
      plain = Gathered(std::move(plain));
      const int january = ValueOfDay(record, absl::CivilDay(year, 1, 1));
      const int july = ValueOfDay(record, absl::CivilDay(year, 7, 1));
      for (size_t habit = 0; habit < unknown_days_.size(); ++habit) {
        const double unknown = year < model::kDaysKnownFrom ? unknown_days_[habit] : 0;
        Shares of_year = plain;
        for (auto& [value, part] : of_year) {
          part *= 1 - unknown;
          Add(rest_[habit][period], value, ShareOfAge(age) * part);
        }
        for (const auto& [value, part] : {std::pair(january, unknown * model::kFirstOfJanuary),
                                          std::pair(july, unknown * (1 - model::kFirstOfJanuary))}) {
          Add(unknown_[habit][period], value, ShareOfAge(age) * part);
          Add(of_year, value, part);
        }
        years_[habit].push_back(Gathered(std::move(of_year)));
      }
    }
    for (ByPeriod* dates : {&rest_, &unknown_}) {
      for (auto& periods : *dates) {
        for (Shares& shares : periods) shares = Gathered(std::move(shares));
      }
    }
  }

  int ValueOfDay(Normalised& record, absl::CivilDay day) {
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02d-%02d", static_cast<int>(day.year()), day.month(), day.day());
    record.birth_date = text;
    record.birth_year.assign(text, 4);
    record.birth_month.assign(text + 5, 2);
    record.birth_day.assign(text + 8, 2);
    return dates_.Of(record);
  }

  // The chance that two people of the population agree whose dates are of `first` and `second`.
  double Strangers(const ByPeriod& first, const ByPeriod& second) const {
    std::map<std::array<size_t, 4>, double> known;
    const auto dates_agree = [&](size_t a, size_t p, size_t b, size_t q) {
      const auto [at, is_new] = known.try_emplace({a, p, b, q});
      if (is_new) at->second = Agreement(first[a][p], second[b][q]);
      return at->second;
    };
    double sum = 0;
    const size_t origins = tables_.origins.size();
    for (size_t a = 0; a < origins; ++a) {
      for (size_t b = 0; b < origins; ++b) {
        const double surnames = SurnamesAgree(a, b);
        for (size_t p = 0; p < kNumPeriods; ++p) {
          for (size_t q = 0; q < kNumPeriods; ++q) {
            const double dates = tables_.share_of_origin[a] * tables_.share_of_origin[b] *
                                 dates_agree(habit_[a], p, habit_[b], q);
            if (dates == 0) continue;
            double names = 0;
            for (size_t x = 0; x < kSexes.size(); ++x) {
              for (size_t y = 0; y < kSexes.size(); ++y) {
                const Shares& mine = given_[a][x][p];
                const Shares& other = given_[b][y][q];
                // Fields that take names in either order: the given name of one is the surname of the other.
                // Both at once when all four are one, as where the rule has no names at all.
                const double swapped = Agreement(mine, surnames_[b]) * Agreement(surnames_[a], other) -
                                       Agreement(Joint(surnames_[a], mine), Joint(surnames_[b], other));
                names += (surnames * Agreement(mine, other) + swapped) / 4;
              }
            }
            sum += dates * names;
          }
        }
      }
    }
    return sum;
  }

  double SurnamesAgree(size_t a, size_t b) const {
    const double agreement = Agreement(surnames_[a], surnames_[b]);
    if (a != b || tables_.origins[a] != "dutch" || surnames_[a].size() < 2) return agreement;
    // Two of one region bear the same of its own names more often than two of the country.
    const double together = std::min(1.0, model::kLocalRegion / population_);
    return agreement + model::kLocalName * model::kLocalName / model::kLocalNames * together;
  }

  // Sum over the people: share * rate of their age * agreement by origin and period, times `dates`.
  double Over(const std::function<double(int age)>& rate,
              const std::function<double(size_t origin, int age)>& dates,
              const std::function<double(size_t origin, size_t period)>& names) const {
    double sum = 0;
    for (size_t origin = 0; origin < tables_.origins.size(); ++origin) {
      std::array<double, kNumPeriods> of_period = {};
      for (int age = 0; age < model::kAges; ++age) {
        of_period[static_cast<size_t>(PeriodOf(model::kYear - 1 - age))] +=
            ShareOfAge(age) * rate(age) * dates(origin, age);
      }
      for (size_t period = 0; period < kNumPeriods; ++period) {
        if (of_period[period] > 0)
          sum += tables_.share_of_origin[origin] * of_period[period] * names(origin, period);
      }
    }
    return sum;
  }

  // The chance that somebody and a relative who is `first` to `last` years older or younger agree in the
  // date.
  double DatesOfOthers(size_t origin, int age, int first, int last) const {
    double sum = 0;
    for (int years = first; years <= last; ++years) {
      const int other = age + years;
      if (other >= 0 && other < model::kAges)
        sum += Agreement(years_[habit_[origin]][static_cast<size_t>(age)],
                         years_[habit_[origin]][static_cast<size_t>(other)]);
    }
    return sum / (last - first + 1);
  }

  // The chance that two brothers or sisters, who have different names, agree in the given name.
  double SiblingNames(size_t origin, size_t period, double of_one_sex) const {
    double sum = 0;
    for (size_t x = 0; x < kSexes.size(); ++x) {
      for (size_t y = 0; y < kSexes.size(); ++y)
        sum += (x == y ? of_one_sex : 1 - of_one_sex) / 2 * DifferentNames(origin, period, x, y);
    }
    return sum;
  }
  double DifferentNames(size_t origin, size_t period, size_t x, size_t y) const {
    // By name, by initial, by identifier, and by the last two together.
    std::array<Shares, 2> names, initials, values, both;
    std::map<std::string, int> letters;
    for (size_t side = 0; side < 2; ++side) {
      for (const Bearers& each : tables_.given_names[origin][side == 0 ? x : y][period]) {
        const int value = given_value_[each.name];
        const int letter =
            letters.emplace(tables_.given[each.name].initial, static_cast<int>(letters.size())).first->second;
        Add(names[side], static_cast<int>(each.name), each.share);
        Add(initials[side], letter, each.share);
        Add(values[side], value, each.share);
        if (value != Identifiers::kNone) Add(both[side], value * 1000 + letter, each.share);
      }
      for (auto* shares : {&names, &initials, &values, &both})
        (*shares)[side] = Gathered(std::move((*shares)[side]));
    }
    const auto agree = [](const std::array<Shares, 2>& shares) { return Agreement(shares[0], shares[1]); };
    const double same = agree(names);
    const auto differing = [same](double agreeing, double all) {
      return all <= same ? 0 : std::max(0.0, agreeing - same) / (all - same);
    };
    const double chosen = differing(agree(both), agree(initials));
    const double by_chance = differing(agree(values), 1);
    return model::kSameInitialOnPurpose * chosen + (1 - model::kSameInitialOnPurpose) * by_chance;
  }

  double Twins() const {
    const auto rate = [](int age) {
      return model::kYear - 1 - age >= model::kTwinsFrom ? model::kTwins : model::kTwinsBefore;
    };
    const auto together = [](int age) {
      const double stays = model::StaysHome(age);
      return stays * (model::kTwinDecidesAlike + (1 - model::kTwinDecidesAlike) * stays);
    };
    const auto place = [&](int age) {
      return together(age) + (1 - together(age)) * model::kTwinInRegion * places_.agreement;
    };
    return Over(
        [&](int age) { return rate(age) * place(age); },
        [&](size_t origin, int age) { return SumOf(years_[habit_[origin]][static_cast<size_t>(age)]); },
        [&](size_t origin, size_t period) { return SiblingNames(origin, period, model::kTwinsOfOneSex); });
  }

  double Siblings() const {
    return Over(
        [](int age) { return model::StaysHome(age) * model::kSiblingsAtHome; },
        [&](size_t origin, int age) {
          return (DatesOfOthers(origin, age, 1, model::kSiblingYears) +
                  DatesOfOthers(origin, age, -model::kSiblingYears, -1)) /
                 2;
        },
        [&](size_t origin, size_t period) { return SiblingNames(origin, period, model::kSiblingsOfOneSex); });
  }

  // Each child at home is a partner of the parent too.
  double Parents() const {
    return 2 * Over([](int age) { return model::StaysHome(age); },
                    [&](size_t origin, int age) {
                      return DatesOfOthers(origin, age, model::kYoungestParent, model::kOldestParent);
                    },
                    [&](size_t origin, size_t period) {
                      const size_t older = period == 0 ? 0 : period - 1;
                      const double named = (model::kSonAsFather + model::kDaughterAsMother) / 2;
                      double chance = 0;
                      for (size_t x = 0; x < kSexes.size(); ++x) {
                        for (size_t y = 0; y < kSexes.size(); ++y)
                          chance += Agreement(given_[origin][x][period], given_[origin][y][older]) / 4;
                      }
                      const double given = named / 2 + (1 - named / 2) * chance;
                      const double surname = Agreement(surnames_[origin], surnames_[origin]);
                      return given * (model::kNamingParent + model::kOtherParent * surname);
                    });
  }

  double Couples() const {
    return Over([](int age) { return age < model::kCouplesFromAge ? 0 : model::kInCouple; },
                [&](size_t origin, int age) {
                  return DatesOfOthers(origin, age, -model::kCoupleYears, model::kCoupleYears);
                },
                [&](size_t origin, size_t period) {
                  return Agreement(surnames_[origin], surnames_[origin]) *
                         Agreement(given_[origin][0][period], given_[origin][1][period]);
                });
  }

  const PreparedNames& tables_;
  Identifiers names_;
  Identifiers dates_;
  const double population_;
  const Places places_;
  std::vector<Shares> surnames_;                                                   // by origin
  std::vector<int> given_value_;                                                   // by name
  std::vector<std::array<std::array<Shares, kNumPeriods>, kSexes.size()>> given_;  // by origin, sex
  std::vector<double> unknown_days_;        // the different shares of days not known
  std::vector<size_t> habit_;               // by origin: which of them
  ByPeriod rest_, unknown_;                 // by that; hold the share of the population
  std::vector<std::vector<Shares>> years_;  // by that and age; each as a whole 1
};

bool HasNumber(const RuleDefinition& rule) {
  return std::any_of(rule.fields.begin(), rule.fields.end(),
                     [](const DerivedField* field) { return field->kind == FieldKind::kNumber; });
}

}  // namespace

CollisionModel::CollisionModel() : names_(std::make_unique<PreparedNames>()) {}
CollisionModel::~CollisionModel() = default;

Collisions CollisionModel::Expected(const RuleDefinition& rule, double population) const {
  // A number is given to one person only.
  if (HasNumber(rule)) return {};
  Reckoner reckoner(*names_, rule, population);
  return rule.subject == Subject::kHousehold ? reckoner.Household() : reckoner.Person();
}

double CollisionModel::Values(const RuleDefinition& rule, double population, const Collisions& expected) {
  if (HasNumber(rule)) return kBsns;
  if (rule.identifier_class == IdentifierClass::kAddress) return population / kPeoplePerAddress;
  const double pairs = (expected.strangers + expected.unknown_days) / population;
  return pairs > 0 ? 1 / pairs : std::numeric_limits<double>::max();
}

}  // namespace raakvlak::linkage
