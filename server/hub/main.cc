// raakvlak-hub: serves staff of the Zorg- en Veiligheidshuis.
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/random.h"
#include "base/reason.h"
#include "base/status.h"
#include "client/ceremony_client.h"
#include "client/matches_client.h"
#include "client/policy_client.h"
#include "client/witness_client.h"
#include "policy/authority.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/tls.h"
#include "server/hub/cases.h"
#include "server/hub/cases_service.h"
#include "server/hub/key_store.h"
#include "server/hub/opener.h"
#include "server/log/audit_service.h"
#include "server/log/process_log.h"
#include "server/log/witnessed_log.h"
#include "server/program/audit_refusals.h"
#include "server/program/common.h"
#include "server/program/own_part.h"
#include "server/program/periodic_job.h"
#include "server/program/policy_log.h"
#include "server/program/policy_poller.h"
#include "server/program/program.h"
#include "server/program/retention.h"
#include "server/storage/hub_store.h"

namespace raakvlak::hub {
namespace {

constexpr char kName[] = "raakvlak-hub";
constexpr char kSummary[] =
    "Serves staff of the Zorg- en Veiligheidshuis: lists matches, and opens one on a signed order. Holds "
    "the\n"
    "seal keys. Of what it opens it keeps the proof that it was logged, and no content.";
constexpr size_t kMaxQueuedCalls = 1024;
// Each sleeps while the broker answers.
constexpr int kCaseThreads = 32;
constexpr absl::Duration kGrace = absl::Seconds(10);
constexpr absl::Duration kKeyInterval = absl::Seconds(1);
constexpr absl::Duration kKeyTimeout = absl::Seconds(10);

const std::string& UrnOf(const policy::Covenant& covenant) { return covenant.text().hub().urn(); }

absl::Status CheckRequired(const v1::HubConfig& config) {
  return server::CheckRequired(
      config.common(),
      {{"listen", config.listen()}, {"seal_keys", config.seal_keys()}, {"keysets", config.keysets()}});
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> ChannelToBroker(const v1::HubConfig& config,
                                                               const policy::Covenant& covenant) {
  const v1::Broker& broker = covenant.text().broker();
  const std::string& address = config.broker_address().empty() ? broker.address() : config.broker_address();
  if (address.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       "broker_address is missing, and the covenant gives none");
  }
  return rpc::MakeChannel(address, broker.urn(), server::TlsFilesOf(config.common()));
}

absl::Status Check(const v1::HubConfig& config) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot,
                            server::CheckFiles(config.common(), base::SystemClock()));
  RAAKVLAK_RETURN_IF_ERROR(KeyStore::CheckSealKeys(config.seal_keys(), snapshot, base::SystemClock().Now()));
  base::SystemRandom random;
  const policy::Covenant& covenant = *snapshot.covenant;
  RAAKVLAK_RETURN_IF_ERROR(server::MakeLogCodec(config.common(), UrnOf(covenant), random).status());
  RAAKVLAK_RETURN_IF_ERROR(log::ProcessLog::OptionsFor(config.common(), covenant, UrnOf(covenant)).status());
  RAAKVLAK_RETURN_IF_ERROR(log::MakeOutsideLinks(config.common()).status());
  return ChannelToBroker(config, *snapshot.covenant).status();
}

