// LogTrust: whose signatures make a checkpoint of one log worth something, by the covenant, and what that
// proves of an entry.
//
// The broker's log is witnessed by the partners' nodes, with the covenant's quorum; the logs of nodes and hub
// are witnessed by the broker. Thread safety: all functions are pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/note/note.h"
#include "crypto/tlog/cosignature.h"
#include "crypto/tlog/proof_file.h"
#include "policy/covenant.h"
#include "raakvlak/v1/log.pb.h"

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

// The names of those who cosigned, by `trust`.
std::vector<std::string> WitnessesOf(const LogTrust& trust, const crypto::tlog::VerifiedProof& proof);

struct ProvenEntry {
  LogTrust trust;
  crypto::tlog::VerifiedProof proof;
};

// CheckLogProof: that the entry's leaf stands at its index in the log that it names, under a checkpoint with
// the quorum for that log. NOT_FOUND when the covenant knows no such log; errors of tlog::VerifyProofFile;
// VERIFICATION_FAILED for the proof of another entry. Does NOT look at the details.
absl::StatusOr<ProvenEntry> CheckLogProof(const v1::LogEntry& entry, absl::string_view proof,
                                          const Covenant& covenant);

}  // namespace raakvlak::policy
