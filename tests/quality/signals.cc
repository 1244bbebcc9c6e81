#include "tests/quality/signals.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/civil_time.h"
#include "linkage/normalise.h"
#include "tests/quality/misspell.h"
#include "tests/quality/random.h"

namespace raakvlak::quality {
namespace {

// Chance per record. The columns are the levels low, middle, high; docs/quality.md has the reasons.
struct Rates {
  double surname_typo, surname_sound, given_typo, given_sound, scanned;
  double foreign_spelling;  // added to given_sound and surname_sound for names of other origins
  double no_marks;          // diacritics left out
  double names_swapped;     // given name in the surname's place
  double call_name;         // written instead of the official one, where somebody has one
  double all_given_names;   // more than the first
  double initial_only;
  double partner_name, double_name;  // of the married, instead of the own name
  double date_swapped, date_digit, date_first_of_january, date_part, date_missing;
  double old_address, postcode_digit, number_digit, address_missing;
  double surname_missing, given_missing;
  double bsn_missing, bsn_of_relative;
};

Rates RatesOf(Level level) {
  const size_t column = level == Level::kLow ? 0 : level == Level::kMiddle ? 1 : 2;
  const auto at = [column](double low, double middle, double high) {
    return std::array<double, 3>{low, middle, high}[column];
  };
  Rates r;
  r.surname_typo = at(0.003, 0.010, 0.040);
  r.surname_sound = at(0.003, 0.010, 0.040);
  r.given_typo = at(0.003, 0.010, 0.040);
  r.given_sound = at(0.003, 0.010, 0.040);
  r.scanned = at(0.001, 0.003, 0.010);
  r.foreign_spelling = at(0.005, 0.020, 0.060);
  r.no_marks = at(0.20, 0.40, 0.60);
  r.names_swapped = at(0.0005, 0.002, 0.010);
  r.call_name = at(0.03, 0.08, 0.20);
  r.all_given_names = at(0.50, 0.40, 0.30);
  r.initial_only = at(0.002, 0.005, 0.020);
  r.partner_name = at(0.01, 0.03, 0.08);
  r.double_name = at(0.05, 0.10, 0.15);
  r.date_swapped = at(0.0005, 0.002, 0.008);
  r.date_digit = at(0.001, 0.004, 0.015);
  r.date_first_of_january = at(0.0003, 0.001, 0.005);
  r.date_part = at(0.0005, 0.002, 0.010);
  r.date_missing = at(0.001, 0.003, 0.010);
  r.old_address = at(0.20, 0.35, 0.60);  // of those who moved
  r.postcode_digit = at(0.001, 0.004, 0.015);
  r.number_digit = at(0.001, 0.004, 0.015);
  r.address_missing = at(0.005, 0.020, 0.050);
  r.surname_missing = at(0.0002, 0.001, 0.005);
  r.given_missing = at(0.001, 0.003, 0.010);
  r.bsn_missing = at(0.005, 0.010, 0.030);
  r.bsn_of_relative = at(0.0, 0.00005, 0.0005);
  return r;
}

// What differs between the partners, as factors on the rates.
struct Habits {
  double names, dates, call_names, initials, bsn_missing;
  bool has_bsn;
};

constexpr Habits kHabits[kPartnerCount] = {
    {1.5, 1.5, 1.0, 1.0, 8.0, true},    // police: persons without papers, names by ear
    {0.3, 0.3, 0.2, 0.2, 0.5, true},    // municipality: copies the population register
    {1.0, 0.8, 1.5, 0.5, 2.0, true},    // youth care: what the family says
    {1.5, 2.0, 1.5, 8.0, 0.0, false}};  // housing: tenancy papers, initials, no BSN

class Writer {
 public:
  Writer(const Population& population, Level level, uint64_t seed)
      : population_(population), rates_(RatesOf(level)), random_(seed) {
    for (uint32_t i = 0; i < population.people.size(); ++i) {
      households_[population.people[i].household].push_back(i);
    }
  }

