#include "server/node/rotator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/epochs.h"
#include "server/node/sealing_epoch.h"
#include "server/node/validate.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using storage::NodeSignal;
using storage::NodeSignalState;
using storage::NodeTransaction;

constexpr absl::Duration kNothingDue = absl::Seconds(1);
constexpr absl::Duration kShortestPause = absl::Milliseconds(50);
constexpr absl::Duration kLongestPause = absl::Seconds(5);

absl::CivilDay CivilDayOf(uint32_t day) { return absl::CivilDay(1970, 1, 1) + day; }

}  // namespace

Rotator::Rotator(const Environment& environment, Pseudonymiser& pseudonymiser,
                 client::ExchangeClient& exchange, RotatorOptions options)
    : environment_(environment), pseudonymiser_(pseudonymiser), exchange_(exchange), options_(options) {
  RAAKVLAK_CHECK(options.unit <= kMaxSubmit, "a unit is one batch");
}

Rotator::~Rotator() { Stop(); }

void Rotator::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Rotator::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  wakeup_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void Rotator::Run() {
  while (true) {
    const absl::Time start = environment_.clock->Now();
    const bool worked = Step();
    const absl::Duration rest = RestAfter(worked, environment_.clock->Now() - start);
    base::MutexLock lock(mutex_);
    if (!stopping_ && rest > absl::ZeroDuration()) wakeup_.WaitFor(mutex_, rest);
    if (stopping_) return;
  }
}

absl::Duration Rotator::RestAfter(bool worked, absl::Duration took) const {
  if (!worked) return kNothingDue;
  const auto queued = environment_.store->QueuedPurposes();
  if (queued.ok() && queued->empty()) return absl::ZeroDuration();
  return std::clamp(took, kShortestPause, kLongestPause);
}

bool Rotator::Step() {
  base::MutexLock lock(step_mutex_);
  const absl::StatusOr<policy::Snapshot> snapshot = environment_.authority->Current();
  if (!snapshot.ok() || !policy::Authority::CheckPartner(*snapshot, environment_.partner).ok()) return false;
  for (const v1::Purpose& purpose : snapshot->covenant->text().purposes()) {
    Lane& lane = lanes_[purpose.id()];
    if (!lane.backoff.MayTry(environment_.clock->Now())) continue;
    const absl::StatusOr<bool> worked = StepPurpose(*snapshot, purpose.id(), lane);
    if (worked.ok()) {
      if (*worked) return true;
      continue;
    }
    lane.backoff.Failed(environment_.clock->Now());
    base::LogStatus(base::LogLevel::kWarning, "node.rotation_waits", worked.status(),
                    {{"purpose", purpose.id()}});
  }
  return false;
}

absl::StatusOr<bool> Rotator::StepPurpose(const policy::Snapshot& snapshot, const std::string& purpose,
                                          Lane& lane) {
  const absl::StatusOr<const v1::Purpose*> terms = FindSealingTerms(environment_, snapshot, purpose);
  // There is no epoch to go to.
  if (!terms.ok()) return false;
  const uint32_t epoch = (*terms)->epoch();
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<NodeSignal> signals,
                            environment_.store->RotationDue(purpose, epoch, lane.place, options_.unit));
  if (!signals.empty()) {
    const storage::RotationPlace last = {signals.back().settled_epoch, signals.back().sequence};
    RAAKVLAK_RETURN_IF_ERROR(Process(snapshot, {*terms, std::move(signals)}, lane));
    lane.place = last;
    return true;
  }
  if (lane.rotated + lane.held > 0) {
    base::Log(base::LogLevel::kInfo, lane.again ? "node.rotation_pass" : "node.rotation_done",
              {{"purpose", purpose},
               {"epoch", absl::StrCat(epoch)},
               {"rotated", absl::StrCat(lane.rotated)},
               {"held", absl::StrCat(lane.held)}});
  }
  lane.place = storage::RotationPlace();
  if (std::exchange(lane.again, false)) {
    lane.backoff.Failed(environment_.clock->Now());
  } else {
    lane.rotated = lane.held = 0;
  }
  return false;
}

