// What every command of `raakvlak` gets, and how it is added to the command line.
//
// A group of commands is one function AddXxxCommands(Commands&) in a file of its own; cli/app.cc calls them.
// Option values live in a std::shared_ptr<struct> that the lambdas hold. Data goes to `out`, messages and
// progress to `err`.
//
//   void AddRosterCommands(Commands& commands) {
//     CLI::App& group = commands.Group("roster", "Who works at the hub");
//     auto options = std::make_shared<ShowOptions>();
//     CLI::App& show = commands.Add(group, "show", "Show a roster", "raakvlak roster show roster.note",
//     Needs::kNothing,
//                                   [options](Context& context) { return Show(*options, context); });
//     show.add_option("FILE", options->file, "The roster")->required();
//   }
//
// Thread safety: one thread.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/random.h"
#include "cli/exit_code.h"
#include "cli/region.h"
#include "cli/services.h"

namespace raakvlak::cli {

// Context is one run of one command.
struct Context {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  const base::Clock& clock;
  base::Random& random;
  // --json: one JSON value on `out` instead of tables.
  bool json = false;
  // --progress, or `err` is a terminal.
  bool progress = false;
  // Needs::kRegion: the region file, the identity of --as, and the way to the servers. Otherwise null.
  const Region* region = nullptr;
  const Identity* identity = nullptr;
  Services* services = nullptr;
};

// kRegionIfGiven: as kRegion with --region, as kNothing without.
enum class Needs { kNothing, kRegion, kRegionIfGiven };

// A command returns its exit code, or an error that is printed and mapped by ExitCodeOf.
using RunCommand = std::function<absl::StatusOr<ExitCode>(Context&)>;

class Commands {
 public:
  // `app` outlives this.
  explicit Commands(CLI::App& app) : app_(app) {}

  CLI::App& Group(const std::string& name, const std::string& description);
  // A group within a group.
  CLI::App& Group(CLI::App& group, const std::string& name, const std::string& description);

  // Add adds a command whose help ends with `examples`, one command line a line. `later` says what comes in
  // later versions; empty for nothing.
  CLI::App& Add(CLI::App& group, const std::string& name, const std::string& description,
                const std::string& examples, Needs needs, RunCommand run, const std::string& later = "");

  // The command that the parsed command line names; null before parsing.
  const RunCommand& selected() const { return selected_; }
  Needs needs() const { return needs_; }

 private:
  CLI::App& app_;
  RunCommand selected_;
  Needs needs_ = Needs::kNothing;
};

}  // namespace raakvlak::cli
