// Prover: turns an entry that was just appended into a proof that others verify with public keys alone.
//
// Thread safety: implementations may be called from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/storage/audit.h"

namespace raakvlak::log {

class Prover {
 public:
  virtual ~Prover() = default;
  // Prove returns a tlog-proof (crypto/tlog/proof_file.h) of the entry under a checkpoint that the quorum of
  // witnesses cosigned; when there is none yet it is published and cosigned now. DEADLINE_EXCEEDED when that
  // does not come about before `deadline`; errors of publishing.
  virtual absl::StatusOr<std::string> Prove(const storage::Logged& logged, absl::Time deadline) = 0;
  // CheckQuorum is OK at once while the witnesses cosign. When they did not the last time they are asked
  // again, once: QUORUM_MISSING when that fails too, or takes until `deadline`.
  virtual absl::Status CheckQuorum(absl::Time deadline) = 0;
};

}  // namespace raakvlak::log
