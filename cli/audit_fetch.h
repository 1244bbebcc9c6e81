// AuditFetch: makes a local copy of one log from its server, file by file, so that it can be verified without
// trusting the server, and kept. Thread safety: one thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "client/audit_client.h"
#include "crypto/tlog/checkpoint.h"

namespace raakvlak::cli {

// Called with how many of how many files are there.
using FetchProgress = absl::FunctionRef<void(size_t done, size_t all)>;

// FetchLog writes checkpoint, log.vkey and all tiles of that checkpoint's size below `folder`, which is made
// when missing. Full tiles that are there already are not fetched again: what is wrong with them shows in the
// verification. Takes the cosigned checkpoint when the server has one. Nothing is verified. Errors of the
// server; VERIFICATION_FAILED for a checkpoint that does not parse; STORAGE_FAILED.
absl::StatusOr<crypto::tlog::Checkpoint> FetchLog(client::AuditClient& client, uint32_t year,
                                                  const std::string& folder, FetchProgress progress);

}  // namespace raakvlak::cli
