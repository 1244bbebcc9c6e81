// Record: one entry of the log as an officer reads it, checked against what the log commits to.
//
// Thread safety: all functions are pure.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "raakvlak/v1/log.pb.h"

namespace raakvlak::audit {

struct Record {
  // Origin of the log: URN of the process, "/", year.
  std::string log;
  uint64_t index = 0;
  int64_t time_ms = 0;
  // The details are gone at the end of their term; `details` is empty.
  bool erased = false;
  v1::AuditDetails details;
};

// ReadEntry checks that leaf, time, salt and details belong together and parses the details. It does NOT know
// whether the leaf stands in the log: that is what an inclusion proof is for. VERIFICATION_FAILED when they
// do not belong together; MALFORMED for a leaf or details that do not parse.
absl::StatusOr<Record> ReadEntry(const v1::LogEntry& entry);

// IdOf writes "2026/123", as `raakvlak audit show` takes it.
std::string IdOf(const Record& record);

}  // namespace raakvlak::audit
