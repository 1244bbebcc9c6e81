#include "server/log/process_log.h"

#include <utility>

#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/log/line_socket.h"
#include "server/log/signer_client.h"

namespace raakvlak::log {
namespace {

// For all that waits; one checkpoint takes milliseconds.
constexpr absl::Duration kPublishTimeout = absl::Seconds(10);

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessLog>> ProcessLog::Create(storage::AuditLog& audit,
                                                               const base::Clock& clock, Options options) {
  RAAKVLAK_RETURN_IF_ERROR(UnixAddress(options.signer_socket).status());
  auto log = std::unique_ptr<ProcessLog>(new ProcessLog(clock));
  log->own_signer_ = std::make_unique<SignerClient>(options.signer_socket);
  RAAKVLAK_RETURN_IF_ERROR(log->Open(audit, options, *log->own_signer_));
  return log;
}

absl::StatusOr<std::unique_ptr<ProcessLog>> ProcessLog::CreateForTest(storage::AuditLog& audit,
                                                                      const base::Clock& clock,
                                                                      Options options,
                                                                      CheckpointSigner& signer) {
  auto log = std::unique_ptr<ProcessLog>(new ProcessLog(clock));
  RAAKVLAK_RETURN_IF_ERROR(log->Open(audit, options, signer));
  return log;
}

absl::Status ProcessLog::Open(storage::AuditLog& audit, const Options& options, CheckpointSigner& signer) {
  RAAKVLAK_ASSIGN_OR_RETURN(folder_, LogFolder::Open(options.folder));
  RAAKVLAK_ASSIGN_OR_RETURN(publisher_, Publisher::Create(audit, *folder_, signer, clock_, options.key));
  const absl::Status first = PublishNow();
  const std::string reason = base::ReasonOf(first);
  if (reason == base::reason::kLogRollback || reason == base::reason::kLogFork) return first;
  job_ = std::make_unique<server::PeriodicJob>([] { return kPublishInterval; },
                                               [this] { PublishNow().IgnoreError(); });
  return absl::OkStatus();
}

ProcessLog::~ProcessLog() { Stop(); }

void ProcessLog::Stop() {
  if (!job_) return;
  job_->Stop();
  job_.reset();
  PublishNow().IgnoreError();
}

absl::Status ProcessLog::LastPublish() const {
  base::MutexLock lock(mutex_);
  return last_;
}

absl::Status ProcessLog::PublishNow() {
  const absl::Status now = publisher_->Publish(clock_.Now() + kPublishTimeout);
  base::MutexLock lock(mutex_);
  // Once for each new reason, not five times a second.
  if (!now.ok() && base::ReasonOf(now) != base::ReasonOf(last_)) {
    base::LogStatus(base::LogLevel::kError, "log.not_published", now);
  }
  if (now.ok() && !last_.ok()) base::Log(base::LogLevel::kInfo, "log.published_again");
  last_ = now;
  return now;
}

}  // namespace raakvlak::log
