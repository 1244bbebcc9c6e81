#include "server/log/process_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
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

absl::StatusOr<ProcessLog::Options> ProcessLog::OptionsFor(const v1::Common& common,
                                                           const policy::Covenant& covenant,
                                                           absl::string_view urn) {
  RAAKVLAK_RETURN_IF_ERROR(base::Annotate(UnixAddress(common.signer_socket()).status(), "signer_socket"));
  // The key is that of the process, the same in every year.
  RAAKVLAK_ASSIGN_OR_RETURN(const crypto::note::VerifierKey any_year,
                            covenant.LogVerifier(absl::StrCat(urn, "/2000")));
  return Options{absl::StrCat(common.state(), "/log"), any_year.key(), common.signer_socket()};
}

absl::StatusOr<std::unique_ptr<ProcessLog>> ProcessLog::Create(storage::AuditLog& audit,
                                                               const base::Clock& clock, Options options) {
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
  job_ = std::make_unique<base::PeriodicJob>([] { return kPublishInterval; },
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
