// raakvlak-node: a partner's own process. Wires the parts; each has its own header.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/log.h"
#include "base/periodic_job.h"
#include "base/random.h"
#include "base/reason.h"
#include "base/status.h"
#include "client/ceremony_client.h"
#include "client/exchange_client.h"
#include "client/key_share_client.h"
#include "client/policy_client.h"
#include "policy/authority.h"
#include "policy/budget/covenant_budget.h"
#include "policy/keyset/key_files.h"
#include "raakvlak/v1/config.pb.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "rpc/tls.h"
#include "server/log/audit_service.h"
#include "server/log/witness_service.h"
#include "server/log/witnessing.h"
#include "server/node/address_exclusion.h"
#include "server/node/allowances.h"
#include "server/node/ceremony_driver.h"
#include "server/node/destruction.h"
#include "server/node/epoch_reminder.h"
#include "server/node/holders.h"
#include "server/node/intake.h"
#include "server/node/intake_service.h"
#include "server/node/key_share.h"
#include "server/node/key_share_service.h"
#include "server/node/key_status.h"
#include "server/node/method_table.h"
#include "server/node/node_keys_service.h"
#include "server/node/outbox.h"
#include "server/node/peers.h"
#include "server/node/pseudonymiser.h"
#include "server/node/rotator.h"
#include "server/node/sender.h"
#include "server/node/store_audit.h"
#include "server/node/validate.h"
#include "server/node/vault.h"
#include "server/program/broker_channel.h"
#include "server/program/common.h"
#include "server/program/own_part.h"
#include "server/program/policy_poller.h"
#include "server/program/policy_reading_service.h"
#include "server/program/process.h"
#include "server/program/program.h"
#include "server/storage/sqlite/node_store.h"

namespace raakvlak::node {
namespace {

constexpr char kName[] = "raakvlak-node";
constexpr char kSummary[] =
    "A partner's own node: takes signals from the partner's IT, turns identities into tokens with the help "
    "of\n"
    "the other nodes, seals and submits them, and evaluates for the other nodes under its share of the keys.";

std::string UrnOf(const v1::NodeConfig& config, const policy::Covenant& covenant) {
  return policy::Urn(covenant.region(), "node", config.partner());
}

server::Self SelfOf(const v1::NodeConfig& config) {
  return {config.common(), "node",
          [&config](const policy::Covenant& covenant) { return UrnOf(config, covenant); }};
}

// What is read from files at the start.
struct Files {
  std::vector<crypto::note::PrivateKey> signing_keys;
  base::SecretBytes vault_key;
  std::unique_ptr<KeyRing> keys;
};

// `files` outlive what is returned.
SigningKeys SigningKeysOf(const Files& files) {
  std::vector<const crypto::note::PrivateKey*> keys;
  for (const crypto::note::PrivateKey& key : files.signing_keys) keys.push_back(&key);
  return SigningKeys(std::move(keys));
}

// `random` outlives what is returned.
absl::StatusOr<Files> ReadFiles(const v1::NodeConfig& config, const policy::Snapshot& snapshot,
                                base::Random& random) {
  const policy::Covenant& covenant = *snapshot.covenant;
  if (covenant.FindPartner(config.partner()) == nullptr) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                       absl::StrCat("the covenant has no partner ", config.partner()));
  }
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckLinkage(covenant.text()));
  Files files;
  for (const std::string& path : config.signing_key()) {
    RAAKVLAK_ASSIGN_OR_RETURN(crypto::note::PrivateKey signing_key, policy::ReadSigningKey(path));
    files.signing_keys.push_back(std::move(signing_key));
  }
  if (SigningKeysOf(files).Find(covenant.PartnerKey(config.partner())) == nullptr) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                       "signing_key is not the key that the covenant gives this partner");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(files.vault_key,
                            policy::ReadVaultKey(config.vault_key(), UrnOf(config, covenant)));
  RAAKVLAK_ASSIGN_OR_RETURN(
      files.keys, KeyRing::Load({config.keysets(), config.shares()}, config.partner(), files.vault_key.Copy(),
                                *policy::ChainOf(snapshot), random));
  return files;
}

