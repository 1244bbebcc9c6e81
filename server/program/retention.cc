#include "server/program/retention.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "base/status.h"

namespace raakvlak::server {
namespace {

constexpr absl::Duration kDay = absl::Hours(24);

}  // namespace

Retention::Retention(storage::AuditLog& log, policy::Authority& authority, const base::Clock& clock,
                     policy::Snapshot in_force, std::string urn, std::string role, EraseMore erase_more)
    : log_(log),
      authority_(authority),
      clock_(clock),
      urn_(std::move(urn)),
      role_(std::move(role)),
      erase_more_(std::move(erase_more)),
      last_known_(std::move(in_force)) {}

absl::StatusOr<uint64_t> Retention::RunOnce() {
  const absl::StatusOr<policy::Snapshot> current = authority_.Current();
  const policy::Snapshot snapshot = [&] {
    base::MutexLock lock(mutex_);
    if (current.ok()) last_known_ = *current;
    return last_known_;
  }();
  const absl::Time now = clock_.Now();
  storage::AuditEntry proof;
  proof.time_ms = absl::ToUnixMillis(now);
  proof.actor = urn_;
  proof.role = role_;
  proof.policy = snapshot.Name();
  const int64_t before = absl::ToUnixMillis(now - kDay * snapshot.covenant->text().log_retention_days());
  if (erase_more_) RAAKVLAK_RETURN_IF_ERROR(erase_more_(before, proof).status());
  return log_.EraseDetails(before, proof);
}

void Retention::Start() {
  job_ = std::make_unique<base::PeriodicJob>([] { return kDay; },
                                             [this] {
                                               const absl::StatusOr<uint64_t> erased = RunOnce();
                                               if (!erased.ok())
                                                 base::LogStatus(base::LogLevel::kError,
                                                                 "log.retention_failed", erased.status());
                                             });
}

void Retention::Stop() {
  if (job_ != nullptr) job_->Stop();
}

}  // namespace raakvlak::server
