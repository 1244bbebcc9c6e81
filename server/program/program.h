// What the main of every server shares: flags, hardening, configuration, exit codes.
//
// Flags: --config FILE (required), --check-config, --version, --help. Exit codes: 0 stopped when asked (or
// the configuration is fine), 1 error, 2 usage. Errors are printed for people on standard error; everything
// after the start is JSON lines (base/log.h).
#pragma once

#include <google/protobuf/message.h>

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace raakvlak::server {

enum class RunMode { kServe, kCheckConfig };

// A flag of one program beside those of all.
struct Flag {
  absl::string_view name;  // "--adopt"
  absl::string_view help;
  bool* set;  // becomes true when the flag is given
};

struct Program {
  absl::string_view name;
  absl::string_view summary;
  // What --check-config reads, and the last sentence about running it.
  absl::string_view reads = "configuration, covenant, roster and keys";
  absl::string_view note = "Covenant and roster are read again when they change.";
  std::vector<Flag> flags = {};
};

// RunProgram hardens the process, reads the configuration into `config` and calls `run`, which in kServe mode
// returns when the server was asked to stop. REQUIRES: called from main() before any thread is started.
int RunProgram(int argc, char** argv, const Program& program, google::protobuf::Message& config,
               absl::FunctionRef<absl::Status(RunMode)> run);

}  // namespace raakvlak::server
