// Evidence: what shows others who broke a ceremony, at which step, by which check (docs/format/ceremony.md).
//
// A finding is proven by signed messages of the ceremony itself, and for a bad share by the one secret key
// its receiver made for that contributor. VerifyEvidence (view.h) judges it; this file only reads and writes
// it. DO NOT CHANGE the numbers. Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/ceremony/message.h"

namespace raakvlak::crypto::ceremony {

enum class Check : uint8_t {
  // Content of another length than its step has, or a message in a step in which its sender sends none.
  kForm = 1,
  // A receiving key of small order.
  kReceivingKey = 2,
  // A reveal that is not what was committed to.
  kReveal = 3,
  // More or fewer commitments than the quorum wants, or one that is not canonical or is the identity.
  kCommitments = 4,
  kPossession = 5,
  // The first commitment of two contributors is the same; the higher index is named.
  kCopied = 6,
  // Reshare: the first commitment is not the contributor's old public share.
  kOldKey = 7,
  // An encrypted share that does not open, or holds no scalar.
  kEncryption = 8,
  // A share that does not fit its commitments.
  kShare = 9,
  // The shared public key, another commitment or a public share is the identity. Names nobody: it takes all.
  kGroupKey = 10,
  // Not proven: the sender was shown other messages than we were, or says so.
  kView = 11,
  // Two different messages of one step.
  kEquivocation = 12,
  // An abort whose evidence does not show what it says.
  kFalseAccusation = 13,
  // Not proven: a message did not come.
  kMissing = 14,
};
inline constexpr uint8_t kMaxCheck = 14;

// "commitments", "bad share" ..: for logs and people.
absl::string_view CheckName(Check check);
absl::string_view StepName(Step step);
// Whether evidence can show it to others.
bool IsProvable(Check check);

struct Finding {
  // Index; 0: nobody in particular.
  uint32_t culprit;
  Step step;
  Check check;
  bool operator==(const Finding&) const = default;
};

struct Disclosure {
  uint32_t receiver;
  uint32_t contributor;
  // The receiver's X25519 secret key for that contributor; worth nothing any more.
  std::string secret;
  bool operator==(const Disclosure&) const = default;
};

struct Evidence {
  std::vector<SignedMessage> messages;
  std::optional<Disclosure> disclosure;
  bool operator==(const Evidence&) const = default;
};

struct Accusation {
  Finding finding;
  Evidence evidence;
};

// The content of an abort: culprit(1) || step(1) || check(1) || count(1) || (length(4) || body ||
// signature(64)) per message || 0, or 1 || receiver(1) || contributor(1) || secret(32). ParseAccusation:
// MALFORMED for anything else.
std::string FormatAccusation(const Accusation& accusation);
absl::StatusOr<Accusation> ParseAccusation(absl::string_view bytes);

}  // namespace raakvlak::crypto::ceremony
