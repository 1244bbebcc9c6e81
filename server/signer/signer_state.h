// What a signer remembers of one log: the size and root that it signed last, and the frontier of the tree at
// that size, so that it needs only the entries that came since.
//
//   raakvlak-signer/1
//   <checkpoint text: origin, size, root>
//   <base64(frontier)>
//
// DO NOT CHANGE: docs/format/signer.md. One file for each year: <state>/<year>.signed. Thread safety: all
// functions may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/tree.h"

namespace raakvlak::signer {

struct Signed {
  std::string origin;
  crypto::tlog::Frontier frontier;

  uint64_t size() const { return frontier.size(); }
  crypto::tlog::Checkpoint ToCheckpoint() const { return {origin, size(), frontier.Root()}; }
};

std::string FormatState(const Signed& state);
// MALFORMED unless FormatState would write `bytes`: also when the frontier does not give that size and root.
absl::StatusOr<Signed> ParseState(absl::string_view bytes);

// "<URN>/<year>".
std::string Origin(absl::string_view urn, uint32_t year);

// The states in `folder`, by year; a missing folder has none. FILE_UNREADABLE; MALFORMED; CONFIG_INVALID for
// that of another process.
absl::StatusOr<std::map<uint32_t, Signed>> ReadStates(const std::string& folder, absl::string_view urn);

// Durable when it returns. STORAGE_FAILED.
absl::Status WriteState(const std::string& folder, uint32_t year, const Signed& state);

}  // namespace raakvlak::signer
