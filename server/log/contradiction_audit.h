// ContradictionAudit: tells people that a log contradicts what this process cosigned: an error line in the
// program's log that says what to do, and an entry "witness" in this process's own log, which holds both
// signed checkpoints. They are public and verify with the log's key alone.
//
// A log that goes on contradicting itself is told about once a minute at most, for each kind.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/log/witness.h"
#include "server/storage/audit.h"

namespace raakvlak::log {

class ContradictionAudit final : public ContradictionLog {
 public:
  // All outlive this. `audit` makes the entry durable before it returns.
  ContradictionAudit(storage::AuditAppender& audit, const base::Clock& clock)
      : audit_(audit), clock_(clock) {}
  void Report(const Contradiction& contradiction) override;

 private:
  storage::AuditAppender& audit_;
  const base::Clock& clock_;
  base::Mutex mutex_;
  std::map<std::pair<std::string, Contradiction::Kind>, absl::Time> last_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::log
