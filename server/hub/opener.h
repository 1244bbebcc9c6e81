// Opener: opens the envelopes of one match, and believes nobody (design 4.4, 4.5; docs/format/envelope.md).
//
// It holds the seal keys. From signed bytes alone, never on the broker's word, it checks: that the envelopes
// are those of the order; every envelope (signature of a partner in force, format, covenant, purpose, days);
// commitments, shares, every wrapped key and the content key's commitment; then, counting only signals that
// opened, k distinct organisations in a group and a case report of an entitled partner in mode CASE; and that
// all that is returned hangs together as one subject. What does not fit becomes a Fault that names the
// partner and counts as absent: it blocks nobody else, and helps nobody either. SIGNATURE_INVALID and
// ENVELOPE_INVALID name who the envelope says it is of: whoever handed it over may be the liar.
//
// Keys are wiped when the call ends and nothing is kept; content passes through protobuf messages, which are
// not wiped. It opens on an OpeningProof only: that the order was verified, and stands in the broker's
// cosigned log. Thread safety: Open may be called from any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "crypto/seal/seal.h"
#include "policy/authority.h"
#include "policy/keyset/keyset.h"
#include "raakvlak/v1/cases.pb.h"
#include "server/hub/opening_proof.h"

namespace raakvlak::hub {

class Opener {
 public:
  // `seal_keys` by key id; `keysets` of the covenant in force.
  Opener(std::map<std::string, crypto::seal::SealKeyPair> seal_keys, policy::KeysetStore keysets);

  struct Opened {
    std::vector<v1::OpenedSignal> signals;  // by partner, then client_ref
    // At most one for each envelope. One of which only a single token is wrong may stand in both lists.
    std::vector<v1::Fault> faults;
    // Why they are one subject, from the tokens of `signals` alone (policy/evidence.h).
    std::vector<v1::RuleEvidence> evidence;
  };
  // MATCH_CHANGED when the envelopes are not those the order was signed for; THRESHOLD_NOT_MET when no group
  // is left that may be opened (the message names the faults); KEYSET_UNKNOWN when this hub lacks the seal
  // key or a keyset of the purpose and epoch; PURPOSE_UNKNOWN.
  absl::StatusOr<Opened> Open(const OpeningProof& proof, absl::Span<const v1::Envelope> envelopes,
                              const policy::Snapshot& snapshot, absl::Time now) const;

 private:
  std::map<std::string, crypto::seal::SealKeyPair> seal_keys_;
  policy::KeysetStore keysets_;
};

}  // namespace raakvlak::hub
