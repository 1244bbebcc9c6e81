#include "crypto/tlog/checkpoint.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/text.h"

namespace raakvlak::crypto::tlog {
namespace {

bool IsOrigin(absl::string_view origin) {
  return !origin.empty() && std::none_of(origin.begin(), origin.end(),
                                         [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

std::string FormatCheckpoint(const Checkpoint& checkpoint) {
  RAAKVLAK_CHECK(IsOrigin(checkpoint.origin) && checkpoint.size <= kMaxTreeSize,
                 "a checkpoint within its format");
  return absl::StrCat(checkpoint.origin, "\n", checkpoint.size, "\n", checkpoint.root.ToBase64(), "\n");
}

absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view text) {
  if (text.size() > kMaxCheckpointSize) return MalformedError("a checkpoint over its size limit");
  RAAKVLAK_ASSIGN_OR_RETURN(const absl::string_view origin, TakeLine(text));
  RAAKVLAK_ASSIGN_OR_RETURN(const absl::string_view size, TakeLine(text));
  RAAKVLAK_ASSIGN_OR_RETURN(const absl::string_view root, TakeLine(text));
  if (!IsOrigin(origin)) return MalformedError("a checkpoint without an origin");
  if (!text.empty()) return MalformedError("a checkpoint with extension lines");
  Checkpoint checkpoint;
  checkpoint.origin = std::string(origin);
  RAAKVLAK_ASSIGN_OR_RETURN(checkpoint.size, ParseDecimal(size));
  RAAKVLAK_ASSIGN_OR_RETURN(checkpoint.root, Hash::FromBase64(root));
  if (checkpoint.size == 0 && checkpoint.root != EmptyRoot()) {
    return MalformedError("a checkpoint of an empty tree with another root");
  }
  return checkpoint;
}

note::Note SignCheckpoint(const Checkpoint& checkpoint, const note::VerifierKey& log,
                          const note::PrivateKey& key) {
  RAAKVLAK_CHECK(log.name() == checkpoint.origin, "the origin is the name of the log's key");
  note::Note note{FormatCheckpoint(checkpoint), {}};
  note::Sign(note, log, key);
  return note;
}

absl::StatusOr<OpenedCheckpoint> OpenCheckpoint(absl::string_view bytes, const note::VerifierKey& log) {
  if (bytes.size() > kMaxCheckpointSize) return MalformedError("a checkpoint over its size limit");
  OpenedCheckpoint opened;
  RAAKVLAK_ASSIGN_OR_RETURN(opened.note, note::Parse(bytes));
  // The text is signed, so it is verified before it is read.
  RAAKVLAK_RETURN_IF_ERROR(note::VerifyAll(opened.note, {log}));
  RAAKVLAK_ASSIGN_OR_RETURN(opened.checkpoint, ParseCheckpoint(opened.note.text));
  if (opened.checkpoint.origin != log.name()) {
    return base::Error(absl::StatusCode::kPermissionDenied, base::reason::kSignatureInvalid,
                       "a checkpoint of another log than that of its key");
  }
  return opened;
}

}  // namespace raakvlak::crypto::tlog
