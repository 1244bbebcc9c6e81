// Peers: the ways to the key holders, this node among them, by the covenant in force.
//
// A partner that joins gets a client when one is first asked for, one that left is dropped (calls that are
// under way keep theirs), and one whose address changed is reached at the new one. Thread safety: all methods
// may be called from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/key_share_client.h"
#include "policy/authority.h"

namespace raakvlak::node {

// By partner id.
using PeerClients = std::map<std::string, std::shared_ptr<client::KeyShareClient>>;

class Peers {
 public:
  // Where a partner's node is reached; empty: nowhere.
  using FindAddress = std::function<std::string(const v1::Partner& partner)>;
  using Connect = std::function<absl::StatusOr<std::unique_ptr<client::KeyShareClient>>(
      const std::string& address, const std::string& urn)>;

  // `own_share` is the way to the share of this node, whose partner is `own`. The references outlive this.
  Peers(std::string own, client::KeyShareClient& own_share, policy::Authority& authority, FindAddress address,
        Connect connect);

  // Clients returns those of the covenant in force, or of the last one when none is. A partner to which
  // Connect makes no client is not in it, and tried again at the next call.
  std::shared_ptr<const PeerClients> Clients();

 private:
  struct Peer {
    std::string address;
    std::shared_ptr<client::KeyShareClient> client;
  };
  void Follow(const policy::Covenant& covenant) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string own_;
  client::KeyShareClient& own_share_;
  policy::Authority& authority_;
  const FindAddress address_;
  const Connect connect_;
  base::Mutex mutex_;
  std::string covenant_id_ ABSL_GUARDED_BY(mutex_);
  bool complete_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, Peer> peers_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const PeerClients> clients_ ABSL_GUARDED_BY(mutex_) = std::make_shared<PeerClients>();
};

}  // namespace raakvlak::node
