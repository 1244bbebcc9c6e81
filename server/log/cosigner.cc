#include "server/log/cosigner.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::log {
namespace {

namespace note = crypto::note;
namespace tlog = crypto::tlog;

constexpr absl::Duration kAlarmInterval = absl::Minutes(10);

// A time that no one sets, for waiting.
absl::Time Steady() {
  return absl::UnixEpoch() + absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

Cosigner::Cosigner(PublishedFiles& files, FindVerifier verifier, std::vector<WitnessLink> witnesses,
                   Options options, const base::Clock& clock)
    : files_(files), verifier_(std::move(verifier)), options_(options), clock_(clock), started_(Steady()) {
  for (WitnessLink& link : witnesses) {
    witnesses_.push_back(std::make_unique<WitnessSubmission>(std::move(link), files_));
  }
  LoadKept();
  for (size_t i = 0; i < witnesses_.size(); ++i) threads_.emplace_back([this, i] { RunWitness(i); });
  threads_.emplace_back([this] { RunRounds(); });
}

Cosigner::~Cosigner() { Stop(); }

void Cosigner::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

// What cannot be read is collected anew: nothing is lost but a few calls.
void Cosigner::LoadKept() {
  base::MutexLock lock(mutex_);
  std::vector<tlog::WitnessKey> keys;
  for (const auto& witness : witnesses_) keys.push_back(witness->key());
  const auto years = files_.Years();
  for (const uint32_t year : years.ok() ? *years : std::vector<uint32_t>()) {
    const auto bytes = files_.ReadCosigned(year);
    const auto verifier = verifier_(year);
    if (!bytes.ok() || !bytes->has_value() || !verifier.ok()) continue;
    const auto opened = tlog::OpenCheckpoint(**bytes, *verifier);
    if (!opened.ok()) continue;
    const auto cosigned = tlog::CountCosignatures(opened->note, keys);
    if (!cosigned.ok()) continue;
    size_t counting = 0;
    for (const tlog::Cosigned& line : *cosigned) {
      witnesses_[line.witness]->Remember(year, opened->checkpoint.size);
      counting += witnesses_[line.witness]->counts();
    }
    if (counting >= options_.quorum) kept_[year] = {opened->checkpoint.size, **bytes};
  }
}

absl::StatusOr<std::optional<tlog::OpenedCheckpoint>> Cosigner::Published(uint32_t year) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto bytes, files_.ReadCheckpoint(year));
  if (!bytes.has_value()) return std::optional<tlog::OpenedCheckpoint>();
  RAAKVLAK_ASSIGN_OR_RETURN(const auto verifier, verifier_(year));
  RAAKVLAK_ASSIGN_OR_RETURN(tlog::OpenedCheckpoint opened, tlog::OpenCheckpoint(*bytes, verifier));
  // Cosignatures that were merged into the file are collected from their makers or not at all.
  auto& lines = opened.note.signatures;
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [&](const note::NoteSignature& line) {
                               return line.name != verifier.name() || line.key_id != verifier.key_id();
                             }),
              lines.end());
  return std::optional(std::move(opened));
}

absl::StatusOr<std::shared_ptr<Cosigner::Round>> Cosigner::NextRound() {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto years, files_.Years());
  for (const uint32_t year : years) {
    RAAKVLAK_ASSIGN_OR_RETURN(auto published, Published(year));
    base::MutexLock lock(mutex_);
    const auto kept = kept_.find(year);
    if (!published.has_value() || published->checkpoint.size == 0 ||
        (kept != kept_.end() && kept->second.size >= published->checkpoint.size)) {
      continue;
    }
    auto round = std::make_shared<Round>();
    round->number = ++rounds_;
    round->year = year;
    round->checkpoint = *std::move(published);
    return round;
  }
  return std::shared_ptr<Round>();
}

absl::Duration Cosigner::Pause() const {
  if (asked_ || (failures_ == 0 && waiting_ > 0)) return absl::ZeroDuration();
  // A log that has just begun is cosigned as soon as its first checkpoint is there.
  if (failures_ == 0) return kept_.empty() ? std::min(options_.retry, options_.interval) : options_.interval;
  return std::min(options_.interval,
                  options_.retry * static_cast<double>(1 << std::min<uint64_t>(failures_ - 1, 10)));
}

