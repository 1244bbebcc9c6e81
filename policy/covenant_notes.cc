#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "policy/covenant.h"
#include "policy/text.h"

namespace raakvlak::policy {
namespace {

// All BSNs but 000000000 that pass the 11-test.
constexpr uint64_t kNumBsns = 90'909'090;

std::string FallenGuarantee(bool broker, bool hub, bool node) {
  if (broker && hub && node) {
    return "it can read every signal, also a lone one, about anyone its node can name, without an order and "
           "without a log entry";
  }
  if (broker && hub) {
    return "no second party checks that an opening was ordered and logged, and submissions are not blind to "
           "those who read content";
  }
  if (broker) {
    return "it can tell who reported anyone that its node can name, and removes the outer layer of signals "
           "about them";
  }
  return "with a copy of the broker's store it can read signals, also lone ones, about anyone that its node "
         "can name";
}

}  // namespace

std::vector<std::string> CollusionWarnings(const v1::Covenant& covenant) {
  std::map<std::string, std::set<std::string>> nodes;
  for (const v1::Partner& partner : covenant.partners()) nodes[partner.organisation()].insert(partner.id());
  std::set<std::string> organisations = {covenant.broker().organisation(), covenant.hub().organisation()};
  std::vector<std::string> warnings;
  for (const std::string& organisation : organisations) {
    const bool broker = covenant.broker().organisation() == organisation;
    const bool hub = covenant.hub().organisation() == organisation;
    const bool node = nodes.contains(organisation);
    if (broker + hub + node < 2) continue;
    std::vector<std::string> roles;
    if (broker) roles.push_back("the broker");
    if (hub) roles.push_back("the hub");
    if (node) roles.push_back(absl::StrCat("node ", absl::StrJoin(nodes[organisation], " and ")));
    warnings.push_back(absl::StrCat(organisation, " runs ", absl::StrJoin(roles, " and "), ": ",
                                    FallenGuarantee(broker, hub, node)));
  }
  return warnings;
}

std::vector<std::string> QuotaNotes(const v1::Covenant& covenant) {
  const uint64_t n = KeyHolders(covenant).size();
  const uint64_t t = covenant.quorum();
  std::vector<std::string> notes;
  for (const v1::Quota& quota : covenant.quotas()) {
    std::set<uint64_t> colluding;
    if (t >= 2 && t <= n) colluding = {1, t - 1};
    for (const uint64_t c : colluding) {
      // Each of the n - c other holders answers q elements, and an evaluation takes t - c of them.
      const uint64_t reach = quota.elements_per_day() * (n - c) / (t - c);
      std::string note = absl::StrCat(v1::IdentifierClass_Name(quota.identifier_class()), ": ",
                                      quota.partner().empty() ? "a partner" : quota.partner(), " with ", c,
                                      " of ", n, " key holders on its side (its own counts) can evaluate ",
                                      Grouped(reach), " identifiers a day in each purpose (quota ",
                                      Grouped(quota.elements_per_day()), ", quorum ", t, ")");
      if (quota.identifier_class() == v1::BSN) {
        absl::StrAppend(&note, "; all BSNs in ", Grouped((kNumBsns + reach - 1) / reach), " days");
      }
      if (quota.demo_value()) note += "; a demonstration value";
      notes.push_back(std::move(note));
    }
  }
  return notes;
}

}  // namespace raakvlak::policy
