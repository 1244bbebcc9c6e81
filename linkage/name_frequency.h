// Frequency tables of names, shipped in linkage/data: how many people bear a surname or a given name, per
// origin.
//
// For the collision calculator and the quality bench. linkage/data/generate says where they come from: the
// heads are general knowledge, the tails are made and shorter than the real ones, so that accidental
// agreement comes out higher than it is. They do NOT describe any register, and nothing about one person
// follows from them.
//
// Thread safety: all functions are pure.
#pragma once

#include <string>
#include <vector>

namespace raakvlak::linkage {

struct SurnameRow {
  std::string origin;   // dutch, turkish, moroccan, surinamese, polish, arabic
  std::string prefix;   // tussenvoegsel, "van der"; may be empty
  std::string surname;  // without it
  double share;         // of all inhabitants; the sum over all rows is 1
};

struct GivenNameRow {
  std::string origin;
  char sex;  // 'm' or 'f'
  int first_year;
  int last_year;  // of birth, both included
  std::string name;
  std::vector<std::string> call_names;  // what bearers are called; may be empty
  double share;                         // within origin, sex and years; the sum over those rows is 1
};

// ShippedSurnames and ShippedGivenNames parse the tables that are part of the program. A row that cannot be
// parsed is a broken build: CHECK.
std::vector<SurnameRow> ShippedSurnames();
std::vector<GivenNameRow> ShippedGivenNames();

}  // namespace raakvlak::linkage
