// What a node knows of one ceremony: for ceremony_driver.cc and ceremony_operator.cc only.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/node/ceremony_driver.h"

namespace raakvlak::node {

struct CeremonyDriver::Known {
  explicit Known(crypto::ceremony::Parameters of) : parameters(std::move(of)) {}

  const crypto::ceremony::Parameters parameters;
  std::string proposed_by;
  int64_t proposed_ms = 0;
  // Of this node; 0 when it is no member.
  uint32_t index = 0;
  // Of the broker's list.
  uint64_t last = 0;
  uint32_t num_keysets = 0;

  // When this node takes or took part.
  std::optional<storage::NodeCeremony> row;
  // While it runs; also after it stopped without proof, in case proof comes.
  std::unique_ptr<crypto::ceremony::Participant> participant;
  // Up to where messages were fetched since the participant was made.
  uint64_t fetched = 0;
  // Ahead of their step.
  std::vector<crypto::ceremony::SignedMessage> early;
  // How many of the participant's messages have reached the broker, and whether row->unsent has.
  size_t num_posted = 0;
  bool unsent_posted = false;
  absl::Time post_again_at = absl::InfinitePast();
  // Notes that were posted as its keyset, and whose signature they lack.
  std::vector<std::string> notes;
  std::pair<uint64_t, uint32_t> looked_at;
  absl::Time look_again_at = absl::InfinitePast();
  std::set<std::string> unsigned_holders;

  const std::string& id() const { return parameters.id(); }
  bool is_in(storage::NodeCeremonyState state) const { return row.has_value() && row->state == state; }
};

// "nothing came from a, b": an accusation has room for one name.
inline std::string WhoIsMissing(const crypto::ceremony::Participant& participant) {
  std::vector<std::string> names;
  for (const uint32_t index : participant.Missing())
    names.push_back(participant.parameters().Find(index)->partner);
  return absl::StrCat("nothing came from ", absl::StrJoin(names, ", "));
}

}  // namespace raakvlak::node
