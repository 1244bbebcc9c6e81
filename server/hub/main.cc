// raakvlak-hub: serves staff of the Zorg- en Veiligheidshuis. Wires the parts; each has its own header.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/status.h"
#include "client/matches_client.h"
#include "policy/authority.h"
#include "policy/keyset/key_files.h"
#include "policy/keyset/keyset.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/tls.h"
#include "server/hub/cases.h"
#include "server/hub/cases_service.h"
#include "server/hub/opener.h"
#include "server/program/audit_refusals.h"
#include "server/program/program.h"
#include "server/storage/process_store.h"

namespace raakvlak::hub {
namespace {

constexpr size_t kMaxQueuedCalls = 1024;
constexpr absl::Duration kDrainTime = absl::Seconds(10);

// The hub needs the secret half of every seal key of the covenant.
absl::StatusOr<std::map<std::string, crypto::seal::SealKeyPair>> LoadSealKeys(
    const std::string& folder, const policy::Covenant& covenant) {
  std::map<std::string, crypto::seal::SealKeyPair> keys;
  for (const v1::SealKey& key : covenant.text().hub().seal_keys()) {
    RAAKVLAK_ASSIGN_OR_RETURN(crypto::seal::SealKeyPair pair, policy::ReadSealKeyPair(folder, key.id()));
    keys.emplace(key.id(), std::move(pair));
  }
  return keys;
}

absl::Status Run(const v1::HubConfig& config, server::RunMode mode) {
  const v1::Common& common = config.common();
  RAAKVLAK_RETURN_IF_ERROR(base::LockFolder(common.state()));
  const base::SystemClock clock;
  RAAKVLAK_ASSIGN_OR_RETURN(const auto store,
                            storage::OpenProcessStore(absl::StrCat(common.state(), "/hub.db")));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto authority,
                            policy::Authority::Create(common.covenant(), common.roster(), clock, *store));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, authority->Current());
  RAAKVLAK_ASSIGN_OR_RETURN(auto seal_keys, LoadSealKeys(config.seal_keys(), *snapshot.covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(auto keysets, policy::KeysetStore::Load(config.keysets(), *snapshot.covenant));
  const rpc::TlsFiles tls = {common.tls_certificate(), common.tls_key(), common.tls_authority()};
  const v1::Broker& broker = snapshot.covenant->text().broker();
  const std::string& broker_address =
      config.broker_address().empty() ? broker.address() : config.broker_address();
  RAAKVLAK_ASSIGN_OR_RETURN(const auto channel, rpc::MakeChannel(broker_address, broker.urn(), tls));
  if (mode == server::RunMode::kCheckConfig) return absl::OkStatus();

  const auto matches = client::MakeMatchesClient(channel);
  const Opener opener(std::move(seal_keys), std::move(keysets));
  Cases cases(*matches, opener, *store, clock);
  const rpc::Gate gate(*authority, MethodTable());
  server::AuditRefusals refusals(*store, clock);
  const int threads = common.threads() != 0 ? static_cast<int>(common.threads())
                                            : 2 * static_cast<int>(std::thread::hardware_concurrency());
  base::Executor executor(threads, kMaxQueuedCalls);
  CasesService service(cases, {&gate, &executor, &refusals});
  rpc::Server::Options options;
  options.listen = config.listen();
  options.tls = tls;
  RAAKVLAK_ASSIGN_OR_RETURN(const auto server, rpc::Server::Start(options, {&service}));
  base::Log(base::LogLevel::kInfo, "hub.listening",
            {{"address", server->address()}, {"policy", snapshot.Name()}});
  base::WaitForStop(nullptr);
  base::Log(base::LogLevel::kInfo, "hub.stopping");
  server->Shutdown(kDrainTime);
  executor.Drain();
  return absl::OkStatus();
}

}  // namespace
}  // namespace raakvlak::hub

int main(int argc, char** argv) {
  raakvlak::rpc::PrepareProcess();
  raakvlak::v1::HubConfig config;
  return raakvlak::server::RunProgram(
      argc, argv, "raakvlak-hub",
      "Serves staff: lists matches and opens one on a signed order. Holds the seal keys.", config,
      [&](raakvlak::server::RunMode mode) { return raakvlak::hub::Run(config, mode); });
}
