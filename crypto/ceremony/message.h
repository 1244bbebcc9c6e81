// Messages of a ceremony (docs/format/ceremony.md): body and signature, of kind "ceremony"
// (crypto/note/signed_message.h), by the sender's signing key. DO NOT CHANGE the layouts.
//
//   body  = step(1) || ceremony id(32) || chain(32) || sender(1) || content
//   chain = SHA-256 of all that was sent in the steps before, in order (ChainAfter); in step 1 the ceremony
//   id.
//           After step 1 it is the session id, after step 4 the transcript hash.
//
//   1 join         nonce(32) || X25519 receiving key(32) per contributor     members; no keys from who does
//   not
//                                                                            receive
//   2 commit       CommitDigest(32) of the reveal's content                  contributors
//   3 reveal       opening(32) || proof of possession(64) || commitments     contributors
//   4 shares       ephemeral X25519 key(32) || encrypted share(72) per receiver   contributors
//   5 certificate  nothing: the chain is what is signed                      receivers
//   6 abort        finding and evidence (evidence.h)                         any member
//
// An honest member signs one message a step and ceremony, and only under the chain that it saw itself: so two
// different ones of one step are evidence against their sender, and who was shown something else than the
// others finds out at the next step. Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/ceremony/parameters.h"
#include "crypto/note/ed25519.h"

namespace raakvlak::crypto::ceremony {

enum class Step : uint8_t {
  kJoin = 1,
  kCommit = 2,
  kReveal = 3,
  kShares = 4,
  kCertificate = 5,
  kAbort = 6,
};
inline constexpr int kNumSteps = 5;

// An abort carries the messages it is about: all of 32 members, and one that is as large as messages may be.
inline constexpr size_t kMaxBodySize = 1 << 18;
// Of any other message; 32 members take 2,402.
inline constexpr size_t kMaxStepBodySize = 4096;
// What stands before the content of a body.
inline constexpr size_t kHeaderSize = 1 + 32 + 32 + 1;
inline constexpr size_t kNonceSize = 32;
inline constexpr size_t kPossessionSize = 64;

struct SignedMessage {
  std::string body;
  std::string signature;  // 64 bytes
  bool operator==(const SignedMessage&) const = default;
};

struct Content {
  Step step;
  std::string chain;  // 32 bytes
  uint32_t sender;
  std::string bytes;
};

SignedMessage SignContent(const Parameters& parameters, const Content& content, const note::PrivateKey& key);

// Open verifies the signature by the key that the parameters give the sender, then splits the body.
// TOO_LARGE; MALFORMED: no step, sender or shape of the above; INVALID_ARGUMENT: of another ceremony;
// SIGNATURE_INVALID. None of these says anything about the sender named: anyone can make such bytes.
absl::StatusOr<Content> Open(const Parameters& parameters, const SignedMessage& message);

// Whether that member sends a message in that step.
bool Sends(const Member& member, Step step);

// ChainAfter returns SHA-256(lp("raakvlak/v1/ceremony/chain") || step(1) || chain(32) || (sender(1) ||
// SHA-256(body)) for each in ascending order of sender).
std::string ChainAfter(Step step, absl::string_view chain, const std::map<uint32_t, SignedMessage>& messages);

// CommitDigest returns SHA-256(lp("raakvlak/v1/ceremony/commit") || session id(32) || sender(1) || content of
// the reveal).
std::string CommitDigest(absl::string_view session_id, uint32_t sender, absl::string_view reveal);

}  // namespace raakvlak::crypto::ceremony
