// The processes of the region, put together from the real cores on real SQLite files as main.cc does, without
// gRPC and threads. Boot makes a process from its files, and again after it stopped: nothing else survives.
// Not thread safe.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/fakes.h"
#include "policy/budget/covenant_budget.h"
#include "rpc/gate.h"
#include "server/broker/allowances.h"
#include "server/broker/epoch_end.h"
#include "server/broker/exchange.h"
#include "server/broker/expiry.h"
#include "server/broker/matcher.h"
#include "server/broker/matches.h"
#include "server/node/address_exclusion.h"
#include "server/node/allowances.h"
#include "server/node/destruction.h"
#include "server/node/holders.h"
#include "server/node/intake.h"
#include "server/node/key_share.h"
#include "server/node/outbox.h"
#include "server/node/peers.h"
#include "server/node/pseudonymiser.h"
#include "server/node/rotator.h"
#include "server/node/sender.h"
#include "server/node/vault.h"
#include "server/storage/broker_store.h"
#include "server/storage/node_store.h"
#include "tests/simulation/network.h"

namespace raakvlak::simulation {

// What all processes share. Each has chance of its own, from the seed.
struct World {
  base::testing::FakeClock& clock;
  uint64_t seed;
  Network& network;
  policy::LinkageCheck& linkage_check;
  // Of excluded addresses.
  std::string excluded_path;
};

// The files of one process: its database, and its policy folder with what it began with.
struct Home {
  std::string folder;
  std::string Path(const std::string& name) const { return folder + "/" + name; }
  policy::PolicyFiles PolicyFiles() const {
    return {Path("covenant.note"), Path("roster.note"), Path("policy")};
  }
};

class BrokerProcess {
 public:
  BrokerProcess(World& world, Home home, std::string urn);
  ~BrokerProcess();
  void Boot();
  // Drops all that is not in its files.
  void Drop();

  // What its two jobs do (server/broker/background.h): expiry on a new day and when asked to; matching; end
  // of epochs.
  void Work(bool expire);

  const Home home;
  const std::string urn;
  Fuse fuse;
  std::unique_ptr<storage::BrokerStore> file;
  std::unique_ptr<policy::Authority> authority;
  std::unique_ptr<rpc::Gate> gate;
  std::unique_ptr<broker::Exchange> exchange;
  std::unique_ptr<broker::Allowances> allowances;
  std::unique_ptr<broker::Matches> matches;

 private:
  class FusedStore;
  class Prover;
  void Expire(const policy::Snapshot& snapshot);

  World& world_;
  base::testing::SeededRandom random_;
  std::unique_ptr<FusedStore> store_;
  std::unique_ptr<Prover> prover_;
  std::unique_ptr<broker::Matcher> matcher_;
  std::unique_ptr<broker::EpochEnd> epoch_end_;
  std::unique_ptr<broker::Expiry> expiry_;
  uint32_t matched_day_ = 0;
};

class NodeProcess {
 public:
  using Nodes = std::map<std::string, std::unique_ptr<NodeProcess>>;
  NodeProcess(World& world, Home home, std::string partner, const crypto::note::PrivateKey& signing_key,
              BrokerProcess& broker, Nodes& nodes);
  ~NodeProcess();
  void Boot();
  void Drop();

  const Home home;
  const std::string partner;
  const std::string urn;
  Fuse fuse;
  std::unique_ptr<storage::NodeStore> file;
  std::unique_ptr<policy::Authority> authority;
  std::unique_ptr<node::KeyRing> keys;
  std::unique_ptr<rpc::Gate> intake_gate;
  std::unique_ptr<rpc::Gate> peer_gate;
  std::unique_ptr<node::KeyShare> key_share;
  std::unique_ptr<node::Intake> intake;
  std::unique_ptr<node::Sender> sender;
  std::unique_ptr<node::Rotator> rotator;
  std::unique_ptr<node::Destruction> destruction;

 private:
  class FusedStore;
  void Connect();

  World& world_;
  base::testing::SeededRandom random_;
  const crypto::note::PrivateKey& signing_key_;
  BrokerProcess& broker_;
  Nodes& nodes_;
  ExchangeLink exchange_;
  std::unique_ptr<FusedStore> store_;
  std::unique_ptr<node::Vault> vault_;
  std::unique_ptr<node::AddressExclusion> exclusion_;
  std::unique_ptr<node::Allowances> allowances_;
  std::unique_ptr<node::LocalKeyShare> own_share_;
  std::unique_ptr<OwnShareLink> own_link_;
  std::unique_ptr<node::Peers> peers_;
  std::unique_ptr<node::Holders> holders_;
  std::unique_ptr<node::Pseudonymiser> pseudonymiser_;
  std::unique_ptr<node::Outbox> outbox_;
  node::Environment environment_;
};

}  // namespace raakvlak::simulation
