// `raakvlak audit report`: what happened in a period, counted from the entries of one server's log, as a
// table, JSON or one HTML page. Thread safety: one thread.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace raakvlak::cli {

void AddReportCommand(Commands& commands, CLI::App& group);

}  // namespace raakvlak::cli
