// BrokerChannel: the way of a node or the hub to the broker, where the covenant in force says that it is.
//
// A covenant with another address or URN gives another channel for the calls that begin after it; those that
// are under way keep theirs. An address of the configuration goes before those of covenants.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/channel_source.h"
#include "policy/authority.h"
#include "rpc/tls.h"
#include "server/log/witnessed_log.h"

namespace raakvlak::server {

class BrokerChannel {
 public:
  using Connect = std::function<absl::StatusOr<std::shared_ptr<grpc::Channel>>(const std::string& address,
                                                                               const std::string& urn)>;

  // Make returns the channel to the broker of `covenant`. `configured` is the address of the configuration,
  // empty: there is none. CONFIG_INVALID when the covenant has none either; errors of `connect`.
  static absl::StatusOr<std::shared_ptr<grpc::Channel>> Make(const policy::Covenant& covenant,
                                                             const std::string& configured,
                                                             const Connect& connect);
  // What the programs connect with: rpc::MakeChannel.
  static Connect Over(rpc::TlsFiles files);

  // Errors of Make for the covenant in force. `authority` outlives this.
  static absl::StatusOr<std::shared_ptr<BrokerChannel>> Create(policy::Authority& authority,
                                                               std::string configured, Connect connect);

  // Now returns the channel by the covenant in force, or by the last one when none is. Where Make fails the
  // way stays what it was, which is logged once, and the next call tries again.
  std::shared_ptr<grpc::Channel> Now();
  // For clients that live no longer than this.
  client::ChannelSource source() {
    return [this] { return Now(); };
  }
  // The broker as the only witness of a log. What is made keeps to one channel: log::WitnessedLog asks anew
  // for each covenant.
  static log::WitnessedLog::MakeClient AsWitness(std::shared_ptr<BrokerChannel> broker);

 private:
  BrokerChannel(policy::Authority& authority, std::string configured, Connect connect)
      : authority_(authority), configured_(std::move(configured)), connect_(std::move(connect)) {}
  absl::Status Follow(const policy::Covenant& covenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  policy::Authority& authority_;
  const std::string configured_;
  const Connect connect_;
  base::Mutex mutex_;
  // Of the covenant that was followed last, and of one that could not be.
  std::string covenant_id_ ABSL_GUARDED_BY(mutex_);
  std::string failed_id_ ABSL_GUARDED_BY(mutex_);
  v1::Broker broker_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::server
