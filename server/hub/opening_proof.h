// OpeningProof: that the opening which an order asks for stands in the broker's log, as whoever audits that
// log will find it (design 4.5, 4.6; docs/format/log.md).
//
// The opener opens nothing without one, and the only way to one is Verify. From the order and the covenant in
// force, never on the broker's word (or the covenant that was in force at the entry's time: one may have come
// in force between the broker's work and this call, and the clocks of the two differ. As the entry is of the
// time of the order, that reaches no further back than a clock's error):
//   - the entry is of the broker's log of the year of its time: no other log of its, nor of another process;
//   - its leaf commits to the details, and the tlog-proof shows that leaf at that index, under a checkpoint
//     that the log signed and the covenant's quorum of distinct witnesses cosigned;
//   - entry and cosignatures are no older than the order, nor from the future, beyond a clock's error;
//   - the details say that the member of staff who signed this very order opened this match for this
//     purpose, legal basis, case and reason, and that it was not refused.
//
// It does NOT show that the envelopes are those of the match: the order names their digest, and the opener
// compares. Thread safety: Verify is pure; an OpeningProof is immutable.
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "policy/authority.h"
#include "policy/order.h"
#include "raakvlak/v1/log.pb.h"
#include "raakvlak/v1/opening.pb.h"

namespace raakvlak::hub {

class OpeningProof {
 public:
  // `order` was verified by policy::VerifyOrder, for OPEN_MATCH. VERIFICATION_FAILED, with what does not
  // hold.
  static absl::StatusOr<OpeningProof> Verify(const policy::VerifiedOrder& order, const v1::LogEntry& logged,
                                             absl::string_view proof, const policy::Snapshot& snapshot,
                                             absl::Time now);

  const policy::VerifiedOrder& order() const { return order_; }
  // What is to be kept, so that all but the times can be verified again.
  const v1::KeptOpening& kept() const { return kept_; }

 private:
  OpeningProof() = default;
  policy::VerifiedOrder order_;
  v1::KeptOpening kept_;
};

}  // namespace raakvlak::hub
