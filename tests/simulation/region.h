// The region under simulation: four nodes, the broker and the hub's opener, with the policy and keys that
// they are given. Policy is signed here and *delivered* to each process apart, so that they differ for a
// while. Not thread safe.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/group/scalar.h"
#include "crypto/seal/seal.h"
#include "server/hub/opener.h"
#include "tests/simulation/network.h"
#include "tests/simulation/processes.h"
#include "tests/support/keyset.h"
#include "tests/support/region.h"

namespace raakvlak::simulation {

inline constexpr const char* kPartners[] = {"politie", "gemeente", "jeugdzorg", "woningcorporatie"};
// LIST with k = 2; CASE with k = 2, LIST of households with k = 3.
inline constexpr const char* kPurposes[] = {"onaantastbaren", "risicojeugd", "gezinsaanpak"};
inline constexpr uint32_t kRetentionDays[] = {9, 20, 14};
inline constexpr uint32_t kLogDays = 60;
// How the process is named that is no partner's.
inline constexpr char kBroker[] = "broker";

class Region {
 public:
  Region(uint64_t seed, Dice& dice);
  ~Region();

  base::testing::FakeClock& clock() { return region_.clock(); }
  Network& network() { return network_; }
  NodeProcess& node(const std::string& partner) { return *nodes_.at(partner); }
  BrokerProcess& broker() { return *broker_; }
  const v1::Covenant& covenant() { return region_.covenant(); }
  const v1::Roster& roster() { return region_.roster(); }
  uint32_t Today();

  // Changes of policy; false when this one cannot be made now. Each is signed and waits to be delivered.
  bool Suspend(const std::string& partner, bool suspended);
  bool RaiseEpoch(const std::string& purpose, uint32_t overlap_days);
  bool RemovePartner(const std::string& partner, uint32_t overlap_days);
  bool JoinPartner(const std::string& partner);
  bool RemovePurpose(const std::string& purpose);
  bool AddPurpose(const std::string& purpose);
  // Rosters and the list of excluded addresses run out: called as time goes by, every week it brings all
  // processes new ones.
  void Refresh();
  // Makes the keys that are missing.
  void MakeKeys();
  // The newest epoch of the purpose that is served and has its keys; 0 when there is none.
  uint32_t SealingEpoch(const std::string& purpose) const;
  std::vector<uint32_t> EpochsServed(const std::string& purpose) const;

  // Hands a process (by partner, or "broker") what policy, and a node what keys, it lacks.
  void Deliver(const std::string& process);
  void DeliverAll();
  // Starts a process from its files; one that runs is stopped first.
  void Restart(const std::string& process);
  // Copies its database while it is stopped; and puts the copy back, false when there is none.
  void Backup(const std::string& process);
  bool Restore(const std::string& process);
  // Forgets the copies.
  void DropCopies();
  Fuse& FuseOf(const std::string& process);
  // Whether `work` of that process came to its end.
  bool Run(const std::string& process, const std::function<void()>& work);
  std::string DatabaseOf(const std::string& process) const;

  // The caller, as the node's gate admits it.
  absl::StatusOr<rpc::Gate::Pass> ItPass(const std::string& partner, const char* method);

  // As staff do it: all open matches of a purpose, and what the opener makes of one.
  absl::StatusOr<std::vector<v1::MatchSummary>> ListMatches(const std::string& purpose);
  absl::StatusOr<hub::Opener::Opened> OpenMatch(const v1::MatchSummary& match);

 private:
  // Signs covenant and roster as they are now.
  void Publish();
  void PutSealKeys();
  void WriteExcluded();
  // Whether enough key holders are left without that partner, for all keys there are and for new ones.
  bool HasQuorumWithout(const std::string& partner);
  const v1::Purpose* FindPurpose(const std::string& purpose) const;
  Home HomeOf(const std::string& process) const { return {folder_.File(process)}; }
  void MakeHome(const std::string& process);
  void Drop(const std::string& process);
  absl::StatusOr<policy::Snapshot> HubSnapshot();
  v1::Order SignOrder(v1::OrderBody body, const policy::Snapshot& snapshot);

  testing::TestRegion region_;
  base::testing::TemporaryFolder folder_;
  base::testing::SeededRandom random_;
  Network network_;
  policy::LinkageCheck linkage_check_;
  World world_;
  v1::Covenant first_covenant_;
  std::vector<std::shared_ptr<const policy::Covenant>> covenants_;
  // Notes of policy, and how many of them each process has.
  std::vector<std::string> notes_;
  std::map<std::string, size_t> delivered_;
  std::map<std::pair<std::string, uint32_t>, crypto::seal::SealKeyPair> seal_keys_;
  std::map<std::tuple<std::string, int, uint32_t>, testing::MadeKeyset> keysets_;
  uint64_t excluded_number_ = 0;
  absl::Time refreshed_ = absl::InfinitePast();

  std::unique_ptr<BrokerProcess> broker_;
  NodeProcess::Nodes nodes_;
  testing::MemoryHighWater hub_high_water_;
  std::unique_ptr<policy::Authority> hub_authority_;
};

}  // namespace raakvlak::simulation
