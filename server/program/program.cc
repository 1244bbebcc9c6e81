#include "server/program/program.h"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/log.h"
#include "base/process.h"
#include "base/status.h"
#include "policy/strict_parse.h"

namespace raakvlak::server {
namespace {

constexpr int kOk = 0;
constexpr int kError = 1;
constexpr int kUsage = 2;

std::string Usage(const Program& program) {
  std::string flags, own;
  for (const Flag& flag : program.flags) {
    absl::StrAppend(&flags, " [", flag.name, "]");
    absl::StrAppendFormat(&own, "  %-15s  %s\n", flag.name, flag.help);
  }
  return absl::StrCat(
      "Usage: ", program.name, " --config FILE [--check-config]", flags, "\n\n", program.summary,
      "\n\n"
      "  --config FILE    configuration, protobuf text format; deploy/config/ has a commented "
      "sample\n"
      "  --check-config   read ",
      program.reads, ", then stop\n", own,
      "  --version        print the version\n"
      "  --help           print this text\n\n"
      "SIGTERM or SIGINT ends it in order. ",
      program.note,
      "\n"
      "Exit codes: 0 ended when asked, 1 error, 2 usage.\n\n"
      "Example:\n  ",
      program.name, " --config /etc/raakvlak/", program.name.substr(program.name.find('-') + 1),
      ".textproto\n");
}

}  // namespace

int RunProgram(int argc, char** argv, const Program& program, google::protobuf::Message& config,
               absl::FunctionRef<absl::Status(RunMode)> run) {
  base::HardenProcess();
  base::BlockStopSignals();
  // Its errors about untrusted bytes are not JSON lines; whoever parses refuses with a reason.
  google::protobuf::SetLogHandler(nullptr);
  std::string path;
  RunMode mode = RunMode::kServe;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    const auto own = std::find_if(program.flags.begin(), program.flags.end(),
                                  [&](const Flag& flag) { return flag.name == argument; });
    if (argument == "--help" || argument == "-h") {
      std::fputs(Usage(program).c_str(), stdout);
      return kOk;
    }
    if (argument == "--version") {
      std::printf("%s %s\n", std::string(program.name).c_str(), RAAKVLAK_VERSION);
      return kOk;
    }
    if (own != program.flags.end()) {
      *own->set = true;
    } else if (argument == "--check-config") {
      mode = RunMode::kCheckConfig;
    } else if (argument == "--config" && i + 1 < argc) {
      path = argv[++i];
    } else {
      std::fputs(Usage(program).c_str(), stderr);
      return kUsage;
    }
  }
  if (path.empty()) {
    std::fputs(Usage(program).c_str(), stderr);
    return kUsage;
  }
  absl::Status status = policy::ReadConfigFile(path, config);
  if (status.ok()) status = run(mode);
  if (status.ok()) {
    if (mode == RunMode::kCheckConfig) std::printf("%s: fine\n", path.c_str());
    return kOk;
  }
  base::LogStatus(base::LogLevel::kError, "program.failed", status, {{"program", std::string(program.name)}});
  return kError;
}

}  // namespace raakvlak::server
