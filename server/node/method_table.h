// Who may call what at a node; everyone else is refused by the gate (rpc/gate.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rpc/gate.h"
#include "server/log/audit_reading.h"
#include "server/log/witness.h"

namespace raakvlak::node {

inline constexpr char kPushMethod[] = "/raakvlak.v1.Intake/Push";
inline constexpr char kWithdrawMethod[] = "/raakvlak.v1.Intake/Withdraw";
inline constexpr char kGetStateMethod[] = "/raakvlak.v1.Intake/GetState";
inline constexpr char kListSignalsMethod[] = "/raakvlak.v1.Intake/ListSignals";
inline constexpr char kGetReceiptMethod[] = "/raakvlak.v1.Intake/GetReceipt";
inline constexpr char kEvaluateMethod[] = "/raakvlak.v1.KeyShare/Evaluate";

// The listener for the partner's own IT: role it of `partner`, nobody else; and officers, who read the log.
inline std::vector<rpc::MethodRule> IntakeTable(const std::string& partner) {
  std::vector<rpc::MethodRule> table = {{kPushMethod, {rpc::Role::kIt}, partner},
                                        {kWithdrawMethod, {rpc::Role::kIt}, partner},
                                        {kGetStateMethod, {rpc::Role::kIt}, partner},
                                        {kListSignalsMethod, {rpc::Role::kIt}, partner},
                                        {kGetReceiptMethod, {rpc::Role::kIt}, partner}};
  for (rpc::MethodRule& rule : log::AuditMethods()) table.push_back(std::move(rule));
  return table;
}

// The listener for other processes. Nodes evaluate; hub, broker and staff never do. The broker has its log
// witnessed.
inline std::vector<rpc::MethodRule> PeerTable() {
  return {{kEvaluateMethod, {rpc::Role::kNode}, ""}, {log::kAddCheckpointMethod, {rpc::Role::kBroker}, ""}};
}

}  // namespace raakvlak::node
