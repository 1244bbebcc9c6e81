// What a node keeps of the ceremonies that it takes part in, and of the keysets that it has seen.
//
// A row of a ceremony stays for ever: that it is there says that this node took part, so it never does so a
// second time under the same text. What is secret in it comes in encrypted (server/node/vault.h) and goes
// when the ceremony ended.
#pragma once

#include <cstdint>
#include <string>

namespace raakvlak::storage {

// DO NOT CHANGE the numbers: they are in databases. A ceremony goes from one to a higher one.
enum class NodeCeremonyState : int {
  kRunning = 1,
  // The key is made; signatures of other holders on the keyset are missing.
  kSigning = 2,
  kStopped = 3,
  kDone = 4,
};

struct NodeCeremony {
  std::string ceremony_id;  // 32 bytes
  std::string parameters;
  std::string proposed_by;  // partner id
  NodeCeremonyState state = NodeCeremonyState::kRunning;
  int64_t approved_ms = 0;
  int64_t changed_ms = 0;
  // Participant::Export, encrypted; empty when it ended.
  std::string secret;
  // This node's share, encrypted, from the end of the ceremony until its keyset is in use, or never will be.
  std::string share;
  // From the end of the ceremony on: 32 bytes, and the keyset as a signed note: with this node's signature,
  // then with all.
  std::string transcript_hash;
  std::string keyset;
  // Stopped: crypto::ceremony::FormatAccusation, the index of who says so, and in words.
  std::string evidence;
  uint32_t reporter = 0;
  std::string why;
  // raakvlak.v1.PostRequest that may not have reached the broker.
  std::string unsent;
  bool operator==(const NodeCeremony&) const = default;
};

// The highest generation of a key that this node has used.
struct SeenKeyset {
  std::string purpose;
  uint8_t identifier_class = 0;
  uint32_t epoch = 0;
  uint32_t generation = 0;
  std::string keyset_id;  // 32 bytes
  // When it was first seen, and when the first generation was.
  int64_t time_ms = 0;
  int64_t made_ms = 0;
  bool operator==(const SeenKeyset&) const = default;
};

}  // namespace raakvlak::storage