void Cosigner::RunRounds() {
  absl::Time last = absl::InfinitePast();
  while (true) {
    {
      base::MutexLock lock(mutex_);
      while (!stopping_ && Steady() - last < Pause()) {
        // Lines that came after the quorum was there.
        if (round_ != nullptr && round_->counting >= options_.quorum && round_->lines.size() > round_->kept) {
          const absl::Status kept = Keep(*round_);
          if (!kept.ok()) base::LogStatus(base::LogLevel::kWarning, "log.cosigned_not_written", kept);
          continue;
        }
        changed_.WaitFor(mutex_, Pause() - (Steady() - last));
      }
      if (stopping_) return;
      asked_ = false;
    }
    last = Steady();
    auto next = NextRound();
    base::MutexLock lock(mutex_);
    if (!next.ok()) {
      ++attempts_;
      ++failures_;
      changed_.NotifyAll();
      base::LogStatus(base::LogLevel::kError, "log.not_cosigned", next.status());
      continue;
    }
    if (*next == nullptr) {
      ++attempts_;
      failures_ = 0;
      standing_.quorum = true;
      standing_.uncovered_since.reset();
      changed_.NotifyAll();
      continue;
    }
    round_ = *next;
    changed_.NotifyAll();
    // Bounded by the calls' timeouts.
    while (!stopping_ && round_->counting < options_.quorum && round_->finished < witnesses_.size()) {
      changed_.Wait(mutex_);
    }
    if (!stopping_) Finish();
  }
}

void Cosigner::Finish() {
  Round& round = *round_;
  const absl::Status status = round.counting >= options_.quorum ? Keep(round) : absl::OkStatus();
  if (!status.ok()) base::LogStatus(base::LogLevel::kError, "log.cosigned_not_written", status);
  if (!status.ok() || round.counting < options_.quorum) {
    ++failures_;
    RaiseAlarm(round);
  } else {
    failures_ = 0;
    if (!standing_.quorum)
      base::Log(base::LogLevel::kInfo, "log.quorum", {{"origin", round.checkpoint.checkpoint.origin}});
    standing_.quorum = true;
    standing_.uncovered_since.reset();
    last_alarm_.reset();
  }
  ++attempts_;
  changed_.NotifyAll();
}

absl::Status Cosigner::Keep(Round& round) {
  note::Note cosigned = round.checkpoint.note;
  cosigned.signatures.insert(cosigned.signatures.end(), round.lines.begin(), round.lines.end());
  const std::string bytes = note::Format(cosigned);
  round.kept = round.lines.size();
  // Every call of the process asks CheckStanding, and is not to wait for a disk. No other thread writes.
  mutex_.Unlock();
  const absl::Status written = files_.WriteCosigned(round.year, bytes);
  mutex_.Lock();
  RAAKVLAK_RETURN_IF_ERROR(written);
  kept_[round.year] = {round.checkpoint.checkpoint.size, bytes};
  return absl::OkStatus();
}

void Cosigner::RaiseAlarm(const Round& round) {
  const auto kept = kept_.find(round.year);
  const uint64_t first = kept == kept_.end() ? 0 : kept->second.size;
  mutex_.Unlock();
  const auto since = files_.EntryTime(round.year, first);
  mutex_.Lock();
  standing_.quorum = false;
  if (since.ok()) {
    standing_.uncovered_since = std::max(*since, options_.since);
  } else if (!standing_.uncovered_since.has_value()) {
    standing_.uncovered_since = clock_.Now();
  }
  const absl::Time now = Steady();
  if (last_alarm_.has_value() && now - *last_alarm_ < kAlarmInterval) return;
  last_alarm_ = now;
  std::vector<std::string> why;
  for (const auto& [name, status] : standing_.witnesses) {
    if (!status.ok()) why.push_back(absl::StrCat(name, ": ", base::ReasonOf(status)));
  }
  base::Log(base::LogLevel::kError, "log.no_quorum",
            {{"origin", round.checkpoint.checkpoint.origin},
             {"size", absl::StrCat(round.checkpoint.checkpoint.size)},
             {"cosigned", absl::StrCat(round.counting)},
             {"quorum", absl::StrCat(options_.quorum)},
             {"since", absl::FormatTime(*standing_.uncovered_since, absl::UTCTimeZone())},
             {"witnesses", absl::StrJoin(why, "; ")}});
}

