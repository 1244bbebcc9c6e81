#include "server/program/own_part.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "crypto/note/note.h"

namespace raakvlak::server {
namespace {

constexpr char kSigningKey[] = "signing_key";

// Name and value of what the covenant gives the process; empty when it has no part.
std::vector<std::pair<const char*, std::string>> PartOf(const policy::Covenant& covenant,
                                                        absl::string_view urn) {
  const v1::Covenant& text = covenant.text();
  if (text.broker().urn() == std::string(urn)) {
    return {{"witness_key", text.broker().witness_key()}, {"log_key", text.broker().log_key()}};
  }
  if (text.hub().urn() == std::string(urn)) {
    // The hub's signing key signs rosters; this process does not have it.
    return {{"log_key", text.hub().log_key()}};
  }
  for (const v1::Partner& partner : text.partners()) {
    if (policy::Urn(covenant.region(), "node", partner.id()) != std::string(urn)) continue;
    return {{kSigningKey, partner.signing_key()},
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
                                     absl::string_view urn,
                                     absl::Span<const crypto::note::PublicKey> signing_keys) {
  const auto was = PartOf(start, urn);
  const auto is = PartOf(now, urn);
  if (is.size() != was.size()) return {"partner"};
  std::vector<std::string> changed;
  for (size_t i = 0; i < is.size(); ++i) {
    if (is[i] == was[i]) continue;
    const bool has = is[i].first == absl::string_view(kSigningKey) &&
                     std::any_of(signing_keys.begin(), signing_keys.end(), [&](const auto& key) {
                       return crypto::note::VerifierKey::Create(urn, key)->Encode() == is[i].second;
                     });
    if (!has) changed.push_back(is[i].first);
  }
  return changed;
}

bool OwnPart::Look(const policy::Covenant& now) {
  if (now.id() == seen_) return false;
  seen_ = now.id();
  const std::vector<std::string> changed = ChangedPart(*start_, now, urn_, signing_keys_);
  if (changed.empty()) return false;
  base::Log(base::LogLevel::kError, "policy.other_configuration",
            {{"covenant_version", absl::StrCat(now.text().version())},
             {"changed", absl::StrJoin(changed, ", ")},
             {"what_to_do", "give this process the files that the covenant names, and start it again"}});
  return true;
}

}  // namespace raakvlak::server
