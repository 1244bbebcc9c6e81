#include "server/program/broker_channel.h"

#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "client/witness_client.h"
#include "rpc/channel.h"

namespace raakvlak::server {
namespace {

const std::string& BrokerAddress(const v1::Broker& broker, const std::string& configured) {
  return configured.empty() ? broker.address() : configured;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> BrokerChannel::Make(const policy::Covenant& covenant,
                                                                   const std::string& configured,
                                                                   const Connect& connect) {
  const v1::Broker& broker = covenant.text().broker();
  const std::string& address = BrokerAddress(broker, configured);
  if (address.empty()) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       "broker_address is missing, and the covenant gives none");
  }
  return connect(address, broker.urn());
}

BrokerChannel::Connect BrokerChannel::Over(rpc::TlsFiles files) {
  return [files = std::move(files)](const std::string& address, const std::string& urn) {
    return rpc::MakeChannel(address, urn, files);
  };
}

absl::StatusOr<std::shared_ptr<BrokerChannel>> BrokerChannel::Create(policy::Authority& authority,
                                                                     std::string configured,
                                                                     Connect connect) {
  std::shared_ptr<BrokerChannel> made(
      new BrokerChannel(authority, std::move(configured), std::move(connect)));
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot in_force, authority.Current());
  base::MutexLock lock(made->mutex_);
  RAAKVLAK_RETURN_IF_ERROR(made->Follow(*in_force.covenant));
  return made;
}

log::WitnessedLog::MakeClient BrokerChannel::AsWitness(std::shared_ptr<BrokerChannel> broker) {
  return [broker = std::move(broker)](const policy::Covenant&, const std::string&) {
    return absl::StatusOr<std::unique_ptr<client::WitnessClient>>(client::MakeWitnessClient(broker->Now()));
  };
}

std::shared_ptr<grpc::Channel> BrokerChannel::Now() {
  base::MutexLock lock(mutex_);
  // Under the lock: who looked before does not undo what who looked later did.
  const absl::StatusOr<policy::Snapshot> in_force = authority_.Current();
  if (!in_force.ok() || in_force->covenant->id() == covenant_id_) return channel_;
  const absl::Status followed = Follow(*in_force->covenant);
  if (!followed.ok() && std::exchange(failed_id_, in_force->covenant->id()) != in_force->covenant->id()) {
    base::LogStatus(base::LogLevel::kError, "policy.no_way_to_broker", followed);
  }
  return channel_;
}

absl::Status BrokerChannel::Follow(const policy::Covenant& covenant) {
  const v1::Broker& broker = covenant.text().broker();
  const std::string& address = BrokerAddress(broker, configured_);
  if (channel_ == nullptr || broker.urn() != broker_.urn() ||
      address != BrokerAddress(broker_, configured_)) {
    RAAKVLAK_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, Make(covenant, configured_, connect_));
    if (channel_ != nullptr) base::Log(base::LogLevel::kInfo, "policy.broker_moved", {{"address", address}});
    channel_ = std::move(channel);
  }
  broker_ = broker;
  covenant_id_ = covenant.id();
  return absl::OkStatus();
}

}  // namespace raakvlak::server
