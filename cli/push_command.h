// `raakvlak signal push`: opens files, pushes their rows, reports. Thread safety: one thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"

namespace raakvlak::cli {

struct PushOptions {
  std::vector<std::string> files;
  // "csv", "jsonl", or empty: by the name.
  std::string format;
};

// PushFiles returns kError when a row or a whole file was rejected; the error of the call when it broke off.
absl::StatusOr<ExitCode> PushFiles(const PushOptions& options, Context& context);

}  // namespace raakvlak::cli
