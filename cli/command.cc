#include "cli/command.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace raakvlak::cli {

CLI::App& Commands::Group(const std::string& name, const std::string& description) {
  CLI::App* group = app_.add_subcommand(name, description);
  group->require_subcommand(1);
  group->footer(absl::StrCat("Examples: raakvlak ", name, " COMMAND --help"));
  return *group;
}

CLI::App& Commands::Group(CLI::App& group, const std::string& name, const std::string& description) {
  CLI::App* inner = group.add_subcommand(name, description);
  inner->require_subcommand(1);
  inner->footer(absl::StrCat("Examples: raakvlak ", group.get_name(), " ", name, " COMMAND --help"));
  return *inner;
}

CLI::App& Commands::Add(CLI::App& group, const std::string& name, const std::string& description,
                        const std::string& examples, Needs needs, RunCommand run, const std::string& later) {
  CLI::App* command = group.add_subcommand(name, description);
  std::string footer = "Examples:\n";
  for (const absl::string_view line : absl::StrSplit(examples, '\n'))
    absl::StrAppend(&footer, "  ", line, "\n");
  if (!later.empty()) absl::StrAppend(&footer, "\nIn later versions: ", later, "\n");
  command->footer(footer);
  command->callback([this, needs, run = std::move(run)] {
    selected_ = run;
    needs_ = needs;
  });
  return *command;
}

}  // namespace raakvlak::cli