absl::Status Rotator::Process(const policy::Snapshot& snapshot, Unit unit, Lane& lane) {
  // Why some are left although nothing failed.
  absl::Status left;
  // Envelopes that are there already do not wait for key holders.
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<Ready> ready, Load(unit, left));
  absl::StatusOr<std::vector<Ready>> made = Make(snapshot, unit, lane, left);
  if (made.ok()) std::move(made->begin(), made->end(), std::back_inserter(ready));
  if (!ready.empty()) {
    Shuffle(ready, *environment_.random);
    RAAKVLAK_ASSIGN_OR_RETURN(
        const std::vector<Submitted> results,
        SubmitEnvelopes(environment_, snapshot, unit.terms->id(), exchange_, ready, options_.submit_timeout));
    const uint64_t before = lane.rotated;
    const absl::Status applied = Apply(snapshot, unit, results, lane);
    if (lane.rotated > before) lane.backoff.Succeeded();
    if (!applied.ok()) left = applied;
  }
  if (!left.ok()) {
    lane.again = true;
    base::LogStatus(base::LogLevel::kWarning, "node.rotation_left", left, {{"purpose", unit.terms->id()}});
  }
  return made.status();
}

// Load reads the envelopes that were made before. Those of another epoch were for one that this node does not
// seal under any more.
absl::StatusOr<std::vector<Ready>> Rotator::Load(Unit& unit, absl::Status& out_left) {
  std::vector<Ready> out;
  std::vector<std::string> outdated;
  for (NodeSignal& signal : unit.signals) {
    if (signal.envelope.empty()) continue;
    Ready ready;
    ready.signal_id = signal.signal_id;
    const absl::Status read = ReadStored(environment_, Column::kEnvelope, signal, ready.envelope);
    if (!read.ok()) {
      out_left = read;
    } else if (HeaderOf(ready.envelope).epoch() == unit.terms->epoch()) {
      out.push_back(std::move(ready));
    } else {
      outdated.push_back(signal.signal_id);
      signal.envelope.clear();
    }
  }
  if (outdated.empty()) return out;
  const absl::Status written =
      environment_.store->Write("rotation_outdated", [&](NodeTransaction& transaction) -> absl::Status {
        for (const std::string& signal_id : outdated) {
          RAAKVLAK_RETURN_IF_ERROR(transaction.DropEnvelope(signal_id).status());
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  return out;
}

absl::StatusOr<std::vector<Ready>> Rotator::Make(const policy::Snapshot& snapshot, const Unit& unit,
                                                 Lane& lane, absl::Status& out_left) {
  RAAKVLAK_RETURN_IF_ERROR(environment_.linkage_check->Check(*snapshot.covenant));
  const v1::Partner& partner = *snapshot.covenant->FindPartner(environment_.partner);
  const uint32_t today = snapshot.covenant->DayAt(environment_.clock->Now());
  std::vector<Draft> drafts;
  Reasons held;
  for (const NodeSignal& signal : unit.signals) {
    if (!signal.envelope.empty()) continue;
    // It is about to be ended here.
    if (signal.expiry_day <= today) {
      out_left = Wait(reason::kDateOutOfRange);
      continue;
    }
    Draft draft;
    draft.signal_id = signal.signal_id;
    draft.days = {signal.submitted_day, signal.expiry_day};
    const absl::Status read = ReadStored(environment_, Column::kRecord, signal, draft.record);
    if (!read.ok()) {
      out_left = read;
      continue;
    }
    absl::StatusOr<ValidRecord> derived = DeriveRecord(draft.record, *snapshot.covenant, partner,
                                                       CivilDayOf(signal.submitted_day), *unit.terms);
    if (!derived.ok()) {
      held.emplace_back(signal.signal_id, base::ReasonOf(derived.status()));
      continue;
    }
    draft.valid = *std::move(derived);
    drafts.push_back(std::move(draft));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(MadeEnvelopes envelopes, MakeEnvelopes(environment_, pseudonymiser_, snapshot,
                                                                   *unit.terms, std::move(drafts)));
  if (envelopes.list_is_stale) out_left = Wait(reason::kExcludedListStale);
  std::move(envelopes.refused.begin(), envelopes.refused.end(), std::back_inserter(held));
  RAAKVLAK_RETURN_IF_ERROR(Hold(snapshot, unit, held, lane));
  // What was withdrawn meanwhile takes no envelope any more, and so is not sent.
  std::vector<Ready> stored;
  if (envelopes.made.empty()) return stored;
  const absl::Status written =
      environment_.store->Write("rotation_envelopes", [&](NodeTransaction& transaction) -> absl::Status {
        stored.clear();
        for (const MadeEnvelopes::One& one : envelopes.made) {
          RAAKVLAK_ASSIGN_OR_RETURN(const bool put,
                                    transaction.PutRotation(one.ready.signal_id, one.encrypted));
          if (put) stored.push_back(one.ready);
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  return stored;
}

absl::Status Rotator::Apply(const policy::Snapshot& snapshot, const Unit& unit,
                            const std::vector<Submitted>& results, Lane& lane) {
  const uint32_t epoch = unit.terms->epoch();
  Reasons held;
  uint64_t rotated = 0;
  std::string waiting;
  const absl::Status written =
      environment_.store->Write("rotated", [&](NodeTransaction& transaction) -> absl::Status {
        held.clear();
        rotated = 0;
        for (const Submitted& result : results) {
          const std::string& signal_id = result.signal_id;
          absl::StatusOr<bool> done = true;
          if (result.outcome == Outcome::kAccepted) {
            done = transaction.MarkRotated(signal_id, epoch, result.receipt);
            if (done.ok() && *done) ++rotated;
          } else if (result.outcome == Outcome::kOutdated) {
            done = transaction.DropEnvelope(signal_id);
          } else if (result.reason == reason::kEnvelopeConflict) {
            // It has one of this epoch that this database does not know: the database was restored.
            done = transaction.MarkRotated(signal_id, epoch, "");
          } else if (result.reason == reason::kSignalEnded) {
            done = transaction.End(signal_id, NodeSignalState::kExpired, result.reason, environment_.NowMs());
          } else if (result.outcome == Outcome::kRefused) {
            held.emplace_back(signal_id, result.reason);
          }
          RAAKVLAK_RETURN_IF_ERROR(done.status());
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  lane.rotated += rotated;
  for (const Submitted& result : results) {
    if (result.outcome == Outcome::kWaits || result.outcome == Outcome::kOutdated) waiting = result.reason;
  }
  RAAKVLAK_RETURN_IF_ERROR(Hold(snapshot, unit, held, lane));
  return waiting.empty() ? absl::OkStatus() : Wait(waiting);
}

absl::Status Rotator::Hold(const policy::Snapshot& snapshot, const Unit& unit, const Reasons& reasons,
                           Lane& lane) {
  if (reasons.empty()) return absl::OkStatus();
  const uint32_t epoch = unit.terms->epoch();
  // When no epoch before it is served there is none to stay in.
  const v1::Purpose& in_force = *snapshot.covenant->FindPurpose(unit.terms->id());
  const bool ends = epoch == policy::EpochsServed(in_force, environment_.clock->Now()).back();
  const absl::Status written =
      environment_.store->Write("rotation_held", [&](NodeTransaction& transaction) -> absl::Status {
        for (const auto& [signal_id, why] : reasons) {
          const absl::StatusOr<bool> done =
              ends ? transaction.End(signal_id, NodeSignalState::kExpired, why, environment_.NowMs())
                   : transaction.HoldRotation(signal_id, epoch, why);
          RAAKVLAK_RETURN_IF_ERROR(done.status());
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  lane.held += reasons.size();
  std::map<std::string, uint64_t> counts;
  for (const auto& [signal_id, why] : reasons) ++counts[why];
  for (const auto& [why, count] : counts) {
    base::Log(base::LogLevel::kWarning, "node.rotation_held",
              {{"purpose", unit.terms->id()},
               {"epoch", absl::StrCat(epoch)},
               {"reason", why},
               {"count", absl::StrCat(count)}});
  }
  return absl::OkStatus();
}

std::vector<v1::RotationStatus> Rotator::Status(const policy::Snapshot& snapshot) const {
  std::vector<v1::RotationStatus> out;
  for (const v1::Purpose& purpose : snapshot.covenant->text().purposes()) {
    const absl::StatusOr<storage::RotationProgress> progress =
        environment_.store->Progress(purpose.id(), purpose.epoch());
    if (!progress.ok()) {
      base::LogStatus(base::LogLevel::kError, "node.rotation_status_failed", progress.status());
      continue;
    }
    const bool overlaps = environment_.clock->Now() < policy::PreviousEpochUntil(purpose);
    if (!overlaps && progress->rotated == progress->live) continue;
    v1::RotationStatus& status = out.emplace_back();
    status.set_purpose(purpose.id());
    status.set_epoch(purpose.epoch());
    status.set_live(progress->live);
    status.set_rotated(progress->rotated);
    status.set_until(purpose.previous_epoch_until());
  }
  return out;
}

}  // namespace raakvlak::node
