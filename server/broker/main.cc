// raakvlak-broker: takes sealed signals, finds overlap blind, and hands matches to the hub on signed orders.
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
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
#include "server/log/process_log.h"
#include "server/log/witness_service.h"
#include "server/log/witnessed_log.h"
#include "server/log/witnessing.h"
#include "server/program/audit_refusals.h"
#include "server/program/common.h"
#include "server/program/own_part.h"
#include "server/program/periodic_job.h"
#include "server/program/policy_log.h"
#include "server/program/program.h"
#include "server/program/retention.h"
#include "server/storage/sqlite/broker_store.h"

namespace raakvlak::broker {
namespace {

constexpr char kName[] = "raakvlak-broker";
constexpr char kSummary[] =
    "Takes sealed signals from the partners' nodes, finds overlap between them without being able to read\n"
    "them, and hands matches to the hub on signed orders of its staff.";
constexpr size_t kMaxQueuedCalls = 1024;
// Each sleeps while its opening is cosigned, and all that wait share one round of the witnesses.
constexpr int kOpeningThreads = 32;
constexpr absl::Duration kGrace = absl::Seconds(10);

const std::string& UrnOf(const policy::Covenant& covenant) { return covenant.text().broker().urn(); }

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
  RAAKVLAK_RETURN_IF_ERROR(base::LockFolder(common.state()));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot files, server::CheckFiles(common, clock));
  RAAKVLAK_ASSIGN_OR_RETURN(storage::LogCodec codec,
                            server::MakeLogCodec(common, UrnOf(*files.covenant), random));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::unique_ptr<storage::SqliteBrokerStore> store,
      storage::SqliteBrokerStore::Open(common.state() + "/broker.db", std::move(codec)));
  RAAKVLAK_ASSIGN_OR_RETURN(log::ProcessLog::Options log_options,
                            log::ProcessLog::OptionsFor(common, *files.covenant, UrnOf(*files.covenant)));
  // Before anything is appended: a restored database is to be noticed as it is.
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<log::ProcessLog> process_log,
                            log::ProcessLog::Create(store->audit_log(), clock, std::move(log_options)));
  server::PolicyLog policy_log(*store, *store, clock, UrnOf(*files.covenant), "broker");
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<policy::Authority> authority,
                            policy::Authority::Create(server::PolicyFilesOf(common), clock, policy_log));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot in_force, authority->Current());

  server::AuditRefusals refusals(*store, *authority, clock);
  const rpc::Gate gate(*authority, MethodTable());
  base::Executor executor(server::ThreadsOf(common), kMaxQueuedCalls);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<log::WitnessedLog> witnessed,
                            log::WitnessedLog::Create(*process_log, *authority, UrnOf(*in_force.covenant),
                                                      WitnessClients(config), common, clock));
  rpc::CallEnvironment environment{&gate, &executor, &refusals};
  environment.condition = &witnessed->condition();
  Exchange exchange(*store, clock);
  CeremonyRelay relay(*store, clock);
  CeremonyService ceremony_service(environment, relay);
  PolicyPublication publication(*store, server::PolicyFilesOf(common).folder, clock);
  PolicyService policy_service(environment, publication);
  Matches matches(*store, *witnessed, clock);
  log::AuditReading reading(store->audit_log(), *store, *witnessed, process_log->folder(), clock);
  EntryProver entry_prover(*store, *witnessed, clock);
  Allowances allowances(*store, clock);
  ExchangeService exchange_service(environment, exchange, entry_prover, allowances);
  // Openings wait for the witnesses; submits are not to wait behind them.
  base::Executor openings(kOpeningThreads, kMaxQueuedCalls);
  rpc::CallEnvironment openings_environment = environment;
  openings_environment.executor = &openings;
  MatchesService matches_service(openings_environment, matches);
  log::AuditService audit_service(environment, reading);
  RAAKVLAK_ASSIGN_OR_RETURN(
      const auto witnessing,
      log::Witnessing::Create(common, in_force.covenant->text().broker().urn(), *authority, *store, clock));
  log::WitnessService witness_service(environment, witnessing->witness());

  rpc::Server::Options options;
  options.listen = config.listen();
  options.tls = server::TlsFilesOf(common);
  options.environment = &environment;
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::unique_ptr<rpc::Server> server,
      rpc::Server::Start(options, {&exchange_service, &matches_service, &audit_service, &witness_service,
                                   &ceremony_service, &policy_service}));
  server::Retention retention(store->audit_log(), *authority, clock, in_force,
                              in_force.covenant->text().broker().urn(), "broker");
  retention.Start();
  Background background(*store, *authority, clock, random, in_force);
  base::Log(base::LogLevel::kInfo, "listening", {{"address", server->address()}});

  server::PeriodicJob health([] { return absl::Seconds(1); },
                             [&] { server->SetHealth(log::kHealthName, witnessed->IsInOrder()); });
  server::OwnPart own_part(in_force.covenant, UrnOf(*in_force.covenant), /*knows_broker=*/true);
  base::WaitForStop([&] {
    if (const auto now = authority->Current(); now.ok()) own_part.Look(*now->covenant);
  });
  health.Stop();
  server->Shutdown(kGrace);
  executor.Drain();
  openings.Drain();
  refusals.Stop();
  background.Stop();
  retention.Stop();
  witnessed->Stop();
  process_log->Stop();
  base::Log(base::LogLevel::kInfo, "stopped");
  return absl::OkStatus();
}

absl::Status Run(const v1::BrokerConfig& config, server::RunMode mode) {
  RAAKVLAK_RETURN_IF_ERROR(server::CheckRequired(config.common(), {{"listen", config.listen()}}));
  if (mode == server::RunMode::kServe) return Serve(config);
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot files,
                            server::CheckFiles(config.common(), base::SystemClock()));
  const std::string& urn = files.covenant->text().broker().urn();
  base::SystemRandom random;
  RAAKVLAK_RETURN_IF_ERROR(server::MakeLogCodec(config.common(), urn, random).status());
  RAAKVLAK_RETURN_IF_ERROR(log::ReadWitnessKey(config.common(), urn, *files.covenant).status());
  RAAKVLAK_RETURN_IF_ERROR(log::MakeOutsideLinks(config.common()).status());
  for (const v1::Partner& partner : files.covenant->text().partners()) {
    const std::string witness = policy::Urn(files.covenant->region(), "node", partner.id());
    RAAKVLAK_RETURN_IF_ERROR(WitnessClients(config)(*files.covenant, witness).status());
  }
  return log::ProcessLog::OptionsFor(config.common(), *files.covenant, urn).status();
}

}  // namespace
}  // namespace raakvlak::broker

int main(int argc, char** argv) {
  namespace broker = raakvlak::broker;
  raakvlak::rpc::PrepareProcess();
  raakvlak::v1::BrokerConfig config;
  return raakvlak::server::RunProgram(
      argc, argv, broker::kName, broker::kSummary, config,
      [&config](raakvlak::server::RunMode mode) { return broker::Run(config, mode); });
}
