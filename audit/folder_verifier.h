// Verifying a log's whole folder, offline: what `raakvlak audit verify` does.
//
// Every entry is hashed, every tile of every level compared, the root compared with the signed checkpoint. So
// whoever holds the log's public key finds any change to any entry, tile or the checkpoint; who also holds a
// checkpoint kept from before finds a history that was written anew; who knows the witnesses' keys finds a
// history that only they were shown. What this does NOT find: something that was never logged.
//
// Thread safety: the function may be called from any thread. A log that grows meanwhile is verified up to
// the checkpoint that was read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/cosignature.h"

namespace raakvlak::audit {

struct FolderOptions {
  // The log's key, from a source that can be trusted. Without it the folder's log.vkey is believed, which
  // whoever made up the folder could have made up too.
  std::optional<crypto::note::VerifierKey> log;
  // A checkpoint of this log kept from before: the bytes of its file.
  std::optional<std::string> since;
  // How many of these must have cosigned the checkpoint.
  std::vector<crypto::tlog::WitnessKey> witnesses;
  size_t quorum = 0;
  // Called for every entry in order, as long as nothing else is wrong; returns what is wrong with it, or
  // nothing. For checks of what the entries say, such as stored details against leaves.
  std::function<std::optional<std::string>(uint64_t index, absl::string_view entry)> check_entry;
};

// What is wrong, and where: the first place in the order of the entries.
struct Fault {
  std::string file;               // as from the folder: "tile/entries/000"
  std::optional<uint64_t> index;  // of the first entry concerned, when that can be told
  std::string what;
};

struct FolderReport {
  // All of it as far as it was read; meaningless beyond what `fault` leaves standing.
  crypto::tlog::Checkpoint checkpoint;
  std::vector<crypto::tlog::Cosigned> cosigned;  // which of FolderOptions::witnesses, and when
  std::optional<crypto::tlog::Checkpoint> since;
  uint64_t entries = 0;        // hashed
  uint64_t unknown_files = 0;  // under tile/, not looked at
  std::optional<Fault> fault;  // none: the log is whole
};

// VerifyFolder reads the folder once (a second time, in part, to find a fault's place). A damaged log is a
// report with a fault, not an error. FILE_UNREADABLE when `folder` cannot be listed; MALFORMED or
// SIGNATURE_INVALID when `since` is not a checkpoint of this log.
//
// A fault's place is proven when the rest of the tree leads to the signed root, as after any one change.
// After several, the file named may be a right one that contradicts a changed one.
absl::StatusOr<FolderReport> VerifyFolder(const std::string& folder, const FolderOptions& options);

}  // namespace raakvlak::audit