  std::vector<Signal> Write() {
    std::vector<Signal> out;
    for (const auto& [household, members] : households_) {
      const bool known = random_.Chance(0.2);
      const double several = known ? 0.17 : 0.02;
      const double one = known ? 0.30 : 0.1125;
      for (const uint32_t person : members) {
        const double at = random_.Unit();
        if (at >= several + one) continue;
        for (const uint32_t partner : Partners(population_.people[person], at < several ? Several() : 1)) {
          out.push_back({person, partner, Written(person, partner)});
        }
      }
    }
    random_.Shuffle(out);
    return out;
  }

 private:
  size_t Several() { return random_.Chance(0.75) ? 2 : random_.Chance(0.8) ? 3 : 4; }

  std::vector<uint32_t> Partners(const Person& person, size_t count) {
    const int age = linkage::AgeOn(person.born, population_.today);
    std::array<double, kPartnerCount> weights = {};
    weights[kPolice] = age < 10 ? 0.1 : age < 27 ? 1.5 : 1.0;
    weights[kMunicipality] = 1.0;
    weights[kYouthCare] = age < 23 ? 1.5 : 0.1;
    // It knows its tenants; of their children, grown or not, few.
    weights[kHousing] = person.with_parents ? 0.2 : 0.8;
    std::vector<uint32_t> partners;
    while (partners.size() < count) {
      Weighted choice;
      for (uint32_t i = 0; i < kPartnerCount; ++i) choice.Add(weights[i]);
      const auto partner = static_cast<uint32_t>(choice.Draw(random_));
      if (weights[partner] == 0) continue;
      weights[partner] = 0;
      partners.push_back(partner);
    }
    return partners;
  }

  bool Happens(double rate, double factor = 1) { return random_.Chance(std::min(0.9, rate * factor)); }

  linkage::Record Written(uint32_t index, uint32_t partner) {
    const Person& person = population_.people[index];
    const Habits& habits = kHabits[partner];
    linkage::Record record;
    WriteSurname(person, habits, record);
    WriteGivenNames(person, habits, record);
    if (Happens(rates_.names_swapped, habits.names)) std::swap(record.surname, record.given_names);
    WriteDate(person, habits, record);
    WriteAddress(person, partner, record);
    if (habits.has_bsn && !Happens(rates_.bsn_missing, habits.bsn_missing)) {
      const std::vector<uint32_t>& family = households_[person.household];
      const uint32_t bearer = Happens(rates_.bsn_of_relative) ? random_.Pick(family) : index;
      record.bsn = population_.people[bearer].bsn;
    }
    // No record is without any key.
    if (record.bsn.empty() && (record.surname.empty() || record.birth_date.empty())) {
      record.surname = person.name.surname;
      record.birth_date = FormatDate(person.born);
    }
    return record;
  }

  std::string Misspelled(std::string text, double typo, double sound, const Person& person, double factor) {
    if (person.origin != "dutch") sound += rates_.foreign_spelling;
    if (Happens(typo, factor)) text = Typo(text, random_);
    if (Happens(sound, factor)) text = SoundsAlike(text, random_);
    if (Happens(rates_.scanned, factor)) text = Scanned(text, random_);
    if (Happens(rates_.no_marks)) text = WithoutMarks(text);
    if (random_.Chance(0.1)) text = absl::AsciiStrToUpper(text);
    return text;
  }

  void WriteSurname(const Person& person, const Habits& habits, linkage::Record& record) {
    if (Happens(rates_.surname_missing, habits.names)) return;
    Name name = person.name;
    // The population register gives the own name; elsewhere a married woman may go by her husband's.
    const bool goes_by_partner =
        !person.partner_name.surname.empty() && person.sex == 'f' && habits.names >= 1;
    if (goes_by_partner && Happens(rates_.partner_name)) {
      name = person.partner_name;
    } else if (goes_by_partner && Happens(rates_.double_name)) {
      const Name& partner = person.partner_name;
      const std::string own = absl::StrCat(name.prefix, name.prefix.empty() ? "" : " ", name.surname);
      name = {partner.prefix, absl::StrCat(partner.surname, random_.Chance(0.7) ? "-" : " - ", own)};
    }
    record.surname =
        Misspelled(name.surname, rates_.surname_typo, rates_.surname_sound, person, habits.names);
    record.surname_prefix = name.prefix;
    if (!name.prefix.empty() && random_.Chance(0.2)) {  // written in one, or left out
      record.surname_prefix.clear();
      if (random_.Chance(0.8)) record.surname = absl::StrCat(name.prefix, " ", record.surname);
    }
  }

