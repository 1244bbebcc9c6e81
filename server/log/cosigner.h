// Cosigner: collects the cosignatures of witnesses for this process's own logs (C2SP tlog-witness v1.0.0, the
// client's side).
//
// Each witness has a thread, so that a slow one delays nobody. A round takes the oldest log that has
// something new, hands its checkpoint to all witnesses and ends when the quorum is there: then
// `checkpoint.cosigned` is written durably. Lines that come later are added. By itself there is a round every
// `interval` in which something is new, and sooner before the first and after one without quorum;
// CosignThrough asks for one at once, and all who wait share it.
//
// Every cosignature is verified before it counts. Witnesses that do not count for the quorum are asked too.
// Without quorum: the log line "log.no_quorum" at once and every 10 minutes, and after `grace` CheckStanding
// refuses. How long it has been is told by the time of the first entry that is not cosigned, so a restart
// does not begin it anew.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"
#include "server/log/published_files.h"
#include "server/log/witness_submission.h"

namespace raakvlak::log {

class Cosigner {
 public:
  struct Options {
    // How many of the witnesses that count must cosign.
    size_t quorum = 1;
    absl::Duration interval = absl::Seconds(15);
    // After a round without quorum, doubled for each one up to `interval`.
    absl::Duration retry = absl::Seconds(1);
    absl::Duration call_timeout = absl::Seconds(5);
    absl::Duration grace = absl::Hours(4);
    // For so long after the start nothing is refused (or for the grace, when that is shorter): the witnesses
    // may be starting too.
    absl::Duration start_up = absl::Minutes(1);
    // Since when these are the witnesses: entries from before did not wait for them.
    absl::Time since = absl::InfinitePast();
  };
  // How things stand, for people.
  struct Standing {
    // Whether the last round had its quorum.
    bool quorum = true;
    // The time of the oldest entry that the quorum has not cosigned, when the last round failed.
    std::optional<absl::Time> uncovered_since;
    // By the witness's name: OK, or why it did not cosign the last time.
    std::map<std::string, absl::Status> witnesses;
  };
  // The verifier of this process's own log of a year.
  using FindVerifier = std::function<absl::StatusOr<crypto::note::VerifierKey>(uint32_t year)>;

  // Starts its threads and a first round. What is referred to outlives the cosigner. REQUIRES: no two
  // witnesses have one key.
  Cosigner(PublishedFiles& files, FindVerifier verifier, std::vector<WitnessLink> witnesses, Options options,
           const base::Clock& clock);
  ~Cosigner();
  Cosigner(const Cosigner&) = delete;
  Cosigner& operator=(const Cosigner&) = delete;

  // CosignThrough returns a checkpoint of the entry's log that covers it and that the quorum cosigned: the
  // one kept, or else a new one. QUORUM_MISSING when `deadline` passes; NOT_FOUND when no checkpoint that
  // covers the entry is published.
  absl::StatusOr<std::string> CosignThrough(uint32_t year, uint64_t index, absl::Time deadline);

  // CheckQuorum is OK at once when the last round had its quorum, also before the first. Else it has a round
  // made at once and tells how that went: QUORUM_MISSING when it failed, or did not end before `deadline`.
  absl::Status CheckQuorum(absl::Time deadline);

  // LOG_UNWITNESSED when entries have waited longer than the grace for a quorum.
  absl::Status CheckStanding() const;
  Standing GetStanding() const;

  // Ends the threads after the calls that are on their way. May be called twice.
  void Stop();

 private:
  // One round: a checkpoint on its way to the witnesses.
  struct Round {
    uint64_t number = 0;
    uint32_t year = 0;
    crypto::tlog::OpenedCheckpoint checkpoint;
    std::vector<crypto::note::NoteSignature> lines;
    size_t counting = 0;  // how many of `lines` count for the quorum
    size_t finished = 0;  // witnesses that are done with it
    size_t kept = 0;      // how many of `lines` are in the file, or could not be written
  };
  struct Kept {
    uint64_t size = 0;
    std::string note;
  };

  void RunRounds();
  void RunWitness(size_t index);
  absl::StatusOr<std::shared_ptr<Round>> NextRound();
  absl::StatusOr<std::optional<crypto::tlog::OpenedCheckpoint>> Published(uint32_t year);
  void LoadKept();
  // These three let go of the lock while they write or read files. Only by the thread of RunRounds.
  void Finish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Keep(Round& round) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RaiseAlarm(const Round& round) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsKept(uint32_t year, uint64_t index) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status NoQuorum() const;
  absl::Duration Pause() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  PublishedFiles& files_;
  const FindVerifier verifier_;
  const Options options_;
  const base::Clock& clock_;
  const absl::Time started_;  // by a clock that no one sets
  std::vector<std::unique_ptr<WitnessSubmission>> witnesses_;

  mutable base::Mutex mutex_;
  base::ConditionVariable changed_;
  std::shared_ptr<Round> round_ ABSL_GUARDED_BY(mutex_);
  std::map<uint32_t, Kept> kept_ ABSL_GUARDED_BY(mutex_);
  uint64_t rounds_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t attempts_ ABSL_GUARDED_BY(mutex_) = 0;  // ended, also when there was nothing to cosign
  uint64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;  // in a row
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  bool asked_ ABSL_GUARDED_BY(mutex_) = false;
  Standing standing_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> last_alarm_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace raakvlak::log
