// raakvlak-broker: takes sealed signals, finds overlap blind, and hands matches to the hub on signed orders.
#include <algorithm>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/random.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/authority.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/server.h"
#include "rpc/tls.h"
#include "server/broker/audit_service.h"
#include "server/broker/background.h"
#include "server/broker/exchange_service.h"
#include "server/broker/matches_service.h"
#include "server/broker/method_table.h"
#include "server/broker/policy_log.h"
#include "server/broker/store_audit.h"
#include "server/program/audit_refusals.h"
#include "server/program/program.h"
#include "server/storage/sqlite/broker_store.h"

namespace raakvlak::broker {
namespace {

constexpr char kName[] = "raakvlak-broker";
constexpr char kSummary[] =
    "Takes sealed signals from the partners' nodes, finds overlap between them without being able to read\n"
    "them, and hands matches to the hub on signed orders of its staff.";
constexpr size_t kMaxQueuedCalls = 1024;
constexpr absl::Duration kGrace = absl::Seconds(10);

absl::Status CheckRequired(const v1::BrokerConfig& config) {
  const v1::Common& common = config.common();
  const std::pair<const char*, const std::string*> required[] = {
      {"common.covenant", &common.covenant()},
      {"common.roster", &common.roster()},
      {"common.tls_certificate", &common.tls_certificate()},
      {"common.tls_key", &common.tls_key()},
      {"common.tls_authority", &common.tls_authority()},
      {"common.state", &common.state()},
      {"listen", &config.listen()},
  };
  for (const auto& [field, value] : required) {
    if (!value->empty()) continue;
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       absl::StrCat(field, " is missing"));
  }
  return absl::OkStatus();
}

// Keeps nothing: a check of the configuration must not touch the state of a broker that runs.
class NothingSeen final : public policy::HighWater {
 public:
  absl::StatusOr<policy::Newest> Load() override { return policy::Newest(); }
  absl::Status Store(const policy::Newest&) override { return absl::OkStatus(); }
};

absl::Status Check(const v1::Common& common, const rpc::TlsFiles& tls) {
  const base::SystemClock clock;
  NothingSeen nothing;
  RAAKVLAK_RETURN_IF_ERROR(
      policy::Authority::Create(common.covenant(), common.roster(), clock, nothing).status());
  return rpc::MakeServerCredentials(tls).status();
}

int ThreadsOf(const v1::Common& common) {
  if (common.threads() != 0) return static_cast<int>(std::min(common.threads(), 1024u));
  return static_cast<int>(std::max(2u, 2 * std::thread::hardware_concurrency()));
}

absl::Status Serve(const v1::BrokerConfig& config, const rpc::TlsFiles& tls) {
  const v1::Common& common = config.common();
  const base::SystemClock clock;
  base::SystemRandom random;
  RAAKVLAK_RETURN_IF_ERROR(base::LockFolder(common.state()));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<storage::SqliteBrokerStore> store,
                            storage::SqliteBrokerStore::Open(common.state() + "/broker.db"));
  PolicyLog policy_log(*store, clock, kName);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::unique_ptr<policy::Authority> authority,
                            policy::Authority::Create(common.covenant(), common.roster(), clock, policy_log));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot in_force, authority->Current());

  StoreAudit audit(*store, *authority);
  server::AuditRefusals refusals(audit, clock);
  const rpc::Gate gate(*authority, MethodTable());
  base::Executor executor(ThreadsOf(common), kMaxQueuedCalls);
  const rpc::CallEnvironment environment{&gate, &executor, &refusals};
  Exchange exchange(*store, clock);
  Matches matches(*store, clock);
  AuditReading reading(*store, clock);
  ExchangeService exchange_service(environment, exchange);
  MatchesService matches_service(environment, matches);
  AuditService audit_service(environment, reading);

  rpc::Server::Options options;
  options.listen = config.listen();
  options.tls = tls;
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::unique_ptr<rpc::Server> server,
      rpc::Server::Start(options, {&exchange_service, &matches_service, &audit_service}));
  Background background(*store, *authority, clock, random, in_force);
  base::Log(base::LogLevel::kInfo, "listening", {{"address", server->address()}});

  base::WaitForStop([&] { authority->Current().IgnoreError(); });
  server->Shutdown(kGrace);
  executor.Drain();
  background.Stop();
  base::Log(base::LogLevel::kInfo, "stopped");
  return absl::OkStatus();
}

}  // namespace
}  // namespace raakvlak::broker

int main(int argc, char** argv) {
  namespace broker = raakvlak::broker;
  raakvlak::rpc::PrepareProcess();
  raakvlak::v1::BrokerConfig config;
  const auto run = [&config](raakvlak::server::RunMode mode) -> absl::Status {
    RAAKVLAK_RETURN_IF_ERROR(broker::CheckRequired(config));
    const raakvlak::v1::Common& common = config.common();
    const raakvlak::rpc::TlsFiles tls{common.tls_certificate(), common.tls_key(), common.tls_authority()};
    if (mode == raakvlak::server::RunMode::kCheckConfig) return broker::Check(common, tls);
    return broker::Serve(config, tls);
  };
  return raakvlak::server::RunProgram(argc, argv, broker::kName, broker::kSummary, config, run);
}