absl::Status Serve(const v1::HubConfig& config) {
  const v1::Common& common = config.common();
  const base::SystemClock clock;
  RAAKVLAK_RETURN_IF_ERROR(base::LockFolder(common.state()));
  base::SystemRandom random;
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot files, server::CheckFiles(common, clock));
  RAAKVLAK_ASSIGN_OR_RETURN(storage::LogCodec codec,
                            server::MakeLogCodec(common, UrnOf(*files.covenant), random));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<storage::HubStore> store,
                            storage::OpenHubStore(common.state() + "/hub.db", std::move(codec)));
  RAAKVLAK_ASSIGN_OR_RETURN(log::ProcessLog::Options log_options,
                            log::ProcessLog::OptionsFor(common, *files.covenant, UrnOf(*files.covenant)));
  // Before anything is appended: a restored database is to be noticed as it is.
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<log::ProcessLog> process_log,
                            log::ProcessLog::Create(store->audit_log(), clock, std::move(log_options)));
  server::PolicyLog policy_log(*store, *store, clock, UrnOf(*files.covenant), "hub");
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<policy::Authority> authority,
                            policy::Authority::Create(server::PolicyFilesOf(common), clock, policy_log));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot in_force, authority->Current());
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<KeyStore> keys,
                            KeyStore::Open(
                                {config.seal_keys(), config.keysets()},
                                [&authority] { return authority->Current(); }, *store, clock));
  const Opener opener([&keys] { return keys->Now(); });
  RAAKVLAK_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel,
                            ChannelToBroker(config, *in_force.covenant));
  const std::unique_ptr<client::MatchesClient> matches = client::MakeMatchesClient(channel);
  const std::unique_ptr<client::CeremonyClient> ceremonies = client::MakeCeremonyClient(channel);

  Cases cases(*matches, opener, *store, clock);
  server::AuditRefusals refusals(*store, *authority, clock);
  const rpc::Gate gate(*authority, MethodTable());
  base::Executor executor(server::ThreadsOf(common), kMaxQueuedCalls);
  // The broker is the only witness of this log.
  const auto witness_client = [&channel](const policy::Covenant&, const std::string&) {
    return absl::StatusOr<std::unique_ptr<client::WitnessClient>>(client::MakeWitnessClient(channel));
  };
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<log::WitnessedLog> witnessed,
                            log::WitnessedLog::Create(*process_log, *authority, UrnOf(*in_force.covenant),
                                                      witness_client, common, clock));
  rpc::CallEnvironment environment{&gate, &executor, &refusals};
  environment.condition = &witnessed->condition();
  // Openings wait for the broker's witnesses; officers are not to wait for them.
  base::Executor case_executor(kCaseThreads, kMaxQueuedCalls);
  rpc::CallEnvironment case_environment = environment;
  case_environment.executor = &case_executor;
  CasesService service(cases, case_environment);
  log::AuditReading reading(store->audit_log(), *store, *witnessed, process_log->folder(), clock);
  log::AuditService audit_service(environment, reading);

  rpc::Server::Options options;
  options.listen = config.listen();
  options.tls = server::TlsFilesOf(common);
  options.environment = &environment;
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<rpc::Server> server,
                            rpc::Server::Start(options, {&service, &audit_service}));
  server::Retention retention(store->audit_log(), *authority, clock, in_force,
                              in_force.covenant->text().hub().urn(), "hub",
                              [&store](int64_t before_ms, const storage::AuditEntry& proof) {
                                return store->EraseOpenings(before_ms, proof);
                              });
  retention.Start();
  absl::Status polled;
  server::PeriodicJob key_job([] { return kKeyInterval; },
                              [&] {
                                keys->Look();
                                const absl::Status now = keys->Poll(*ceremonies, kKeyTimeout);
                                // Once for each new reason.
                                if (!now.ok() && base::ReasonOf(now) != base::ReasonOf(polled)) {
                                  base::LogStatus(base::LogLevel::kWarning, "hub.keysets_not_polled", now);
                                }
                                polled = now;
                              });
  server::PolicyPoller policy_poller(client::MakePolicyClient(channel), *authority,
                                     server::PolicyFilesOf(common).folder, clock, in_force);
  policy_poller.Start();
  base::Log(base::LogLevel::kInfo, "listening", {{"address", server->address()}});

  server::PeriodicJob health([] { return absl::Seconds(1); },
                             [&] { server->SetHealth(log::kHealthName, witnessed->IsInOrder()); });
  server::OwnPart own_part(in_force.covenant, UrnOf(*in_force.covenant), !config.broker_address().empty());
  base::WaitForStop([&] {
    if (const auto now = authority->Current(); now.ok()) own_part.Look(*now->covenant);
  });
  health.Stop();
  key_job.Stop();
  policy_poller.Stop();
  server->Shutdown(kGrace);
  executor.Drain();
  case_executor.Drain();
  refusals.Stop();
  retention.Stop();
  witnessed->Stop();
  process_log->Stop();
  base::Log(base::LogLevel::kInfo, "stopped");
  return absl::OkStatus();
}

absl::Status Run(const v1::HubConfig& config, server::RunMode mode) {
  RAAKVLAK_RETURN_IF_ERROR(CheckRequired(config));
  return mode == server::RunMode::kCheckConfig ? Check(config) : Serve(config);
}

}  // namespace
}  // namespace raakvlak::hub

int main(int argc, char** argv) {
  namespace hub = raakvlak::hub;
  raakvlak::rpc::PrepareProcess();
  raakvlak::v1::HubConfig config;
  return raakvlak::server::RunProgram(
      argc, argv, hub::kName, hub::kSummary, config,
      [&config](raakvlak::server::RunMode mode) { return hub::Run(config, mode); });
}
