#include "server/broker/allowances.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/reason.h"
#include "base/status.h"
#include "policy/authority.h"
#include "policy/epochs.h"
#include "server/broker/audit_entry.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {
namespace {

absl::Status Check(const rpc::Gate::Pass& pass, const v1::Purpose* purpose) {
  if (purpose == nullptr) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kPurposeUnknown, "no such purpose");
  }
  return policy::Authority::CheckPartner(pass.snapshot, pass.caller.id);
}

void Fill(const v1::Purpose& purpose, const std::vector<storage::TokenCount>& counts,
          v1::ListAllowancesResponse& out_response) {
  std::map<std::pair<std::string, v1::IdentifierClass>, uint64_t> tokens;
  for (const storage::TokenCount& count : counts) {
    const v1::LinkageRule* rule = policy::Covenant::FindRule(purpose, count.rule);
    if (rule != nullptr) tokens[{count.partner, rule->identifier_class()}] += count.tokens;
  }
  for (const auto& [key, sum] : tokens) {
    v1::Allowance& allowance = *out_response.add_allowances();
    allowance.set_partner(key.first);
    allowance.set_identifier_class(key.second);
    allowance.set_tokens(sum);
  }
}

}  // namespace

absl::StatusOr<v1::ListAllowancesResponse> Allowances::List(const rpc::Gate::Pass& pass,
                                                            const v1::ListAllowancesRequest& request) {
  const absl::Time now = clock_.Now();
  const v1::Purpose* purpose = pass.snapshot.covenant->FindPurpose(request.purpose());
  storage::AuditEntry entry = EntryOf(pass, now, "allowances", "");
  if (purpose != nullptr) entry.purpose = purpose->id();
  if (const absl::Status status = Check(pass, purpose); !status.ok()) {
    return RefuseDurably(store_, entry, kListAllowancesMethod, status);
  }
  v1::ListAllowancesResponse response;
  const auto list = [&](storage::BrokerTransaction& transaction) -> absl::Status {
    response.Clear();
    if (now < policy::PreviousEpochUntil(*purpose)) {
      const storage::PurposeEpoch previous = {purpose->id(), purpose->epoch() - 1};
      RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::TokenCount> counts,
                                transaction.CountTokens(previous));
      response.set_epoch(previous.epoch);
      Fill(*purpose, counts, response);
    }
    entry.count = static_cast<uint64_t>(response.allowances_size());
    return transaction.AppendAudit(entry).status();
  };
  RAAKVLAK_RETURN_IF_ERROR(store_.Write("allowances", list));
  return response;
}

}  // namespace raakvlak::broker
