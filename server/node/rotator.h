// Rotator: brings the signals that the broker has to the epoch under which this node seals now, in the
// background and by itself (design 4.2).
//
//   SUBMITTED in an older epoch -> envelope made and stored -> submitted -> receipt -> SUBMITTED in the new
//   epoch
//
// A signal keeps its id, its day and its expiry; the record is read again from the vault. Oldest first, one
// unit at a time. As with new signals the finished envelope is stored before it is sent, each step is one
// named transaction and may be cut off anywhere: the next start goes on from what is stored. What fails for a
// while rests and is tried again. While new signals wait, it rests between units as long as they took. A
// signal that cannot go over (its address is excluded by now, it has none of the identifiers that the new
// rules want, the broker refuses it) is held: it stays in the epoch in which it is until that ends
// (server/node/destruction.h), its reason says why, and the log how many ("node.rotation_held").
//
// A signal that was accepted once is not judged again by today's ages, days or categories. One that was
// withdrawn or has expired meanwhile has no record any more and is not sent. It goes on after the older epoch
// has ended: the broker takes what is left as new.
//
// Thread safety: Start and Stop from one thread; Step and Status from any.
#pragma once

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "client/exchange_client.h"
#include "raakvlak/v1/node_keys.pb.h"
#include "server/node/envelopes.h"
#include "server/node/environment.h"
#include "server/node/outbox.h"
#include "server/node/pseudonymiser.h"

namespace raakvlak::node {

struct RotatorOptions {
  // At most kMaxSubmit.
  size_t unit = 256;
  absl::Duration submit_timeout = absl::Seconds(15);
};

class Rotator {
 public:
  // All outlive the rotator.
  Rotator(const Environment& environment, Pseudonymiser& pseudonymiser, client::ExchangeClient& exchange,
          RotatorOptions options = RotatorOptions());
  // Stops.
  ~Rotator();
  Rotator(const Rotator&) = delete;
  Rotator& operator=(const Rotator&) = delete;

  void Start();
  // Returns when what is under way has ended.
  void Stop();

  // Step brings one unit of one purpose over; false when nothing is due. For the rotator's own thread, and
  // for tests.
  bool Step();

  // Status says how far each purpose is that has an epoch before, or signals that are left from one.
  std::vector<v1::RotationStatus> Status(const policy::Snapshot& snapshot) const;

 private:
  // Where one purpose stands.
  struct Lane {
    storage::RotationPlace place;
    // Some before `place` were left.
    bool again = false;
    Backoff backoff;
    uint64_t rotated = 0;
    uint64_t held = 0;
  };
  struct Unit {
    // As agreed for the epoch to go to.
    const v1::Purpose* terms = nullptr;
    std::vector<storage::NodeSignal> signals;
  };
  using Reasons = std::vector<std::pair<std::string, std::string>>;  // signal id and reason
  void Run();
  absl::Duration RestAfter(bool worked, absl::Duration took) const;
  absl::StatusOr<bool> StepPurpose(const policy::Snapshot& snapshot, const std::string& purpose, Lane& lane);
  absl::Status Process(const policy::Snapshot& snapshot, Unit unit, Lane& lane);
  absl::StatusOr<std::vector<Ready>> Load(Unit& unit, absl::Status& out_left);
  absl::StatusOr<std::vector<Ready>> Make(const policy::Snapshot& snapshot, const Unit& unit, Lane& lane,
                                          absl::Status& out_left);
  absl::Status Apply(const policy::Snapshot& snapshot, const Unit& unit,
                     const std::vector<Submitted>& results, Lane& lane);
  absl::Status Hold(const policy::Snapshot& snapshot, const Unit& unit, const Reasons& reasons, Lane& lane);

  const Environment environment_;
  Pseudonymiser& pseudonymiser_;
  client::ExchangeClient& exchange_;
  const RotatorOptions options_;

  base::Mutex mutex_;
  base::ConditionVariable wakeup_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // One Step at a time.
  base::Mutex step_mutex_;
  std::map<std::string, Lane> lanes_ ABSL_GUARDED_BY(step_mutex_);
  std::thread thread_;
};

}  // namespace raakvlak::node
