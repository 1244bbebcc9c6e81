// Retention: erases the details of log entries when their term ends (log_retention_days of the covenant), at
// the start and every day. Leaves stay, and each erasure is itself an entry "erase".
//
// While covenant or roster are out of force, what was last in force decides. Failures are logged, and the
// next run tries again. Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/periodic_job.h"
#include "policy/authority.h"
#include "server/storage/audit.h"

namespace raakvlak::server {

class Retention {
 public:
  // Erases what else has the term of the details, and returns how many; `proof` is the entry to append for
  // it.
  using EraseMore =
      std::function<absl::StatusOr<uint64_t>(int64_t before_ms, const storage::AuditEntry& proof)>;

  // `in_force` is what is in force now; `urn` is this process, in `role`. The references outlive this.
  Retention(storage::AuditLog& log, policy::Authority& authority, const base::Clock& clock,
            policy::Snapshot in_force, std::string urn, std::string role, EraseMore erase_more = nullptr);

  // RunOnce erases what is due now, and returns how many entries lost their details. STORAGE_FAILED.
  absl::StatusOr<uint64_t> RunOnce();

  // Begins to run every day, the first time at once. REQUIRES: not started before.
  void Start();
  // Lets a run that is under way finish. May be called twice; the destructor does it too.
  void Stop();

 private:
  storage::AuditLog& log_;
  policy::Authority& authority_;
  const base::Clock& clock_;
  const std::string urn_;
  const std::string role_;
  const EraseMore erase_more_;
  base::Mutex mutex_;
  policy::Snapshot last_known_ ABSL_GUARDED_BY(mutex_);
  // Ends before what it uses.
  std::unique_ptr<base::PeriodicJob> job_;
};

}  // namespace raakvlak::server
