#include "policy/evidence.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace raakvlak::policy {
namespace {

// What there is of one rule in one epoch.
struct Epoch {
  std::set<uint32_t> organisations;
  std::set<std::string> had;
  // By tag and commitments.
  std::map<std::pair<std::string, std::string>, std::set<uint32_t>> holders;
};

struct Rule {
  v1::Quality quality = v1::SUPPORTING;
  std::map<uint32_t, Epoch> epochs;
};

}  // namespace

std::vector<v1::RuleEvidence> EvidenceOf(const std::vector<std::string>& partners,
                                         absl::Span<const EvidenceToken> tokens) {
  std::map<std::string, Rule> rules;
  for (const EvidenceToken& token : tokens) {
    Rule& rule = rules[token.rule];
    rule.quality = std::min(rule.quality, token.quality);
    Epoch& epoch = rule.epochs[token.epoch];
    epoch.organisations.insert(token.organisation);
    epoch.had.insert(token.partner);
    epoch.holders[{token.tag, token.commitments}].insert(token.organisation);
  }
  std::map<std::string, std::set<std::string>> agreeing;
  for (const EvidenceToken& token : tokens) {
    if (rules[token.rule].epochs[token.epoch].holders[{token.tag, token.commitments}].size() > 1) {
      agreeing[token.rule].insert(token.partner);
    }
  }
  const std::set<std::string> sorted(partners.begin(), partners.end());
  std::vector<v1::RuleEvidence> evidence;
  for (const auto& [id, rule] : rules) {
    std::set<std::string> compared;
    for (const auto& [number, epoch] : rule.epochs) {
      if (epoch.organisations.size() >= 2) compared.insert(epoch.had.begin(), epoch.had.end());
    }
    if (compared.empty()) continue;
    v1::RuleEvidence& entry = evidence.emplace_back();
    entry.set_rule(id);
    entry.set_quality(rule.quality);
    for (const std::string& partner : sorted) {
      const bool agrees = agreeing[id].contains(partner);
      *(agrees                       ? entry.add_agree()
        : compared.contains(partner) ? entry.add_differ()
                                     : entry.add_absent()) = partner;
    }
  }
  std::stable_sort(evidence.begin(), evidence.end(),
                   [](const auto& left, const auto& right) { return left.quality() < right.quality(); });
  return evidence;
}

}  // namespace raakvlak::policy
