#include "server/broker/method_table.h"

#include "server/log/witness.h"

namespace raakvlak::broker {

std::vector<rpc::MethodRule> MethodTable() {
  using rpc::Role;
  return {
      {kSubmitMethod, {Role::kNode}, ""},         {kWithdrawMethod, {Role::kNode}, ""},
      {kListMatchesMethod, {Role::kHub}, ""},     {kOpenMatchMethod, {Role::kHub}, ""},
      {kListEntriesMethod, {Role::kOfficer}, ""}, {log::kAddCheckpointMethod, {Role::kNode, Role::kHub}, ""},
  };
}

}  // namespace raakvlak::broker
