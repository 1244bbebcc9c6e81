// ProcessLog: the published log of one process, wired for its main: the folder, the signer, and a thread that
// brings new entries into a signed checkpoint within a second.
//
// Create it before the process listens, and after the database is open. A signer that is away does not stop
// the process: entries wait in the database, and the log line "log.not_published" says so.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/periodic_job.h"
#include "crypto/note/ed25519.h"
#include "policy/covenant.h"
#include "raakvlak/v1/config.pb.h"
#include "server/log/checkpoint_signer.h"
#include "server/log/log_folder.h"
#include "server/log/publisher.h"
#include "server/storage/audit.h"

namespace raakvlak::log {

// How often new entries are looked for. With the time to write and to sign it stays below a second.
inline constexpr absl::Duration kPublishInterval = absl::Milliseconds(200);

class ProcessLog {
 public:
  struct Options {
    std::string folder;           // <state>/log
    crypto::note::PublicKey key;  // of the process's logs, from the covenant
    std::string signer_socket;
  };

  // What the configuration and the covenant say about the logs of the process `urn`. CONFIG_INVALID for a
  // socket path that cannot be; NOT_FOUND when the covenant has no such process.
  static absl::StatusOr<Options> OptionsFor(const v1::Common& common, const policy::Covenant& covenant,
                                            absl::string_view urn);

  // Create opens the folder, compares it with the database and publishes what is there. `audit` and `clock`
  // outlive this. LOG_ROLLBACK and LOG_FORK of the publisher or the signer: the process must not start;
  // errors of Publisher::Create.
  static absl::StatusOr<std::unique_ptr<ProcessLog>> Create(storage::AuditLog& audit,
                                                            const base::Clock& clock, Options options);
  // As Create, with another signer, which outlives this, in place of the one behind the socket.
  static absl::StatusOr<std::unique_ptr<ProcessLog>> CreateForTest(storage::AuditLog& audit,
                                                                   const base::Clock& clock, Options options,
                                                                   CheckpointSigner& signer);
  // Stops.
  ~ProcessLog();
  ProcessLog(const ProcessLog&) = delete;
  ProcessLog& operator=(const ProcessLog&) = delete;

  // Stop ends the thread and publishes what came last, if the signer is there. May be called twice.
  void Stop();

  // How publishing went the last time: OK, or why the newest entries are in no signed checkpoint.
  absl::Status LastPublish() const;

  Publisher& publisher() { return *publisher_; }
  LogFolder& folder() { return *folder_; }

 private:
  explicit ProcessLog(const base::Clock& clock) : clock_(clock) {}
  absl::Status Open(storage::AuditLog& audit, const Options& options, CheckpointSigner& signer);
  absl::Status PublishNow();

  const base::Clock& clock_;
  std::unique_ptr<CheckpointSigner> own_signer_;
  std::unique_ptr<LogFolder> folder_;
  std::unique_ptr<Publisher> publisher_;
  mutable base::Mutex mutex_;
  absl::Status last_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<base::PeriodicJob> job_;
};

}  // namespace raakvlak::log
