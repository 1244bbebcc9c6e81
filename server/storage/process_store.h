// ProcessStore: what a process keeps that has no store of its own besides: audit entries, and the newest
// covenant and roster. Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "policy/authority.h"
#include "server/storage/audit.h"

namespace raakvlak::storage {

class ProcessStore : public AuditAppender, public AuditReader, public policy::HighWater {
  // AppendAudit is durable when it returns.
};

// In an SQLite file. SCHEMA_UNKNOWN, STORAGE_FAILED.
absl::StatusOr<std::unique_ptr<ProcessStore>> OpenProcessStore(const std::string& path);

}  // namespace raakvlak::storage
