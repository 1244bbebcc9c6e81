#include "server/broker/method_table.h"

#include "server/log/audit_reading.h"
#include "server/log/witness.h"
#include "server/program/policy_reading.h"

namespace raakvlak::broker {

std::vector<rpc::MethodRule> MethodTable() {
  using rpc::Role;
  std::vector<rpc::MethodRule> table = {
      {kSubmitMethod, {Role::kNode}, ""},
      {kWithdrawMethod, {Role::kNode}, ""},
      {kProveEntryMethod, {Role::kNode}, ""},
      {kListAllowancesMethod, {Role::kNode}, ""},
      {kListMatchesMethod, {Role::kHub}, ""},
      {kOpenMatchMethod, {Role::kHub}, ""},
      {log::kAddCheckpointMethod, {Role::kNode, Role::kHub}, ""},
      {kProposeMethod, {Role::kNode}, ""},
      {kPostMethod, {Role::kNode}, ""},
      {kFetchMethod, {Role::kNode}, ""},
      {kListCeremoniesMethod, {Role::kNode, Role::kHub}, ""},
      {kKeysetsMethod, {Role::kNode, Role::kHub}, ""},
      {kPublishMethod, {Role::kNode, Role::kHub, Role::kOperator}, ""},
      {server::kFetchPolicyMethod, {Role::kNode, Role::kHub}, ""},
  };
  for (rpc::MethodRule& rule : log::AuditMethods()) table.push_back(std::move(rule));
  return table;
}

}  // namespace raakvlak::broker
