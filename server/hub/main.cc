// raakvlak-hub: serves staff of the Zorg- en Veiligheidshuis.
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/periodic_job.h"
#include "base/random.h"
#include "base/reason.h"
#include "base/status.h"
#include "client/ceremony_client.h"
#include "client/matches_client.h"
#include "client/policy_client.h"
#include "policy/authority.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/server.h"
#include "server/hub/cases.h"
#include "server/hub/cases_service.h"
#include "server/hub/key_store.h"
#include "server/hub/opener.h"
#include "server/log/audit_service.h"
#include "server/program/broker_channel.h"
#include "server/program/common.h"
#include "server/program/policy_poller.h"
#include "server/program/policy_reading_service.h"
#include "server/program/process.h"
#include "server/program/program.h"
#include "server/storage/hub_store.h"

namespace raakvlak::hub {
namespace {

constexpr char kName[] = "raakvlak-hub";
constexpr char kSummary[] =
    "Serves staff of the Zorg- en Veiligheidshuis: lists matches, and opens one on a signed order. Holds "
    "the\n"
    "seal keys. Of what it opens it keeps the proof that it was logged, and no content.";
// Each sleeps while the broker answers.
constexpr int kCaseThreads = 32;
constexpr absl::Duration kKeyInterval = absl::Seconds(1);
constexpr absl::Duration kKeyTimeout = absl::Seconds(10);

server::Self SelfOf(const v1::HubConfig& config) {
  return {config.common(), "hub",
          [](const policy::Covenant& covenant) { return covenant.text().hub().urn(); }};
}

absl::Status CheckRequired(const v1::HubConfig& config) {
  return server::CheckRequired(
      config.common(),
      {{"listen", config.listen()}, {"seal_keys", config.seal_keys()}, {"keysets", config.keysets()}});
}

absl::Status Check(const v1::HubConfig& config) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot,
                            server::CheckFiles(config.common(), base::SystemClock()));
  RAAKVLAK_RETURN_IF_ERROR(KeyStore::CheckSealKeys(config.seal_keys(), snapshot, base::SystemClock().Now()));
  RAAKVLAK_RETURN_IF_ERROR(server::CheckLog(SelfOf(config), *snapshot.covenant));
  return server::BrokerChannel::Make(*snapshot.covenant, config.broker_address(),
                                     server::BrokerChannel::Over(server::TlsFilesOf(config.common())))
      .status();
}

absl::Status Serve(const v1::HubConfig& config) {
  const v1::Common& common = config.common();
  const base::SystemClock clock;
  base::SystemRandom random;
  const server::Self self = SelfOf(config);
  RAAKVLAK_ASSIGN_OR_RETURN(server::Start start, server::ReadStart(self, clock, random));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<storage::HubStore> store,
                            storage::OpenHubStore(common.state() + "/hub.db", std::move(start.codec)));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::unique_ptr<server::Process> process,
      server::Process::Create(self, start, {store->audit_log(), *store, *store}, clock));
  policy::Authority& authority = process->authority();
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<KeyStore> keys,
                            KeyStore::Open(
                                {config.seal_keys(), config.keysets()},
                                [&authority] { return authority.Current(); }, *store, clock));
  const Opener opener([&keys] { return keys->Now(); });
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::shared_ptr<server::BrokerChannel> broker,
      server::BrokerChannel::Create(authority, config.broker_address(),
                                    server::BrokerChannel::Over(server::TlsFilesOf(common))));
  const std::unique_ptr<client::MatchesClient> matches = client::MakeMatchesClient(broker->source());
  const std::unique_ptr<client::CeremonyClient> ceremonies = client::MakeCeremonyClient(broker->source());
  RAAKVLAK_RETURN_IF_ERROR(process->Witness(server::BrokerChannel::AsWitness(broker)));

  const rpc::Gate gate(authority, MethodTable());
  base::Executor executor(server::ThreadsOf(common), server::kMaxQueuedCalls);
  const rpc::CallEnvironment calls = process->CallsThrough(gate, executor);
  // Openings wait for the broker's witnesses; officers are not to wait for them.
  base::Executor case_executor(kCaseThreads, server::kMaxQueuedCalls);
  const rpc::CallEnvironment case_calls = process->CallsThrough(gate, case_executor);
  Cases cases(*matches, opener, *store, clock);
  CasesService service(cases, case_calls);
  log::AuditService audit_service(calls, process->audit_reading());
  server::PolicyReading policy_reading(server::PolicyFilesOf(common).folder);
  server::PolicyReadingService policy_service(calls, policy_reading);

  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::unique_ptr<rpc::Server> server,
      process->Listen(config.listen(), calls, {&service, &audit_service, &policy_service}));
  process->StartRetention([&store](int64_t before_ms, const storage::AuditEntry& proof) {
    return store->EraseOpenings(before_ms, proof);
  });
  absl::Status polled;
  base::PeriodicJob key_job([] { return kKeyInterval; },
                            [&] {
                              keys->Look();
                              const absl::Status now = keys->Poll(*ceremonies, kKeyTimeout);
                              // Once for each new reason.
                              if (!now.ok() && base::ReasonOf(now) != base::ReasonOf(polled)) {
                                base::LogStatus(base::LogLevel::kWarning, "hub.keysets_not_polled", now);
                              }
                              polled = now;
                            });
  server::PolicyPoller policy_poller(client::MakePolicyClient(broker->source()), authority,
                                     server::PolicyFilesOf(common).folder, clock, process->in_force());
  policy_poller.Start();
  base::Log(base::LogLevel::kInfo, "listening", {{"address", server->address()}});

  process->RunUntilStop({server.get()});
  key_job.Stop();
  policy_poller.Stop();
  server->Shutdown(server::kGrace);
  executor.Drain();
  case_executor.Drain();
  process->Stop();
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
  return raakvlak::server::RunServer(argc, argv, {hub::kName, hub::kSummary}, hub::Run);
}