  void WriteGivenNames(const Person& person, const Habits& habits, linkage::Record& record) {
    if (Happens(rates_.given_missing, habits.names)) return;
    std::vector<std::string> names = person.given_names;
    if (!person.call_name.empty() && Happens(rates_.call_name, habits.call_names)) names = {person.call_name};
    if (Happens(rates_.initial_only, habits.initials)) {
      for (std::string& name : names) {
        const bool wide = (static_cast<unsigned char>(name[0]) & 0x80u) != 0;
        name = name.substr(0, wide ? 2 : 1) + ".";
      }
      record.given_names = absl::StrJoin(names, "");
      return;
    }
    if (!random_.Chance(rates_.all_given_names)) names.resize(1);
    names[0] = Misspelled(names[0], rates_.given_typo, rates_.given_sound, person, habits.names);
    record.given_names = absl::StrJoin(names, " ");
  }

  static std::string FormatDate(absl::CivilDay day) {
    return absl::StrFormat("%04d-%02d-%02d", day.year(), day.month(), day.day());
  }

  void WriteDate(const Person& person, const Habits& habits, linkage::Record& record) {
    if (Happens(rates_.date_missing, habits.dates * (habits.has_bsn ? 1 : 5))) return;
    absl::CivilDay day = person.born;
    if (Happens(rates_.date_swapped, habits.dates) && day.day() <= 12) {
      day = absl::CivilDay(day.year(), day.day(), day.month());
    }
    if (Happens(rates_.date_digit, habits.dates)) day = WrongDay(day);
    if (Happens(rates_.date_first_of_january, habits.dates)) day = absl::CivilDay(day.year(), 1, 1);
    if (day > population_.today) day = person.born;
    record.birth_date = FormatDate(day);
    if (Happens(rates_.date_part, habits.dates)) {
      record.birth_date.replace(8, 2, "00");
      if (random_.Chance(0.5)) record.birth_date.replace(5, 2, "00");
    }
  }

  // A slip of one digit that is still a date.
  absl::CivilDay WrongDay(absl::CivilDay day) {
    switch (random_.Below(3)) {
      case 0:
        return absl::CivilDay(day.year(), day.month(), random_.Between(1, 28));
      case 1:
        return absl::CivilDay(day.year(), random_.Between(1, 12), std::min(28, static_cast<int>(day.day())));
      default: {
        const auto year = day.year() + (random_.Chance(0.5) ? 1 : -1) * (random_.Chance(0.5) ? 1 : 10);
        return absl::CivilDay(year, day.month(), std::min(28, static_cast<int>(day.day())));
      }
    }
  }

  void WriteAddress(const Person& person, uint32_t partner, linkage::Record& record) {
    if (Happens(rates_.address_missing, partner == kHousing ? 0.1 : 1)) return;
    // Police and housing have the address of the incident or the tenancy; the register follows within days.
    const double stale = partner == kMunicipality ? 0.1 : partner == kHousing ? 0.5 : 1;
    const bool old = person.moved() && Happens(rates_.old_address, stale);
    const Home& home = population_.homes[old ? person.former_home : person.home];
    record.postcode = home.postcode;
    if (Happens(rates_.postcode_digit)) {
      record.postcode =
          absl::StrCat(WrongDigit(home.postcode.substr(0, 4), random_), home.postcode.substr(4));
    }
    record.house_number =
        Happens(rates_.number_digit) ? WrongDigit(home.house_number, random_) : home.house_number;
    if (!random_.Chance(0.1)) record.house_letter = home.house_letter;
    if (random_.Chance(0.3)) record.postcode.insert(4, " ");
  }

  const Population& population_;
  const Rates rates_;
  Random random_;
  std::map<uint32_t, std::vector<uint32_t>> households_;
};

}  // namespace

std::vector<Signal> MakeSignals(const Population& population, Level level, uint64_t seed) {
  return Writer(population, level, seed + 0x5161A15).Write();
}

}  // namespace raakvlak::quality
