// KeyStatus: how each key stands that the covenants want, for the operator (proto node_keys.proto).
//
// It asks every holder what it serves. Counts are of the moment. Thread safety: all methods may be called
// from any thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "raakvlak/v1/key_share.pb.h"
#include "raakvlak/v1/node_keys.pb.h"
#include "server/node/environment.h"
#include "server/node/holders.h"

namespace raakvlak::node {

class KeyStatus {
 public:
  // How far signals are that go over to a new epoch; nothing when none do.
  using Rotations = std::function<std::vector<v1::RotationStatus>(const policy::Snapshot&)>;

  // `clients`: Peers::Clients. `rotations` may be empty.
  KeyStatus(const Environment& environment, Holders::FindClients clients, Rotations rotations,
            absl::Duration timeout = absl::Seconds(5))
      : environment_(environment),
        clients_(std::move(clients)),
        rotations_(std::move(rotations)),
        timeout_(timeout) {}

  // Get: STORAGE_FAILED.
  absl::StatusOr<v1::GetKeyStatusResponse> Get(const policy::Snapshot& snapshot);

  // Online returns the partner ids of the holders that serve the keyset now, this node among them.
  std::set<std::string> Online(const policy::Keyset& keyset);

 private:
  // By partner id: who answered.
  using Answers = std::map<std::string, v1::DescribeResponse>;
  Answers Ask(const std::vector<std::shared_ptr<const policy::Keyset>>& keysets);
  static const v1::ServedKeyset* Served(const Answers& answers, const std::string& partner,
                                        const std::string& keyset_id);

  const Environment environment_;
  const Holders::FindClients clients_;
  const Rotations rotations_;
  const absl::Duration timeout_;
};

}  // namespace raakvlak::node
