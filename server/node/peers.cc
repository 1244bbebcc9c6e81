#include "server/node/peers.h"

#include <utility>

#include "base/log.h"
#include "base/status.h"

namespace raakvlak::node {

Peers::Peers(std::string own, client::KeyShareClient& own_share, policy::Authority& authority,
             FindAddress address, Connect connect)
    : own_(std::move(own)),
      own_share_(own_share),
      authority_(authority),
      address_(std::move(address)),
      connect_(std::move(connect)) {}

std::shared_ptr<const PeerClients> Peers::Clients() {
  base::MutexLock lock(mutex_);
  // Under the lock: who looked before does not undo what who looked later did.
  const absl::StatusOr<policy::Snapshot> snapshot = authority_.Current();
  if (snapshot.ok() && (!complete_ || snapshot->covenant->id() != covenant_id_)) Follow(*snapshot->covenant);
  return clients_;
}

void Peers::Follow(const policy::Covenant& covenant) {
  const bool first = covenant.id() != covenant_id_;
  std::map<std::string, Peer> peers;
  auto clients = std::make_shared<PeerClients>();
  // Not owned.
  (*clients)[own_] = std::shared_ptr<client::KeyShareClient>(std::shared_ptr<void>(), &own_share_);
  complete_ = true;
  for (const v1::Partner& partner : covenant.text().partners()) {
    const std::string address = address_(partner);
    if (partner.id() == own_ || address.empty()) continue;
    Peer peer{address, nullptr};
    if (const auto known = peers_.find(partner.id());
        known != peers_.end() && known->second.address == address) {
      peer = known->second;
    } else {
      auto client = connect_(address, policy::Urn(covenant.region(), "node", partner.id()));
      if (client.ok()) {
        peer.client = *std::move(client);
      } else {
        complete_ = false;
        if (first) {
          base::LogStatus(base::LogLevel::kError, "node.no_way_to_peer", client.status(),
                          {{"partner", partner.id()}});
        }
        continue;
      }
    }
    (*clients)[partner.id()] = peer.client;
    peers[partner.id()] = std::move(peer);
  }
  covenant_id_ = covenant.id();
  peers_ = std::move(peers);
  clients_ = std::move(clients);
}

}  // namespace raakvlak::node