void Cosigner::RunWitness(size_t index) {
  WitnessSubmission& witness = *witnesses_[index];
  const std::string& name = witness.key().name();
  uint64_t done = 0;
  while (true) {
    std::shared_ptr<Round> round;
    {
      base::MutexLock lock(mutex_);
      while (!stopping_ && (round_ == nullptr || round_->number == done)) changed_.Wait(mutex_);
      if (stopping_) return;
      round = round_;
    }
    done = round->number;
    const auto line = witness.Submit(round->year, round->checkpoint, options_.call_timeout);
    base::MutexLock lock(mutex_);
    ++round->finished;
    if (line.ok()) {
      round->lines.push_back(*line);
      round->counting += witness.counts();
    }
    absl::Status& last = standing_.witnesses[name];
    if (base::ReasonOf(last) != base::ReasonOf(line.status())) {
      if (line.ok()) {
        base::Log(base::LogLevel::kInfo, "log.witness_back", {{"witness", name}});
      } else {
        base::LogStatus(base::LogLevel::kError, "log.witness_failed", line.status(),
                        {{"witness", name}, {"origin", round->checkpoint.checkpoint.origin}});
      }
    }
    last = line.status();
    changed_.NotifyAll();
  }
}

bool Cosigner::IsKept(uint32_t year, uint64_t index) const {
  const auto kept = kept_.find(year);
  return kept != kept_.end() && kept->second.size > index;
}

absl::Status Cosigner::NoQuorum() const {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kQuorumMissing,
                     absl::StrCat("fewer than ", options_.quorum, " witnesses cosigned the log in time"));
}

absl::StatusOr<std::string> Cosigner::CosignThrough(uint32_t year, uint64_t index, absl::Time deadline) {
  // The caller's clock may be another than that which threads wait by.
  const absl::Time until = Steady() + (deadline - clock_.Now());
  RAAKVLAK_ASSIGN_OR_RETURN(const auto published, Published(year));
  if (!published.has_value() || published->checkpoint.size <= index) {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound,
                       "no published checkpoint covers the entry");
  }
  base::MutexLock lock(mutex_);
  // A round at once, also when the last ones failed.
  asked_ = asked_ || !IsKept(year, index);
  ++waiting_;
  changed_.NotifyAll();
  while (!stopping_ && !IsKept(year, index) && Steady() < until) {
    changed_.WaitFor(mutex_, until - Steady());
  }
  --waiting_;
  if (IsKept(year, index)) return kept_.find(year)->second.note;
  return NoQuorum();
}

absl::Status Cosigner::CheckQuorum(absl::Time deadline) {
  const absl::Time until = Steady() + (deadline - clock_.Now());
  base::MutexLock lock(mutex_);
  if (standing_.quorum) return absl::OkStatus();
  asked_ = true;
  // The round that is under way was not asked for by us, but is news all the same.
  const uint64_t before = attempts_;
  changed_.NotifyAll();
  while (!stopping_ && attempts_ == before && Steady() < until) changed_.WaitFor(mutex_, until - Steady());
  return standing_.quorum ? absl::OkStatus() : NoQuorum();
}

absl::Status Cosigner::CheckStanding() const {
  if (Steady() - started_ < std::min(options_.start_up, options_.grace)) return absl::OkStatus();
  base::MutexLock lock(mutex_);
  if (!standing_.uncovered_since.has_value() || clock_.Now() - *standing_.uncovered_since <= options_.grace) {
    return absl::OkStatus();
  }
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kLogUnwitnessed,
                     absl::StrCat("the log has had no quorum of witnesses since ",
                                  absl::FormatTime(*standing_.uncovered_since, absl::UTCTimeZone())));
}

Cosigner::Standing Cosigner::GetStanding() const {
  base::MutexLock lock(mutex_);
  return standing_;
}

}  // namespace raakvlak::log
