// WitnessSubmission: one witness, and handing checkpoints to it (C2SP tlog-witness v1.0.0, the client's
// side).
//
// It remembers which size of each log the witness cosigned last. Not knowing costs one more call: the witness
// says so with 409. What witnesses of other makes answer differently is taken too: 403 for an unknown log,
// 409 for another root of the same size, a size without its newline.
//
// Thread safety: used by one thread at a time; key and counts from any.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/witness_client.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "server/log/published_files.h"

namespace raakvlak::log {

struct WitnessLink {
  crypto::tlog::WitnessKey key;
  std::unique_ptr<client::WitnessClient> client;
  // Whether it counts for the quorum; outside witnesses do not.
  bool counts = true;
};

class WitnessSubmission {
 public:
  // `files` outlives this.
  WitnessSubmission(WitnessLink link, PublishedFiles& files) : link_(std::move(link)), files_(files) {}

  const crypto::tlog::WitnessKey& key() const { return link_.key; }
  bool counts() const { return link_.counts; }

  // What the witness is known to have cosigned.
  void Remember(uint32_t year, uint64_t size) { seen_[year] = size; }

  // Submit returns the witness's verified cosignature of a checkpoint of this year's log. LOG_ROLLBACK when
  // the witness has cosigned a larger tree than this; LOG_FORK when it has another tree; NOT_ALLOWED when it
  // does not know the log or its key; SIGNATURE_INVALID or MALFORMED for what is no cosignature of its;
  // errors of the client and of `files`. Each of its calls, at most four, has the timeout.
  absl::StatusOr<crypto::note::NoteSignature> Submit(uint32_t year,
                                                     const crypto::tlog::OpenedCheckpoint& checkpoint,
                                                     absl::Duration timeout);

 private:
  const WitnessLink link_;
  PublishedFiles& files_;
  std::map<uint32_t, uint64_t> seen_;  // by year
};

}  // namespace raakvlak::log