absl::Status Serve(const v1::NodeConfig& config) {
  const v1::Common& common = config.common();
  const rpc::TlsFiles tls = server::TlsFilesOf(common);
  const base::SystemClock clock;
  base::SystemRandom random;
  const server::Self self = SelfOf(config);
  RAAKVLAK_ASSIGN_OR_RETURN(server::Start start, server::ReadStart(self, clock, random));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const auto store, storage::SqliteNodeStore::Open(common.state() + "/node.db", std::move(start.codec)));
  StoreAudit audit(*store);
  RAAKVLAK_ASSIGN_OR_RETURN(const auto process,
                            server::Process::Create(self, start, {store->audit_log(), audit, *store}, clock));
  policy::Authority& authority = process->authority();
  const policy::Snapshot& snapshot = process->in_force();
  RAAKVLAK_ASSIGN_OR_RETURN(const Files files, ReadFiles(config, snapshot, random));
  const Vault vault(files.vault_key, random);
  RAAKVLAK_RETURN_IF_ERROR(vault.CheckDatabase(*store));
  AddressExclusion exclusion(config.excluded_addresses(), common.state() + "/excluded_addresses.seen", clock);
  // Judged once more for each covenant that comes into force.
  policy::LinkageCheck linkage_check;
  const Environment environment = {
      config.partner(), SigningKeysOf(files), &authority, files.keys.get(), store.get(), &vault, &clock,
      &random,          &linkage_check,       &exclusion};

  RAAKVLAK_ASSIGN_OR_RETURN(
      const auto broker,
      server::BrokerChannel::Create(authority, config.broker_address(), server::BrokerChannel::Over(tls)));
  const auto exchange = client::MakeExchangeClient(broker->source());
  Allowances allowances(environment, *exchange);
  KeyShare key_share(environment, allowances);
  LocalKeyShare own_share(environment, key_share);
  Peers peers(
      config.partner(), own_share, authority,
      [&](const v1::Partner& partner) { return server::AddressOf(partner, config.peer_addresses()); },
      [&](const std::string& address,
          const std::string& urn) -> absl::StatusOr<std::unique_ptr<client::KeyShareClient>> {
        RAAKVLAK_ASSIGN_OR_RETURN(auto channel, rpc::MakeChannel(address, urn, tls));
        return client::MakeKeyShareClient(std::move(channel));
      });
  Holders holders(
      config.partner(), [&peers] { return peers.Clients(); }, clock);
  Pseudonymiser pseudonymiser(environment, holders);
  Outbox outbox(*store, clock);
  const int cores = static_cast<int>(std::max(2u, std::thread::hardware_concurrency()));
  SenderOptions sender_options;
  // One more than the cores: one always waits for holders or the broker.
  sender_options.threads = cores + 1;
  Sender sender(environment, outbox, pseudonymiser, *exchange, sender_options);
  Rotator rotator(environment, pseudonymiser, *exchange);
  Destruction destruction(environment);
  Intake intake(environment, outbox);
  const auto ceremony_client = client::MakeCeremonyClient(broker->source());
  CeremonyDriver ceremonies(environment, *ceremony_client);
  RAAKVLAK_RETURN_IF_ERROR(ceremonies.Start());
  KeyStatus key_status(
      environment, [&peers] { return peers.Clients(); },
      [&rotator](const policy::Snapshot& in_force) { return rotator.Status(in_force); });

  RAAKVLAK_RETURN_IF_ERROR(process->Witness(server::BrokerChannel::AsWitness(broker)));
  const rpc::Gate intake_gate(authority, IntakeTable(config.partner()));
  const rpc::Gate peer_gate(authority, PeerTable());
  // Apart, so that a full queue of the own IT never keeps the other nodes from their evaluations.
  base::Executor intake_executor(server::ThreadsOf(common), server::kMaxQueuedCalls);
  base::Executor peer_executor(server::ThreadsOf(common), server::kMaxQueuedCalls);
  const rpc::CallEnvironment intake_calls = process->CallsThrough(intake_gate, intake_executor);
  const rpc::CallEnvironment peer_calls = process->CallsThrough(peer_gate, peer_executor);
  Receipts receipts(environment, *exchange);
  IntakeService intake_service(intake_calls, intake, receipts);
  log::AuditService audit_service(intake_calls, process->audit_reading());
  server::PolicyReading policy_reading(server::PolicyFilesOf(common).folder);
  server::PolicyReadingService policy_service(intake_calls, policy_reading);
  KeyShareService key_share_service(peer_calls, key_share);
  NodeKeysService node_keys_service(intake_calls, environment, ceremonies, key_status);
  RAAKVLAK_ASSIGN_OR_RETURN(const auto witnessing,
                            log::Witnessing::Create(common, process->urn(), authority, audit, clock));
  log::WitnessService witness_service(peer_calls, witnessing->witness());

  RAAKVLAK_ASSIGN_OR_RETURN(const auto peer_server, process->Listen(config.listen_peer(), peer_calls,
                                                                    {&key_share_service, &witness_service}));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto intake_server, process->Listen(config.listen_intake(), intake_calls,
                                                                      {&intake_service, &node_keys_service,
                                                                       &audit_service, &policy_service}));
  process->StartRetention();
  server::PolicyPoller policy_poller(client::MakePolicyClient(broker->source()), authority,
                                     server::PolicyFilesOf(common).folder, clock, snapshot);
  policy_poller.Start();
  sender.Start();
  rotator.Start();
  base::PeriodicJob destroying([] { return absl::Seconds(1); }, [&] { destruction.Look(); });
  base::Log(
      base::LogLevel::kInfo, "listening",
      {{"intake", intake_server->address()}, {"peer", peer_server->address()}, {"policy", snapshot.Name()}});

  // Only the job's own thread touches it.
  absl::Duration until_next_step;
  base::PeriodicJob ceremony_steps([&] { return until_next_step; },
                                   [&] { until_next_step = ceremonies.Step(); });
  EpochReminder epochs(clock);
  std::vector<crypto::note::PublicKey> public_keys;
  for (const crypto::note::PrivateKey& key : files.signing_keys) public_keys.push_back(key.public_key());
  process->RunUntilStop(
      {intake_server.get(), peer_server.get()},
      [&](const policy::Snapshot& now) {
        intake_server->SetHealth(kAddressRules, exclusion.Look(*now.covenant));
        intake_server->SetHealth(kEpochs, epochs.Look(now));
      },
      public_keys);
  policy_poller.Stop();
  ceremony_steps.Stop();
  destroying.Stop();
  intake_server->Shutdown(server::kGrace);
  rotator.Stop();
  sender.Stop();
  peer_server->Shutdown(server::kGrace);
  intake_executor.Drain();
  peer_executor.Drain();
  process->Stop();
  return absl::OkStatus();
}

