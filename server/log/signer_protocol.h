// What a process asks its signer, and what it answers: one line each way, one request a connection.
//
//   sign <origin> <size> <base64(root)>
//   ok <base64(signed checkpoint)>
//   error <reason code> <message>
//
// DO NOT CHANGE: docs/format/signer.md. Thread safety: all functions are pure.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/tlog/checkpoint.h"

namespace raakvlak::log {

// Of a line, without its newline.
inline constexpr size_t kMaxSignRequest = 1024;
inline constexpr size_t kMaxSignAnswer = 8192;

// REQUIRES: as crypto::tlog::FormatCheckpoint; no blank in the origin.
std::string FormatSignRequest(const crypto::tlog::Checkpoint& checkpoint);
// MALFORMED unless FormatSignRequest would write `line`.
absl::StatusOr<crypto::tlog::Checkpoint> ParseSignRequest(absl::string_view line);

// The message's newlines become blanks, and it is cut to what an answer may hold.
std::string FormatSignAnswer(const absl::StatusOr<std::string>& note);
// The signed note; or the signer's error, with its reason and a code that follows from the reason. MALFORMED
// unless FormatSignAnswer would write `line`.
absl::StatusOr<std::string> ParseSignAnswer(absl::string_view line);

}  // namespace raakvlak::log
