// Handing notes of the policy over to the broker, which hands them to every process: what `covenant apply`,
// `roster apply` and `covenant withdraw --publish` do.
//
// Thread safety: one thread.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/command.h"

namespace raakvlak::cli {

// PublishNote hands the note over and prints what the broker took it for. The broker's refusal.
absl::StatusOr<ExitCode> PublishNote(const std::string& note, Context& context);

// PublishFile does so with a file. FILE_UNREADABLE.
absl::StatusOr<ExitCode> PublishFile(const std::string& path, Context& context);

}  // namespace raakvlak::cli