absl::Status Run(const v1::NodeConfig& config, server::RunMode mode) {
  const std::string first_signing_key = config.signing_key().empty() ? "" : config.signing_key(0);
  RAAKVLAK_RETURN_IF_ERROR(server::CheckRequired(config.common(), {{"partner", config.partner()},
                                                                   {"listen_intake", config.listen_intake()},
                                                                   {"listen_peer", config.listen_peer()},
                                                                   {"signing_key", first_signing_key},
                                                                   {"vault_key", config.vault_key()},
                                                                   {"keysets", config.keysets()},
                                                                   {"shares", config.shares()}}));
  if (mode == server::RunMode::kServe) return Serve(config);
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot,
                            server::CheckFiles(config.common(), base::SystemClock()));
  const policy::Covenant& covenant = *snapshot.covenant;
  RAAKVLAK_RETURN_IF_ERROR(server::CheckLog(SelfOf(config), covenant));
  RAAKVLAK_RETURN_IF_ERROR(log::ReadWitnessKey(config.common(), UrnOf(config, covenant), covenant).status());
  base::SystemRandom random;
  RAAKVLAK_RETURN_IF_ERROR(ReadFiles(config, snapshot, random).status());
  return server::BrokerChannel::Make(covenant, config.broker_address(),
                                     server::BrokerChannel::Over(server::TlsFilesOf(config.common())))
      .status();
}

}  // namespace
}  // namespace raakvlak::node

int main(int argc, char** argv) {
  namespace node = raakvlak::node;
  return raakvlak::server::RunServer(argc, argv, {node::kName, node::kSummary}, node::Run);
}
