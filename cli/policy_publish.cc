#include "cli/policy_publish.h"

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/file.h"
#include "base/status.h"
#include "cli/output.h"
#include "crypto/note/note.h"

namespace raakvlak::cli {
namespace {

constexpr absl::Duration kPublishTimeout = absl::Seconds(20);

}  // namespace

absl::StatusOr<ExitCode> PublishNote(const std::string& note, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto policy, context.services->Policy());
  v1::PublishRequest request;
  request.set_note(note);
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::PublishResponse taken, policy->Publish(request, kPublishTimeout));
  const std::string hash = base::Hex(taken.note_hash());
  if (context.json) {
    PrintJson(context.out, {{"kind", taken.kind()}, {"note_hash", hash}});
  } else {
    context.out << "the broker took the " << Printable(taken.kind()) << " " << hash
                << "; nodes and hub take it within seconds\n";
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> PublishFile(const std::string& path, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string note, base::ReadFile(path, crypto::note::kMaxNoteSize));
  return PublishNote(note, context);
}

}  // namespace raakvlak::cli
