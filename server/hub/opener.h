// Opener: opens the envelopes of one match, and believes nobody (design 4.4, 4.5; docs/format/envelope.md).
//
// It holds the seal keys. From signed bytes alone, never on the broker's word, it checks: every envelope
// (signature of a partner in force, format, covenant, purpose, days), that the envelopes are those of the
// order, shares against their commitments, k distinct organisations in a group, a case report of an entitled
// partner in mode CASE, and that all that is opened hangs together as one subject. What does not fit becomes
// a Fault that names the partner; it blocks nobody else. Keys and content are wiped when the call ends;
// nothing is kept.
//
// It does NOT check the order (policy::VerifyOrder, by the caller) nor, in this version, that the order
// stands in the log. Thread safety: Open may be called from any thread.
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
#include "policy/order.h"
#include "raakvlak/v1/cases.pb.h"

namespace raakvlak::hub {

class Opener {
 public:
  // `seal_keys` by key id; `keysets` of the covenant in force.
  Opener(std::map<std::string, crypto::seal::SealKeyPair> seal_keys, policy::KeysetStore keysets);

  struct Opened {
    std::vector<v1::OpenedSignal> signals;  // by partner, then client_ref
    std::vector<v1::Fault> faults;
  };
  // MATCH_CHANGED when the envelopes are not those the order was signed for; THRESHOLD_NOT_MET when no group
  // is left that may be opened; KEYSET_UNKNOWN when this hub lacks a keyset of the purpose.
  absl::StatusOr<Opened> Open(const policy::VerifiedOrder& order, absl::Span<const v1::Envelope> envelopes,
                              const policy::Snapshot& snapshot, absl::Time now) const;

 private:
  const std::map<std::string, crypto::seal::SealKeyPair> seal_keys_;
  const policy::KeysetStore keysets_;
};

}  // namespace raakvlak::hub
