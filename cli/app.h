// The program `raakvlak`: parses a command line and runs its command. main.cc hands in the real world, tests
// a made one.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "cli/command.h"

namespace raakvlak::cli {

struct Environment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const base::Clock& clock;
  base::Random& random;
  bool err_is_terminal = false;
  std::function<std::unique_ptr<Services>(const Region&, const Identity&)> make_services;
};

// Options before the group.
struct GlobalOptions {
  std::string region;
  std::string as;
  bool json = false;
  bool progress = false;
};

// BuildCommandLine adds the options and all groups. `app`, `options` and `commands` outlive parsing.
void BuildCommandLine(CLI::App& app, GlobalOptions& options, Commands& commands);

// RunRaakvlak returns the exit code. `arguments` without the program's name.
ExitCode RunRaakvlak(std::vector<std::string> arguments, const Environment& environment);

}  // namespace raakvlak::cli
