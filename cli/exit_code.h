// Exit codes of `raakvlak`, stable: scripts rely on them. One table maps reason codes to them.
//
// Thread safety: all functions are pure.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace raakvlak::cli {

enum class ExitCode : int {
  kOk = 0,
  kError = 1,  // anything not below; also: some rows were rejected
  kUsage = 2,  // the command line is wrong
  kDenied = 3,
  kNotFound = 4,
  kVerificationFailed = 5,
};

// UsageError makes a status that ends in kUsage.
absl::Status UsageError(absl::string_view message);

// FromPeer marks an error that a server sent. A SIGNATURE_INVALID that a server sends means that it refuses
// us (kDenied); one that we found ourselves means that what we checked is wrong (kVerificationFailed).
absl::Status FromPeer(absl::Status status);

// ExitCodeOf: the table. An ok status is kOk; a reason that is not in the table is kError.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace raakvlak::cli
