#include "server/broker/background.h"

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"

namespace raakvlak::broker {
namespace {

constexpr absl::Duration kExpiryInterval = absl::Hours(1);
// An epoch ends within seconds, however rarely the covenant lets match.
constexpr absl::Duration kEndInterval = absl::Seconds(2);

}  // namespace

Background::Background(storage::BrokerStore& store, policy::Authority& authority, const base::Clock& clock,
                       base::Random& random, const policy::Snapshot& in_force)
    : authority_(authority),
      clock_(clock),
      matcher_(store, clock, random, in_force.covenant->text().broker().urn()),
      epoch_end_(store, clock, matcher_, in_force.covenant->text().broker().urn()),
      expiry_(store, clock, in_force.covenant->text().broker().urn()),
      last_known_(in_force),
      expiring_([] { return kExpiryInterval; }, [this] { Expire(); }),
      matching_([this] { return absl::Seconds(LastKnown().covenant->text().matching_interval_seconds()); },
                [this] {
                  base::MutexLock lock(matching_mutex_);
                  Match();
                }),
      ending_([] { return kEndInterval; }, [this] { LookForEnds(); }) {}

void Background::Stop() {
  ending_.Stop();
  matching_.Stop();
  expiring_.Stop();
}

policy::Snapshot Background::LastKnown() {
  const absl::StatusOr<policy::Snapshot> current = authority_.Current();
  base::MutexLock lock(mutex_);
  if (current.ok()) last_known_ = *current;
  return last_known_;
}

void Background::Match() {
  const absl::StatusOr<policy::Snapshot> in_force = authority_.Current();
  if (!in_force.ok()) {
    base::LogStatus(base::LogLevel::kWarning, "broker.not_matching", in_force.status());
    EndEpochs(LastKnown(), nullptr);
    return;
  }
  const uint32_t today = in_force->covenant->DayAt(clock_.Now());
  if (today != matched_day_) Expire();
  const MatchTerms terms = TermsOf(*in_force);
  const absl::StatusOr<MatchRun> run = matcher_.Run(terms);
  if (!run.ok()) {
    base::LogStatus(base::LogLevel::kError, "broker.match_failed", run.status());
    return;
  }
  matched_day_ = today;
  EndEpochs(*in_force, &terms);
}

void Background::EndEpochs(const policy::Snapshot& snapshot, const MatchTerms* terms) {
  const absl::StatusOr<uint64_t> ended =
      epoch_end_.Run(ServedEpochs(snapshot, clock_.Now()), terms, snapshot.Name());
  if (!ended.ok()) base::LogStatus(base::LogLevel::kError, "broker.epoch_end_failed", ended.status());
}

void Background::LookForEnds() {
  base::MutexLock lock(matching_mutex_);
  const absl::StatusOr<bool> due = epoch_end_.IsDue(ServedEpochs(LastKnown(), clock_.Now()));
  if (!due.ok()) {
    base::LogStatus(base::LogLevel::kError, "broker.epoch_end_failed", due.status());
  } else if (*due) {
    Match();
  }
}

void Background::Expire() {
  const policy::Snapshot snapshot = LastKnown();
  ExpiryTerms terms;
  terms.today = snapshot.covenant->DayAt(clock_.Now());
  terms.closed_match_days = snapshot.covenant->text().log_retention_days();
  terms.policy = snapshot.Name();
  const absl::StatusOr<ExpiryRun> run = expiry_.Run(terms);
  if (!run.ok()) base::LogStatus(base::LogLevel::kError, "broker.expiry_failed", run.status());
  LogProgress(snapshot);
}

void Background::LogProgress(const policy::Snapshot& snapshot) {
  const absl::StatusOr<std::vector<Renewal>> renewals =
      epoch_end_.Progress(ServedEpochs(snapshot, clock_.Now()));
  if (!renewals.ok()) {
    base::LogStatus(base::LogLevel::kError, "broker.epoch_progress_failed", renewals.status());
    return;
  }
  for (const Renewal& renewal : *renewals) {
    base::Log(base::LogLevel::kInfo, "broker.epoch_progress",
              {{"purpose", renewal.epoch.purpose},
               {"epoch", absl::StrCat(renewal.epoch.epoch + 1)},
               {"signals", absl::StrCat(renewal.progress.versions)},
               {"renewed", absl::StrCat(renewal.progress.renewed)}});
  }
}

}  // namespace raakvlak::broker
