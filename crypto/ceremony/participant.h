// Participant: one member's part in one ceremony (docs/format/ceremony.md).
//
// Simplified Pedersen key generation with proofs of possession (SimplPedPop of ChillDKG), encrypted shares
// and a certificate of all, with a round of commitments before. Nobody holds the key at any time. It is not
// robust: one member that fails stops the ceremony, and is named, with evidence where its own signed messages
// show it.
//
// It is a function of its parameters, a seed and the messages it was given, in their order. Export is those
// three: Import plays them again and signs the same bytes again, so an interrupted member never signs two
// different messages of one step. For that the caller MUST store Export() durably before it sends what
// Receive returned, and MUST never make a second Participant for the same parameters (a retry counts
// `attempt` up).
//
// The key is in use only when the keyset that follows is signed by all its holders
// (policy/keyset): the caller keeps old shares until then. It does NOT know time: whoever waits too long
// calls GiveUp. It does NOT tell a member that sends nothing from a relay that passes nothing on, nor a
// member that was shown something else from one that lies about it, until the logs of two members are
// compared, which happens when an abort of the one reaches the other.
//
// Thread safety: one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/ceremony/evidence.h"
#include "crypto/ceremony/message.h"
#include "crypto/ceremony/parameters.h"
#include "crypto/ceremony/view.h"
#include "crypto/group/element.h"
#include "crypto/group/scalar.h"
#include "crypto/note/ed25519.h"

namespace raakvlak::crypto::ceremony {

// What every member agrees on at the end, and what this one holds.
struct Outcome {
  // Of who receives; nothing for who only contributes.
  std::optional<group::Scalar> share;
  // A_0 .. A_{t-1}.
  std::vector<group::Element> commitments;
  // 32 bytes; what the keyset names, and TranscriptCode tells in digits.
  std::string transcript_hash;
  // One of each receiver, all over the transcript hash.
  std::vector<SignedMessage> certificate;
};

// Why a ceremony stopped.
struct Blame {
  Finding finding;
  // Index of the member that found it: this one, or who sent the abort. What is not provable is its word.
  uint32_t reporter;
  Evidence evidence;
};

class Participant {
 public:
  // INVALID_ARGUMENT: no member has that index, the key is not that member's, or there is an old share too
  // many or too few (refresh and reshare: who contributes has one). VERIFICATION_FAILED: it is not that of
  // the old keyset. `key` must outlive the participant.
  static absl::StatusOr<Participant> Create(Parameters parameters, uint32_t index,
                                            const note::PrivateKey& key,
                                            std::optional<group::Scalar> old_share, base::Random& random);

  // Everything that it says to the others so far, in order; what a resumed member sends again.
  const std::vector<SignedMessage>& Sent() const { return sent_; }

  // Receive takes a message of any member, its own included, as often as it comes, and returns what is to be
  // sent to all others now. A message that breaks the rules under its sender's own signature stops the
  // ceremony: blame() is then set, and the abort is among what is returned. What comes after an end is passed
  // over. Errors, which change nothing and say nothing about the sender named: as Open, and UNAVAILABLE for
  // what is ahead of its step: give it again later.
  absl::StatusOr<std::vector<SignedMessage>> Receive(const SignedMessage& message);

  // GiveUp stops waiting; returns an abort that names who is missing. Nothing happens after an end.
  std::vector<SignedMessage> GiveUp();

  // Secret: holds the seed from which this member's share and contribution follow. The caller encrypts it,
  // and destroys it when the ceremony ended and the outcome is stored.
  base::SecretBytes Export() const;
  // MALFORMED; otherwise as Create.
  static absl::StatusOr<Participant> Import(const base::SecretBytes& state, const note::PrivateKey& key,
                                            std::optional<group::Scalar> old_share);

  const Parameters& parameters() const { return view_.parameters(); }
  uint32_t index() const { return self_.index; }
  // The step whose messages it waits for, and whose they are.
  Step step() const { return view_.step(); }
  std::vector<uint32_t> Missing() const { return view_.Missing(); }
  const std::optional<Blame>& blame() const { return blame_; }
  const std::optional<Outcome>& outcome() const { return outcome_; }

 private:
  Participant(Parameters parameters, const Member& self, const note::PrivateKey& key,
              std::optional<group::Scalar> old_share, base::SecretBytes seed);
  static absl::StatusOr<Participant> CreateFromSeed(Parameters parameters, uint32_t index,
                                                    const note::PrivateKey& key,
                                                    std::optional<group::Scalar> old_share,
                                                    base::SecretBytes seed);

  // Makes and sends what is its turn, until it waits for others or the ceremony ended.
  std::vector<SignedMessage> Advance();
  std::string MakeContent(Step step) const;
  std::string MakeJoin() const;
  std::string MakeReveal() const;
  std::string MakeShares() const;
  base::SecretBytes ReceivingSecret(size_t contributor_place) const;
  std::vector<group::Scalar> Polynomial() const;
  group::Scalar CombineShares() const;
  // Opens what a contributor sent; stops the ceremony when it is bad.
  std::vector<SignedMessage> TakeShare(uint32_t contributor);
  std::vector<SignedMessage> HandleAbort(const SignedMessage& message, const Content& content);
  std::vector<SignedMessage> Accuse(const Finding& finding, Evidence evidence);
  Evidence LogAnd(const SignedMessage& message) const;

  View view_;
  Member self_;
  const note::PrivateKey* key_;
  std::optional<group::Scalar> old_share_;
  base::SecretBytes seed_;
  // What was received and changed something, in order.
  std::vector<SignedMessage> received_;
  bool gave_up_ = false;
  std::vector<SignedMessage> sent_;
  // By contributor.
  std::map<uint32_t, group::Scalar> shares_;
  std::optional<Blame> blame_;
  std::optional<Outcome> outcome_;
};

}  // namespace raakvlak::crypto::ceremony
