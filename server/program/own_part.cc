#include "server/program/own_part.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"

namespace raakvlak::server {
namespace {

// Name and value of what the covenant gives the process; empty when it has no part.
std::vector<std::pair<const char*, std::string>> PartOf(const policy::Covenant& covenant,
                                                        absl::string_view urn) {
  const v1::Covenant& text = covenant.text();
  if (text.broker().urn() == std::string(urn)) {
    return {{"witness_key", text.broker().witness_key()}, {"log_key", text.broker().log_key()}};
  }
  if (text.hub().urn() == std::string(urn)) {
    return {{"signing_key", text.hub().signing_key()}, {"log_key", text.hub().log_key()}};
  }
  for (const v1::Partner& partner : text.partners()) {
    if (policy::Urn(covenant.region(), "node", partner.id()) != std::string(urn)) continue;
    return {{"signing_key", partner.signing_key()},
            {"witness_key", partner.witness_key()},
            {"log_key", partner.log_key()}};
  }
  return {};
}

}  // namespace

std::string AddressOf(const v1::Partner& partner,
                      const google::protobuf::RepeatedPtrField<v1::AddressOverride>& overrides) {
  for (const v1::AddressOverride& each : overrides) {
    if (each.partner() == partner.id()) return each.address();
  }
  return partner.peer_address();
}

std::vector<std::string> ChangedPart(const policy::Covenant& start, const policy::Covenant& now,
                                     absl::string_view urn) {
  const auto was = PartOf(start, urn);
  const auto is = PartOf(now, urn);
  if (is.size() != was.size()) return {"partner"};
  std::vector<std::string> changed;
  for (size_t i = 0; i < is.size(); ++i) {
    if (is[i] != was[i]) changed.push_back(is[i].first);
  }
  return changed;
}

bool OwnPart::Look(const policy::Covenant& now) {
  if (now.id() == seen_) return false;
  seen_ = now.id();
  const std::vector<std::string> changed = ChangedPart(*start_, now, urn_);
  if (changed.empty()) return false;
  base::Log(base::LogLevel::kError, "policy.other_configuration",
            {{"covenant_version", absl::StrCat(now.text().version())},
             {"changed", absl::StrJoin(changed, ", ")},
             {"what_to_do", "give this process the files that the covenant names, and start it again"}});
  return true;
}

}  // namespace raakvlak::server
