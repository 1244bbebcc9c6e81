// ProcessStore: what a process keeps that has no store of its own besides: its log, and the newest covenant
// and roster. Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "policy/authority.h"
#include "server/storage/audit.h"
#include "server/storage/log_codec.h"

namespace raakvlak::storage {

// AppendAudit is durable when it returns.
class ProcessStore : public AuditAppender, public policy::HighWater {
 public:
  virtual AuditLog& audit_log() = 0;
};

// In an SQLite file. SCHEMA_UNKNOWN; VERIFICATION_FAILED (another details key or process than the file's);
// STORAGE_FAILED.
absl::StatusOr<std::unique_ptr<ProcessStore>> OpenProcessStore(const std::string& path, LogCodec codec);

}  // namespace raakvlak::storage
