// A made region: people in households, with names, births and addresses drawn from the shipped frequency
// tables and the rates of docs/quality.md. What a register would know if it made no mistakes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/civil_time.h"

namespace raakvlak::quality {

struct Name {
  std::string prefix;
  std::string surname;
};

struct Home {
  std::string postcode;
  std::string house_number;
  std::string house_letter;
};

struct Person {
  uint32_t household = 0;
  std::string origin;  // as in linkage/data
  char sex = 'm';
  absl::CivilDay born;
  std::string bsn;
  Name name;
  Name partner_name;                     // of the spouse; empty when not married
  std::vector<std::string> given_names;  // official, one or more
  std::string call_name;                 // empty: the first given name
  bool with_parents = false;             // a child at home, of any age
  uint32_t home = 0;
  uint32_t former_home = 0;  // the same as home when not moved within two years
  bool moved() const { return home != former_home; }
};

struct Population {
  absl::CivilDay today;
  std::vector<Person> people;
  std::vector<Home> homes;
};

// MakePopulation returns at least `size` people: the last household is complete. The same for the same seed.
Population MakePopulation(size_t size, uint64_t seed, absl::CivilDay today);

// AgeBand: "0-11", "12-17", "18-26", "27-44", "45-66", "67+".
const char* AgeBand(absl::CivilDay born, absl::CivilDay today);

}  // namespace raakvlak::quality
