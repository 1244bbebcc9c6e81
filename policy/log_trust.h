// LogTrust: whose signatures make a checkpoint of one log worth something, by the covenant.
//
// The broker's log is witnessed by the partners' nodes, with the covenant's quorum; the logs of nodes and hub
// are witnessed by the broker. Thread safety: all functions are pure.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/note/note.h"
#include "crypto/tlog/cosignature.h"
#include "policy/covenant.h"

namespace raakvlak::policy {

struct LogTrust {
  crypto::note::VerifierKey log;
  // Each named by the URN of its process.
  std::vector<crypto::tlog::WitnessKey> witnesses;
  // How many of them must have cosigned; at least 1.
  size_t quorum;
};

// TrustOf: NOT_FOUND when `origin` ("<URN of the process>/<year>") is no log of this covenant.
absl::StatusOr<LogTrust> TrustOf(const Covenant& covenant, absl::string_view origin);

}  // namespace raakvlak::policy
