// CeremonyWorld: the nodes of TestRegion with their ceremony drivers in one process, over a relay in memory
// that does what a test tells it. A node can be stopped at any write of its store or any call to the relay,
// and started again from what is on its disk.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/fakes.h"
#include "client/ceremony_client.h"
#include "server/node/ceremony_driver.h"
#include "server/node/key_ring.h"
#include "server/node/vault.h"
#include "server/storage/memory/node_store.h"
#include "tests/support/region.h"
#include "tests/unit/server/node/node_world.h"

namespace raakvlak::node::testing {

// One region for all tests that do not change it: its keys take the longest.
raakvlak::testing::TestRegion& SharedRegion();

// FakeRelay keeps what is posted, and hands it to all, as the broker does.
class FakeRelay {
 public:
  FakeRelay();
  ~FakeRelay();
  client::CeremonyClient& ClientOf(const std::string& partner);

  // Nobody reaches it.
  bool away = false;
  // Called with partner and method ("Post") before and after each call does its work; an error is the
  // caller's answer.
  std::function<absl::Status(const std::string&, const std::string&)> before;
  std::function<absl::Status(const std::string&, const std::string&)> after;
  // May change what one partner is handed out.
  std::function<void(const std::string&, v1::FetchResponse&)> change_fetch;

  struct Ceremony {
    std::string id;
    v1::ProposeRequest proposal;
    std::string proposed_by;
    struct Message {
      std::string sender;
      v1::CeremonyMessage message;
    };
    std::vector<Message> messages;
    // By partner.
    std::map<std::string, std::string> keysets;
  };
  std::vector<Ceremony> ceremonies;

 private:
  class Client;
  Ceremony* Find(const std::string& id);
  std::map<std::string, std::unique_ptr<Client>> clients_;
};

class CeremonyWorld {
 public:
  struct Node {
    std::unique_ptr<storage::MemoryNodeStore> store;
    // In place of `store` when set: for a node that is to fail.
    std::unique_ptr<FlakyStore> flaky;
    std::unique_ptr<KeyRing> keys;
    std::unique_ptr<Vault> vault;
    Environment environment;
    std::unique_ptr<CeremonyDriver> driver;
  };

  // All partners of `region`, which outlives this.
  explicit CeremonyWorld(raakvlak::testing::TestRegion& region);

  raakvlak::testing::TestRegion& region() { return region_; }
  FakeRelay& relay() { return relay_; }
  Node& node(const std::string& partner) { return nodes_.at(partner); }
  std::vector<std::string> partners() const;
  // Makes ring and driver of a node anew from what is on its disk; of a partner without a node, a new one.
  void Restart(const std::string& partner);
  policy::Snapshot Snapshot();
  // A covenant that follows, as `change` leaves it, and its roster are in force at all nodes.
  void GoToNextCovenant(const std::function<void(v1::Covenant&)>& change = nullptr);
  // The same with a new epoch of kPurpose, without an overlap.
  void GoToNextEpoch();
  rpc::Gate::Pass OperatorPass(const std::string& partner);

  absl::StatusOr<v1::CeremonyState> Propose(const std::string& partner, const std::string& kind,
                                            std::vector<std::string> contributors = {});
  absl::StatusOr<v1::CeremonyState> Approve(const std::string& partner, const std::string& ceremony_id);
  // Proposes at the first partner and has all others approve. Returns the ceremony's id.
  std::string Begin(const std::string& kind, std::vector<std::string> contributors = {});
  // Steps all nodes in turn, `rounds` times.
  void Step(int rounds = 12);
  // "done" .. at one node.
  v1::CeremonyState StateAt(const std::string& partner, const std::string& ceremony_id);
  // The newest keyset of `kPurpose` and `kClass` at a node; nullptr when it has none.
  std::shared_ptr<const policy::Keyset> KeysetAt(const std::string& partner, uint32_t epoch = 1);
  // The key that any quorum of the shares in use gives, which nobody has outside of tests. Fails the test
  // when nodes disagree, or two quorums do.
  crypto::group::Scalar KeyInUse(uint32_t epoch = 1);
  // The signed note of a keyset, as a node holds it on disk.
  std::string NoteOf(const std::string& partner, const std::string& keyset_id);
  std::vector<storage::AuditEntry> EntriesAt(const std::string& partner, const std::string& action);

  static constexpr char kPurpose[] = "risicojeugd";
  static constexpr v1::IdentifierClass kClass = v1::PERSON;

 private:
  raakvlak::testing::TestRegion& region_;
  base::testing::TemporaryFolder folder_;
  base::testing::SeededRandom random_{77};
  FakeRelay relay_;
  std::map<std::string, Node> nodes_;
};

}  // namespace raakvlak::node::testing
