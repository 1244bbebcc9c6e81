// Pseudonymiser: from canonical fields to OPRF outputs, with the help of t key holders (design 4.3).
//
// Inputs are blinded and go to the holders in batches of up to 1,024 elements. Every answer's signature and
// proof are verified before it is used; a holder whose answer is wrong is named in the log and the audit log,
// left alone for a while, and another is asked in its place. With fewer than t good answers there is no
// output at all; those who did answer are then not asked again before enough of the others do.
//
// It does NOT keep inputs or outputs, and does not know what tokens are made of (server/node/sealer.h).
// Thread safety: all methods may be called from any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/secret.h"
#include "crypto/oprf/proof.h"
#include "server/node/environment.h"
#include "server/node/holders.h"
#include "server/node/validate.h"

namespace raakvlak::node {

// The OPRF output of one identifier.
struct Pseudonym {
  const v1::LinkageRule* rule = nullptr;
  // ctx' of crypto/disclosure/context.h.
  std::string extended_context;
  // y, 64 bytes.
  base::SecretBytes output;
};

class Pseudonymiser {
 public:
  static constexpr size_t kMaxElements = 1024;

  // `holders` outlives this.
  Pseudonymiser(const Environment& environment, Holders& holders,
                absl::Duration holder_timeout = absl::Seconds(15))
      : environment_(environment), holders_(holders), holder_timeout_(holder_timeout) {}

  // Evaluate returns the pseudonyms of each list of identifiers, in their order, under the epoch of
  // `purpose`. All are of `purpose`, which belongs to the snapshot's covenant or to one that it superseded
  // (server/node/sealing_epoch.h); holders are those of the snapshot's. KEYSET_UNKNOWN (no keyset for a class
  // here); UNAVAILABLE, or the reason that a holder gave, when fewer than t answered rightly; INTERNAL.
  absl::StatusOr<std::vector<std::vector<Pseudonym>>> Evaluate(
      const policy::Snapshot& snapshot, const v1::Purpose& purpose,
      absl::Span<const std::vector<Identifier>> identifiers);

 private:
  struct Job;
  struct Lot;
  struct Question;
  absl::Status EvaluateBatch(const policy::Snapshot& snapshot, const policy::Keyset& keyset,
                             absl::Span<Job> jobs);
  absl::StatusOr<crypto::oprf::ElementList> Ask(const Question& question,
                                                const Holders::Candidate& candidate);
  absl::StatusOr<crypto::oprf::ElementList> AskAndJudge(const Question& question,
                                                        const Holders::Candidate& candidate);
  void Blame(const policy::Snapshot& snapshot, const policy::Keyset& keyset, const std::string& partner,
             const absl::Status& why);

  const Environment environment_;
  Holders& holders_;
  const absl::Duration holder_timeout_;
};

}  // namespace raakvlak::node
