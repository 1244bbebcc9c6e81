// Signals: who of a made region is known to which partner, and how that partner wrote the person down.
//
// The error model is one table of rates per level (signals.cc), with the reasons in docs/quality.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "linkage/record.h"
#include "tests/quality/population.h"

namespace raakvlak::quality {

enum class Level { kLow, kMiddle, kHigh };

// As indices of Signal::partner and names of the files that are written.
inline constexpr absl::string_view kPartners[] = {"politie", "gemeente", "jeugdzorg", "woningcorporatie"};
enum Partner : uint32_t { kPolice, kMunicipality, kYouthCare, kHousing, kPartnerCount };

struct Signal {
  uint32_t person = 0;  // index in Population::people
  uint32_t partner = 0;
  linkage::Record record;
};

// MakeSignals: 5 % of the people have signals at two or more partners, 15 % at one; of every five households
// one is known more often. Never two signals on one person at one partner.
std::vector<Signal> MakeSignals(const Population& population, Level level, uint64_t seed);

}  // namespace raakvlak::quality
