// HubStore: what the hub keeps: its log, the newest covenant and roster, and the proofs of what it opened.
//
// A kept opening is sealed under the key of the log's details (log_codec.h), which is not in the database;
// only the order's hash and the time stand beside it. Every method may return STORAGE_FAILED; only further
// reasons are named. Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "policy/authority.h"
#include "raakvlak/v1/opening.pb.h"
#include "server/storage/audit.h"
#include "server/storage/log_codec.h"

namespace raakvlak::storage {

// AppendAudit and AppendOpening are durable when they return.
class OpeningLog : public AuditAppender {
 public:
  // AppendOpening appends the hub's entry about an opening and keeps what proves it, in one transaction.
  // REPLAYED, and nothing is written, when an opening on that order is kept.
  virtual absl::StatusOr<Logged> AppendOpening(const AuditEntry& entry, const v1::KeptOpening& opening) = 0;
};

class HubStore : public OpeningLog, public policy::HighWater {
 public:
  // VERIFICATION_FAILED when what is kept was changed.
  virtual absl::StatusOr<std::optional<v1::KeptOpening>> FindOpening(absl::string_view order_hash) = 0;

  // EraseOpenings deletes those whose entry in the broker's log is from before `before_ms`, appends `proof`
  // as an entry "erase" of object "openings" with their number, if there were any, and returns it.
  virtual absl::StatusOr<uint64_t> EraseOpenings(int64_t before_ms, const AuditEntry& proof) = 0;

  virtual AuditLog& audit_log() = 0;
};

// In an SQLite file. SCHEMA_UNKNOWN; VERIFICATION_FAILED (another details key or process than the file's);
// STORAGE_FAILED.
absl::StatusOr<std::unique_ptr<HubStore>> OpenHubStore(const std::string& path, LogCodec codec);

}  // namespace raakvlak::storage
