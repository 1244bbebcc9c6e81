// Opener: opens the envelopes of one match, and believes nobody (design 4.4, 4.5; docs/format/envelope.md).
//
// From signed bytes alone, never on the broker's word, it checks: that the envelopes are those of the order;
// every envelope (signature of a partner in force, format, the covenant that it names, purpose, days, and
// that its epoch is served); commitments, shares, every wrapped key and the content key's commitment; then,
// counting only signals that opened, k distinct organisations in a group and a case report of an entitled
// partner in mode CASE; and that all that is returned hangs together as one subject. What does not fit
// becomes a Fault that names the partner and counts as absent: it blocks nobody else, and helps nobody
// either. SIGNATURE_INVALID and ENVELOPE_INVALID name who the envelope says it is of: whoever handed it over
// may be the liar.
//
// A signal may stand in a match once for each epoch that is served. Each version is opened under its own
// epoch (keyset, seal key, rules and k), and groups are of one epoch: versions of two never add up. Groups
// that share a signal, in whatever versions, are one subject, and of each signal the newest version that
// opened is returned.
//
// Keys are wiped when the call ends and nothing is kept; content passes through protobuf messages, which are
// not wiped. It opens on an OpeningProof only: that the order was verified, and stands in the broker's
// cosigned log. Thread safety: Open may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "policy/authority.h"
#include "raakvlak/v1/cases.pb.h"
#include "server/hub/key_store.h"
#include "server/hub/opening_proof.h"

namespace raakvlak::hub {

class Opener {
 public:
  // KeyStore::Now, asked once for each opening.
  using FindKeys = std::function<std::shared_ptr<const OpenerKeys>()>;
  explicit Opener(FindKeys keys) : keys_(std::move(keys)) {}

  struct Opened {
    // Each signal once, by partner, then client_ref.
    std::vector<v1::OpenedSignal> signals;
    // At most one for each envelope. One of which only a single token is wrong may stand in both lists.
    std::vector<v1::Fault> faults;
    // Why they are one subject, from the tokens of `signals` alone (policy/evidence.h).
    std::vector<v1::RuleEvidence> evidence;
  };
  // MATCH_CHANGED when the envelopes are not those the order was signed for; THRESHOLD_NOT_MET when no group
  // is left that may be opened (the message names the faults); KEYSET_UNKNOWN when a signal did not open for
  // want of a seal key or keyset of this hub; PURPOSE_UNKNOWN.
  absl::StatusOr<Opened> Open(const OpeningProof& proof, absl::Span<const v1::Envelope> envelopes,
                              const policy::Snapshot& snapshot, absl::Time now) const;

 private:
  const FindKeys keys_;
};

}  // namespace raakvlak::hub
