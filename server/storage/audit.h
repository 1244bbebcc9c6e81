// The audit log as the processes see it: append inside a transaction, read by page.
//
// An entry is appended in the same transaction as the effect it records, and an answer leaves only after that
// transaction is durable. Entries hold no identifier and no content. The first form is an append-only table;
// the interface is what the tamper-evident log needs: one ordered sequence without gaps, written by one
// sequencer, read by index.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::storage {

// As raakvlak.v1.AuditEntry, which documents the fields.
struct AuditEntry {
  uint64_t index = 0;  // set by Append
  int64_t time_ms = 0;
  std::string actor;
  std::string role;
  std::string action;
  std::string object;
  std::string purpose;
  std::string legal_basis;
  std::string case_reference;
  std::string reason;
  std::string result = "OK";
  uint64_t count = 0;
  std::string order_hash;  // 32 bytes, or empty
  std::string policy;
};

// Equal to all that is set; empty strings and zeros match everything.
struct AuditFilter {
  std::string actor;
  std::string action;
  std::string purpose;
  std::string case_reference;
  std::string result;
  int64_t from_ms = 0;
  int64_t until_ms = 0;  // exclusive
  bool newest_first = false;
};

class AuditAppender {
 public:
  virtual ~AuditAppender() = default;
  // Returns the entry's index. STORAGE_FAILED: the transaction must not commit.
  virtual absl::StatusOr<uint64_t> AppendAudit(const AuditEntry& entry) = 0;
};

class AuditReader {
 public:
  virtual ~AuditReader() = default;
  // Up to `limit` matching entries with index >= `start` (newest_first: <= `start`), in order.
  virtual absl::StatusOr<std::vector<AuditEntry>> ReadAudit(const AuditFilter& filter, uint64_t start,
                                                            size_t limit) = 0;
};

}  // namespace raakvlak::storage
