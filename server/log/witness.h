// Witness: cosigns checkpoints of logs of others (C2SP tlog-witness v1.0.0), bytes to bytes.
//
// It cosigns only what extends, by a consistency proof, the newest tree of that log that it ever cosigned,
// and keeps the new one durably before its cosignature leaves. So no two histories of one log carry
// cosignatures of the same honest witness. It does NOT look into entries, does not fetch anything, and says
// nothing about whether what should be logged was logged.
//
// What AddCheckpoint answers (docs/format/witness.md):
//   200  cosignature line
//   400  body that does not parse, or `old` above the checkpoint's size
//   403  not signed by the log's key
//   404  a log that this witness does not know
//   409  `old` is not the size that it cosigned last; body "<size>\n", content type text/x.tlog.size
//   422  the proof does not hold, or is given with `old` 0, or the same size has another root, or size 0 a
//   wrong one 500  its own storage failed; 503 what it may cosign is not known now. The client tries again
//   later
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/tree.h"
#include "server/storage/witness_store.h"

namespace raakvlak::log {

inline constexpr char kAddCheckpointMethod[] = "/raakvlak.v1.Witness/AddCheckpoint";
inline constexpr char kTextType[] = "text/plain; charset=utf-8";
inline constexpr char kSizeType[] = "text/x.tlog.size";

struct WitnessAnswer {
  int status = 0;
  std::string content_type;
  std::string body;
};

// What a log with its state whole never shows: it contradicts what this witness cosigned before.
struct Contradiction {
  enum class Kind {
    // Same size, other root. Both are signed by the log: whoever sees the two notes knows.
    kFork,
    // A smaller tree than before, or a larger one without a proof that it contains what was there. This says
    // something only when it comes from the log's own process: anybody can send an old checkpoint, or a wrong
    // proof.
    kRollback,
    kInconsistent,
  };
  Kind kind = Kind::kFork;
  storage::Witnessed before;
  uint64_t size = 0;
  std::string note;  // what the log signed this time
};

// Where contradictions go. Thread safety: may be called from any thread.
class ContradictionLog {
 public:
  virtual ~ContradictionLog() = default;
  // Returns soon, and never fails: what it cannot do it says in the program's log.
  virtual void Report(const Contradiction& contradiction) = 0;
};

class Witness {
 public:
  // The verifier of the log with this origin. NOT_FOUND (the status code) when this witness does not cosign
  // it; any other error when that cannot be said now.
  using FindLog = std::function<absl::StatusOr<crypto::note::VerifierKey>(absl::string_view origin)>;

  // What is referred to outlives the witness. REQUIRES: name.key() == key.public_key(); the key serves this
  // witness alone.
  Witness(crypto::tlog::WitnessKey name, const crypto::note::PrivateKey& key, FindLog find_log,
          storage::WitnessStore& store, const base::Clock& clock, ContradictionLog& contradictions);

  // `submitter` is the URN of the process that sent it, empty when that is not known.
  WitnessAnswer AddCheckpoint(absl::string_view body, absl::string_view submitter);

  // The newest checkpoint cosigned, with the cosignature, of the log whose origin has this SHA-256 (64
  // lower-case hexadecimal digits). 200, 404, 500.
  WitnessAnswer LatestCheckpoint(absl::string_view origin_hash_hex);

 private:
  WitnessAnswer Advance(uint64_t old_size, const crypto::tlog::Proof& proof,
                        const crypto::tlog::OpenedCheckpoint& opened, bool from_the_log);

  const crypto::tlog::WitnessKey name_;
  const crypto::note::PrivateKey& key_;
  const FindLog find_log_;
  storage::WitnessStore& store_;
  const base::Clock& clock_;
  ContradictionLog& contradictions_;
};

}  // namespace raakvlak::log
