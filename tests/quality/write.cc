#include "tests/quality/write.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace raakvlak::quality {
namespace {

constexpr char kHeader[] =
    "client_ref,purpose,kind,category,bsn,surname,surname_prefix,given_names,birth_date,postcode,house_"
    "number,"
    "house_letter,house_suffix,contact,note\n";

std::string Quoted(const std::string& text) {
  return text.empty() ? text : absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

}  // namespace

bool WriteSignals(const std::string& folder, const std::vector<Signal>& signals) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return false;
  for (uint32_t partner = 0; partner < kPartnerCount; ++partner) {
    std::ofstream out(absl::StrCat(folder, "/", kPartners[partner], ".csv"), std::ios::binary);
    out << kHeader;
    for (size_t i = 0; i < signals.size(); ++i) {
      if (signals[i].partner != partner) continue;
      const linkage::Record& r = signals[i].record;
      out << i << ",onaantastbaren,signal,overlast";
      for (const std::string* field : {&r.bsn, &r.surname, &r.surname_prefix, &r.given_names, &r.birth_date,
                                       &r.postcode, &r.house_number, &r.house_letter, &r.house_suffix}) {
        out << "," << Quoted(*field);
      }
      out << ",balie,\n";
    }
    if (!out.flush()) return false;
  }
  return true;
}

bool WriteMatches(const std::string& folder, const Population& population, const std::vector<Signal>& signals,
                  const std::vector<linkage::DefaultRule>& rules) {
  std::vector<Item> items;
  for (const Signal& signal : signals) {
    const auto fields = linkage::Normalise(signal.record, population.today, linkage::Recipe::kTwo);
    items.push_back(
        MakeItem(signal.person, signal.partner, fields.ok() ? *fields : linkage::Normalised(), rules));
  }
  std::vector<size_t> all(rules.size());
  std::iota(all.begin(), all.end(), size_t{0});
  const std::vector<uint32_t> sets = Link(items, all, Pairs::kAcrossSources);
  std::map<uint32_t, std::vector<std::pair<std::string, std::string>>> members;
  for (size_t i = 0; i < signals.size(); ++i) {
    members[sets[i]].emplace_back(std::string(kPartners[signals[i].partner]), absl::StrCat(i));
  }
  nlohmann::json out = nlohmann::json::array();
  for (auto& [set, match] : members) {
    std::sort(match.begin(), match.end());
    if (match.size() > 1) out.push_back(match);
  }
  std::ofstream file(absl::StrCat(folder, "/matches.json"), std::ios::binary);
  file << out.dump() << "\n";
  return static_cast<bool>(file.flush());
}

}  // namespace raakvlak::quality
