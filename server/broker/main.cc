// raakvlak-broker: takes sealed signals, finds overlap blind, and hands matches to the hub on signed orders.
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/random.h"
#include "base/status.h"
#include "client/witness_client.h"
#include "policy/authority.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/tls.h"
#include "server/broker/background.h"
#include "server/broker/ceremony_service.h"
#include "server/broker/exchange_service.h"
#include "server/broker/matches_service.h"
#include "server/broker/method_table.h"
#include "server/broker/policy_service.h"
#include "server/log/audit_service.h"
#include "server/log/witness_service.h"
#include "server/log/witnessed_log.h"
#include "server/log/witnessing.h"
#include "server/program/common.h"
#include "server/program/own_part.h"
#include "server/program/process.h"
#include "server/program/program.h"
#include "server/storage/sqlite/broker_store.h"

namespace raakvlak::broker {
namespace {

constexpr char kName[] = "raakvlak-broker";
constexpr char kSummary[] =
    "Takes sealed signals from the partners' nodes, finds overlap between them without being able to read\n"
    "them, and hands matches to the hub on signed orders of its staff.";
// Each sleeps while its opening is cosigned, and all that wait share one round of the witnesses.
constexpr int kOpeningThreads = 32;

const std::string& UrnOf(const policy::Covenant& covenant) { return covenant.text().broker().urn(); }

server::Self SelfOf(const v1::BrokerConfig& config) { return {config.common(), "broker", UrnOf}; }

// Clients of the partners' witnesses; null for a partner without an address.
log::WitnessedLog::MakeClient WitnessClients(const v1::BrokerConfig& config) {
  return [&config](const policy::Covenant& covenant,
                   const std::string& witness) -> absl::StatusOr<std::unique_ptr<client::WitnessClient>> {
    for (const v1::Partner& partner : covenant.text().partners()) {
      if (policy::Urn(covenant.region(), "node", partner.id()) != witness) continue;
      const std::string address = server::AddressOf(partner, config.peer_addresses());
      if (address.empty()) break;
      RAAKVLAK_ASSIGN_OR_RETURN(auto channel,
                                rpc::MakeChannel(address, witness, server::TlsFilesOf(config.common())));
      return client::MakeWitnessClient(std::move(channel));
    }
    return nullptr;
  };
}

absl::Status Serve(const v1::BrokerConfig& config) {
  const v1::Common& common = config.common();
  const base::SystemClock clock;
  base::SystemRandom random;
  const server::Self self = SelfOf(config);
  RAAKVLAK_ASSIGN_OR_RETURN(server::Start start, server::ReadStart(self, clock, random));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::unique_ptr<storage::SqliteBrokerStore> store,
      storage::SqliteBrokerStore::Open(common.state() + "/broker.db", std::move(start.codec)));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::unique_ptr<server::Process> process,
      server::Process::Create(self, start, {store->audit_log(), *store, *store}, clock));
  policy::Authority& authority = process->authority();
  RAAKVLAK_RETURN_IF_ERROR(process->Witness(WitnessClients(config)));

  const rpc::Gate gate(authority, MethodTable());
  base::Executor executor(server::ThreadsOf(common), server::kMaxQueuedCalls);
  const rpc::CallEnvironment calls = process->CallsThrough(gate, executor);
  // Openings wait for the witnesses; submits are not to wait behind them.
  base::Executor openings(kOpeningThreads, server::kMaxQueuedCalls);
  const rpc::CallEnvironment opening_calls = process->CallsThrough(gate, openings);

  Exchange exchange(*store, clock);
  EntryProver entry_prover(*store, process->witnessed(), clock);
  Allowances allowances(*store, clock);
  ExchangeService exchange_service(calls, exchange, entry_prover, allowances);
  Matches matches(*store, process->witnessed(), clock);
  MatchesService matches_service(opening_calls, matches);
  CeremonyRelay relay(*store, clock);
  CeremonyService ceremony_service(calls, relay);
  PolicyPublication publication(*store, server::PolicyFilesOf(common).folder, clock);
  PolicyService policy_service(calls, publication);
  log::AuditService audit_service(calls, process->audit_reading());
  RAAKVLAK_ASSIGN_OR_RETURN(const auto witnessing,
                            log::Witnessing::Create(common, process->urn(), authority, *store, clock));
  log::WitnessService witness_service(calls, witnessing->witness());

  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<rpc::Server> server,
                            process->Listen(config.listen(), calls,
                                            {&exchange_service, &matches_service, &audit_service,
                                             &witness_service, &ceremony_service, &policy_service}));
  process->StartRetention();
  Background background(*store, authority, clock, random, process->in_force());
  base::Log(base::LogLevel::kInfo, "listening", {{"address", server->address()}});

  process->RunUntilStop({server.get()});
  server->Shutdown(server::kGrace);
  executor.Drain();
  openings.Drain();
  background.Stop();
  process->Stop();
  return absl::OkStatus();
}

absl::Status Run(const v1::BrokerConfig& config, server::RunMode mode) {
  RAAKVLAK_RETURN_IF_ERROR(server::CheckRequired(config.common(), {{"listen", config.listen()}}));
  if (mode == server::RunMode::kServe) return Serve(config);
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot files,
                            server::CheckFiles(config.common(), base::SystemClock()));
  const policy::Covenant& covenant = *files.covenant;
  RAAKVLAK_RETURN_IF_ERROR(server::CheckLog(SelfOf(config), covenant));
  RAAKVLAK_RETURN_IF_ERROR(log::ReadWitnessKey(config.common(), UrnOf(covenant), covenant).status());
  for (const v1::Partner& partner : covenant.text().partners()) {
    const std::string witness = policy::Urn(covenant.region(), "node", partner.id());
    RAAKVLAK_RETURN_IF_ERROR(WitnessClients(config)(covenant, witness).status());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace raakvlak::broker

int main(int argc, char** argv) {
  namespace broker = raakvlak::broker;
  return raakvlak::server::RunServer(argc, argv, {broker::kName, broker::kSummary}, broker::Run);
}
