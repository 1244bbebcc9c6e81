#include "server/log/witness_submission.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/tlog/add_checkpoint.h"
#include "crypto/tlog/text.h"

namespace raakvlak::log {
namespace {

namespace note = crypto::note;
namespace tlog = crypto::tlog;

// One to learn the size, one to use it, and one more for each time that it changed in between.
constexpr int kMaxCalls = 4;

absl::Status Error(const char* reason, absl::string_view message) {
  return base::Error(absl::StatusCode::kFailedPrecondition, reason, message);
}

absl::StatusOr<uint64_t> SizeIn(absl::string_view body) {
  absl::ConsumeSuffix(&body, "\n");
  return tlog::ParseDecimal(body);
}

}  // namespace

absl::StatusOr<note::NoteSignature> WitnessSubmission::Submit(uint32_t year,
                                                              const tlog::OpenedCheckpoint& checkpoint,
                                                              absl::Duration timeout) {
  const uint64_t size = checkpoint.checkpoint.size;
  const std::string& name = link_.key.name();
  const std::string signed_note = note::Format(checkpoint.note);
  for (int call = 0; call < kMaxCalls; ++call) {
    const uint64_t old_size = seen_[year];
    if (old_size > size) {
      // Asked anew the next time: it may have been told by somebody who is no witness any more.
      seen_.erase(year);
      return Error(base::reason::kLogRollback,
                   absl::StrCat("witness ", name, " has cosigned ", old_size,
                                " entries of this log, which has ", size, ": was a backup restored?"));
    }
    tlog::AddCheckpoint request{old_size, {}, signed_note};
    RAAKVLAK_ASSIGN_OR_RETURN(request.proof, files_.ConsistencyProof(year, old_size, size));
    RAAKVLAK_ASSIGN_OR_RETURN(const client::WitnessReply reply,
                              link_.client->AddCheckpoint(tlog::FormatAddCheckpoint(request), timeout));
    if (reply.status == 200) {
      note::Note cosigned{checkpoint.note.text, {}};
      RAAKVLAK_RETURN_IF_ERROR(base::Annotate(tlog::AddCosignatures(cosigned, reply.body, {link_.key}),
                                              absl::StrCat("the answer of witness ", name)));
      seen_[year] = size;
      return cosigned.signatures.front();
    }
    if (reply.status == 409) {
      const auto seen = SizeIn(reply.body);
      // Another make's answer to another root of the same size.
      if (seen.ok() ? *seen == old_size : old_size == size) {
        return Error(base::reason::kLogFork,
                     absl::StrCat("witness ", name, " has another tree of ", size, " entries of this log"));
      }
      RAAKVLAK_RETURN_IF_ERROR(base::Annotate(seen.status(), absl::StrCat("the answer of witness ", name)));
      seen_[year] = *seen;
      continue;
    }
    seen_.erase(year);
    if (reply.status == 422 && old_size > 0) {
      return Error(base::reason::kLogFork, absl::StrCat("witness ", name, " does not find the ", old_size,
                                                        " entries that it cosigned in this log of ", size));
    }
    if (reply.status == 403 || reply.status == 404) {
      return Error(base::reason::kNotAllowed,
                   absl::StrCat("witness ", name, " does not know this log, or another key of it"));
    }
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable,
                       absl::StrCat("witness ", name, " answered with status ", reply.status));
  }
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable,
                     absl::StrCat("witness ", name, " is given other checkpoints of this log meanwhile"));
}

}  // namespace raakvlak::log
