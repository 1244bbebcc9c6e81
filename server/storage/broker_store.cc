#include "server/storage/broker_store.h"

#include <algorithm>

#include "base/status.h"

namespace raakvlak::storage {

std::vector<std::string> MatchRecord::Partners() const {
  std::set<std::string> partners;
  for (const MatchMember& member : members) partners.insert(member.partner);
  return {partners.begin(), partners.end()};
}

std::vector<std::string> MatchRecord::EnvelopeHashes() const {
  std::vector<std::string> hashes;
  hashes.reserve(members.size());
  for (const MatchMember& member : members) hashes.push_back(member.envelope_hash);
  return hashes;
}

uint32_t MatchRecord::FirstDay() const {
  uint32_t first = members.empty() ? 0 : members.front().submitted_day;
  for (const MatchMember& member : members) first = std::min(first, member.submitted_day);
  return first;
}

uint32_t MatchRecord::LastDay() const {
  uint32_t last = 0;
  for (const MatchMember& member : members) last = std::max(last, member.submitted_day);
  return last;
}

absl::StatusOr<Logged> BrokerStore::AppendAudit(const AuditEntry& entry) {
  Logged logged;
  RAAKVLAK_RETURN_IF_ERROR(Write("append_audit", [&](BrokerTransaction& transaction) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(logged, transaction.AppendAudit(entry));
    return absl::OkStatus();
  }));
  return logged;
}

}  // namespace raakvlak::storage
