#include "server/node/outbox.h"

#include <algorithm>

#include "base/status.h"

namespace raakvlak::node {
namespace {

constexpr absl::Duration kShortestRest = absl::Milliseconds(200);
constexpr absl::Duration kLongestRest = absl::Seconds(30);
constexpr int kMaxDoublings = 8;

}  // namespace

bool Backoff::MayTry(absl::Time now) const {
  // A rest longer than the longest: the clock was set back meanwhile.
  return now >= rest_until_ || rest_until_ - now > kLongestRest;
}

void Backoff::Failed(absl::Time now) {
  // Workers that fail together count as one failure.
  if (!MayTry(now)) return;
  rest_until_ = now + std::min(kLongestRest, kShortestRest * (1 << std::min(failures_, kMaxDoublings)));
  ++failures_;
}

absl::StatusOr<std::optional<Outbox::Unit>> Outbox::Claim(size_t limit) {
  base::MutexLock lock(mutex_);
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<std::string> purposes, store_.QueuedPurposes());
  // In turn: a long queue of one purpose does not hold up the others.
  std::rotate(purposes.begin(), std::upper_bound(purposes.begin(), purposes.end(), last_purpose_),
              purposes.end());
  for (const std::string& purpose : purposes) {
    Lane& lane = lanes_[purpose];
    if (!lane.backoff.MayTry(clock_.Now())) continue;
    if (lane.again && lane.under_way == 0) {
      lane.again = false;
      lane.claimed_up_to = 0;
    }
    RAAKVLAK_ASSIGN_OR_RETURN(std::vector<storage::NodeSignal> signals,
                              store_.Queued(purpose, lane.claimed_up_to, limit));
    if (signals.empty()) continue;
    lane.claimed_up_to = signals.back().sequence;
    ++lane.under_way;
    last_purpose_ = purpose;
    return std::optional<Unit>(Unit{purpose, std::move(signals)});
  }
  return std::optional<Unit>();
}

void Outbox::Done(const Unit& unit, const absl::Status& outcome) {
  base::MutexLock lock(mutex_);
  Lane& lane = lanes_[unit.purpose];
  --lane.under_way;
  if (outcome.ok()) {
    // Others of this purpose may still have to be tried again; what went well says that it is worth it.
    lane.backoff.Succeeded();
    lane.reason.clear();
  } else {
    lane.again = true;
    lane.backoff.Failed(clock_.Now());
    lane.reason = base::ReasonOf(outcome);
  }
}

std::string Outbox::WaitingReason(absl::string_view purpose) const {
  base::MutexLock lock(mutex_);
  const auto lane = lanes_.find(purpose);
  return lane == lanes_.end() ? "" : lane->second.reason;
}

bool Outbox::IsResting() const {
  base::MutexLock lock(mutex_);
  return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane.second.again; });
}

void Outbox::Notify() {
  base::MutexLock lock(mutex_);
  ++generation_;
  wakeup_.NotifyAll();
}

uint64_t Outbox::Generation() const {
  base::MutexLock lock(mutex_);
  return generation_;
}

void Outbox::Wait(uint64_t seen, absl::Duration timeout) {
  base::MutexLock lock(mutex_);
  if (generation_ == seen) wakeup_.WaitFor(mutex_, timeout);
}

}  // namespace raakvlak::node
