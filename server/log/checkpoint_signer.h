// CheckpointSigner: whoever holds the key of a process's logs. In service it is raakvlak-signer, a process of
// its own (signer_client.h).
//
// Thread safety: implementations may be called from any thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "crypto/tlog/checkpoint.h"

namespace raakvlak::log {

class CheckpointSigner {
 public:
  virtual ~CheckpointSigner() = default;
  // Sign returns the signed note of `checkpoint`, whose entries are on disk. LOG_ROLLBACK when a later size
  // of this log was signed before; LOG_FORK when the entries on disk, behind those it signed before, do not
  // give this root; UNAVAILABLE or DEADLINE_EXCEEDED when it cannot be reached or does not answer in time.
  virtual absl::StatusOr<std::string> Sign(const crypto::tlog::Checkpoint& checkpoint,
                                           absl::Duration timeout) = 0;
};

}  // namespace raakvlak::log
