// Background: the broker's jobs, each in a thread of its own: matching at the covenant's interval, expiry
// every hour, and a look every two seconds whether something stands in an epoch that is no longer served; all
// from the start on. Matching first lets expire what the day took, so that no signal counts on its expiry
// day; after it go such epochs. The look lets a matching run come at once when there is something to end, and
// does nothing otherwise. While epochs of a purpose overlap, the hourly job logs how many signals have been
// renewed.
//
// While covenant or roster are out of force nothing is matched, but retention and the end of epochs go on
// under what was last in force. Failures are logged, and the next run tries again. Thread safety: Stop may be
// called from any thread.
#pragma once

#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/periodic_job.h"
#include "base/random.h"
#include "policy/authority.h"
#include "server/broker/epoch_end.h"
#include "server/broker/expiry.h"
#include "server/broker/matcher.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class Background {
 public:
  // `in_force` is what is in force now; the broker's URN in it is the actor of the entries. The references
  // outlive the Background.
  Background(storage::BrokerStore& store, policy::Authority& authority, const base::Clock& clock,
             base::Random& random, const policy::Snapshot& in_force);

  // Lets runs that are under way finish. May be called twice; the destructor does it too.
  void Stop();

 private:
  // What is in force, or was last.
  policy::Snapshot LastKnown();
  void Match() ABSL_EXCLUSIVE_LOCKS_REQUIRED(matching_mutex_);
  void EndEpochs(const policy::Snapshot& snapshot, const MatchTerms* terms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(matching_mutex_);
  void LookForEnds();
  void Expire();
  void LogProgress(const policy::Snapshot& snapshot);

  policy::Authority& authority_;
  const base::Clock& clock_;
  // Held by who matches and ends epochs, before mutex_.
  base::Mutex matching_mutex_;
  uint32_t matched_day_ ABSL_GUARDED_BY(matching_mutex_) = 0;
  Matcher matcher_;
  EpochEnd epoch_end_;
  Expiry expiry_;
  base::Mutex mutex_;
  policy::Snapshot last_known_ ABSL_GUARDED_BY(mutex_);
  // The threads end before what they use.
  base::PeriodicJob expiring_;
  base::PeriodicJob matching_;
  base::PeriodicJob ending_;
};

}  // namespace raakvlak::broker
