// Who may call what at a node; everyone else is refused by the gate (rpc/gate.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rpc/gate.h"
#include "server/log/audit_reading.h"
#include "server/log/witness.h"
#include "server/program/policy_reading.h"

namespace raakvlak::node {

inline constexpr char kPushMethod[] = "/raakvlak.v1.Intake/Push";
inline constexpr char kWithdrawMethod[] = "/raakvlak.v1.Intake/Withdraw";
inline constexpr char kGetStateMethod[] = "/raakvlak.v1.Intake/GetState";
inline constexpr char kListSignalsMethod[] = "/raakvlak.v1.Intake/ListSignals";
inline constexpr char kGetReceiptMethod[] = "/raakvlak.v1.Intake/GetReceipt";
inline constexpr char kEvaluateMethod[] = "/raakvlak.v1.KeyShare/Evaluate";
inline constexpr char kDescribeMethod[] = "/raakvlak.v1.KeyShare/Describe";
inline constexpr char kGetKeyStatusMethod[] = "/raakvlak.v1.NodeKeys/GetKeyStatus";
inline constexpr char kStartCeremonyMethod[] = "/raakvlak.v1.NodeKeys/StartCeremony";
inline constexpr char kApproveCeremonyMethod[] = "/raakvlak.v1.NodeKeys/ApproveCeremony";
inline constexpr char kShowCeremonyMethod[] = "/raakvlak.v1.NodeKeys/ShowCeremony";
inline constexpr char kListCeremoniesMethod[] = "/raakvlak.v1.NodeKeys/ListCeremonies";
inline constexpr char kGiveUpCeremonyMethod[] = "/raakvlak.v1.NodeKeys/GiveUpCeremony";

// The listener for the partner's own IT and operator: roles it and operator of `partner`, nobody else; and
// officers, who read the log.
inline std::vector<rpc::MethodRule> IntakeTable(const std::string& partner) {
  std::vector<rpc::MethodRule> table = {
      {kPushMethod, {rpc::Role::kIt}, partner},
      {kWithdrawMethod, {rpc::Role::kIt}, partner},
      {kGetStateMethod, {rpc::Role::kIt}, partner},
      {kListSignalsMethod, {rpc::Role::kIt}, partner},
      {kGetReceiptMethod, {rpc::Role::kIt}, partner},
      {server::kFetchPolicyMethod, {rpc::Role::kIt, rpc::Role::kOperator}, partner}};
  for (const char* method : {kGetKeyStatusMethod, kStartCeremonyMethod, kApproveCeremonyMethod,
                             kShowCeremonyMethod, kListCeremoniesMethod, kGiveUpCeremonyMethod}) {
    table.push_back({method, {rpc::Role::kOperator}, partner});
  }
  for (rpc::MethodRule& rule : log::AuditMethods()) table.push_back(std::move(rule));
  return table;
}

// The listener for other processes. Nodes evaluate; hub, broker and staff never do. The broker has its log
// witnessed.
inline std::vector<rpc::MethodRule> PeerTable() {
  return {{kEvaluateMethod, {rpc::Role::kNode}, ""},
          {kDescribeMethod, {rpc::Role::kNode}, ""},
          {log::kAddCheckpointMethod, {rpc::Role::kBroker}, ""}};
}

}  // namespace raakvlak::node
