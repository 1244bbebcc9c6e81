// View: the public side of a ceremony, built message by message, with every check that needs no secret.
// Members hold one; so does whoever judges evidence.
//
// A step is complete when all that send in it have; then the chain moves on. Within a step the order does not
// matter. What is found wrong with a message is a Finding about its sender only when the sender signed it
// under the same chain that we have, so nobody is blamed for what it was never shown.
//
// It does NOT keep messages for later: one that is ahead of its step is refused with UNAVAILABLE and may be
// given again. Thread safety: as a std::map.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/secret.h"
#include "crypto/ceremony/evidence.h"
#include "crypto/ceremony/message.h"
#include "crypto/ceremony/parameters.h"
#include "crypto/group/element.h"
#include "crypto/group/public_point.h"
#include "crypto/group/scalar.h"

namespace raakvlak::crypto::ceremony {

class View {
 public:
  explicit View(Parameters parameters);

  struct Added {
    // False for a message that is there already.
    bool is_new = false;
    // What is wrong. The message is then not kept, but for kGroupKey, which is about all reveals together.
    std::optional<Finding> finding;
  };
  // Errors as Open, and UNAVAILABLE. REQUIRES, with `content`: it is what Open gave for this message. Not for
  // aborts.
  absl::StatusOr<Added> Add(const SignedMessage& message);
  absl::StatusOr<Added> Add(const SignedMessage& message, const Content& content);

  const Parameters& parameters() const { return parameters_; }
  // The step whose messages are awaited; kCertificate also when complete().
  Step step() const { return step_; }
  bool complete() const { return complete_; }
  // Who has not sent in step().
  std::vector<uint32_t> Missing() const;
  // nullptr when that member has not sent in that step.
  const SignedMessage* Find(Step step, uint32_t sender) const;
  // Without its header. REQUIRES: Find(step, sender).
  absl::string_view ContentOf(Step step, uint32_t sender) const;
  // The chain under which messages of `step` are sent. REQUIRES: step <= step().
  const std::string& Chain(Step step) const;
  // All messages, by step and sender.
  std::vector<SignedMessage> Log() const;

  // A_0 .. of the key that comes out. REQUIRES: step() > kReveal.
  const std::vector<group::Element>& commitments() const { return commitments_; }

  // What a contributor sent to a receiver.
  struct OpenedShare {
    // kEncryption or kShare.
    std::optional<Check> failed;
    group::Scalar share;
  };
  // REQUIRES: both exist and the shares have come.
  OpenedShare OpenShare(uint32_t contributor, uint32_t receiver,
                        const base::SecretBytes& receiving_secret) const;

 private:
  std::optional<Finding> CheckContent(const Content& content);
  std::optional<Check> CheckJoin(const Member& member, absl::string_view content) const;
  std::optional<Finding> CheckReveal(const Content& content);
  bool CombineCommitments();
  std::optional<Finding> Advance();

  Parameters parameters_;
  Step step_ = Step::kJoin;
  bool complete_ = false;
  // By step, then by sender.
  std::array<std::map<uint32_t, SignedMessage>, kNumSteps> messages_;
  std::vector<std::string> chains_;
  // By contributor: t points, the first the identity in a refresh.
  std::map<uint32_t, std::vector<group::PublicPoint>> revealed_;
  std::vector<group::Element> commitments_;
};

// VerifyEvidence: OK when the evidence shows the finding. VERIFICATION_FAILED otherwise, also for what cannot
// be shown (IsProvable).
absl::Status VerifyEvidence(const Parameters& parameters, const Accusation& accusation);

// Judge returns the finding that follows from an abort: what it accuses of when its evidence holds, or cannot
// be shown to anyone; otherwise kForm or kFalseAccusation of its sender. REQUIRES: `content` is what Open
// gave, of step kAbort.
Finding Judge(const Parameters& parameters, const Content& content);

}  // namespace raakvlak::crypto::ceremony
