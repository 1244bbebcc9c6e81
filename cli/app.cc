#include "cli/app.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/audit_commands.h"
#include "cli/match_commands.h"
#include "cli/output.h"
#include "cli/policy_commands.h"
#include "cli/signal_commands.h"

namespace raakvlak::cli {
namespace {

void PrintError(const absl::Status& status, bool as_json, std::ostream& err) {
  if (as_json) {
    err << JsonText({{"error", ErrorJson(status)}}) << "\n";
    return;
  }
  err << "raakvlak: " << base::ReasonOf(status) << ": " << Printable(std::string(status.message())) << "\n";
}

absl::StatusOr<ExitCode> RunSelected(const GlobalOptions& options, const Commands& commands,
                                     const Environment& environment) {
  Context context{environment.in,
                  environment.out,
                  environment.err,
                  environment.clock,
                  environment.random,
                  options.json,
                  options.progress || environment.err_is_terminal};
  const bool alone = commands.needs() == Needs::kNothing ||
                     (commands.needs() == Needs::kRegionIfGiven && options.region.empty());
  if (alone) return commands.selected()(context);
  if (options.region.empty()) return UsageError("this command needs --region FILE (or RAAKVLAK_REGION)");
  if (options.as.empty()) return UsageError("this command needs --as NAME (or RAAKVLAK_AS)");
  RAAKVLAK_ASSIGN_OR_RETURN(const Region region, LoadRegion(options.region));
  RAAKVLAK_ASSIGN_OR_RETURN(context.identity, FindIdentity(region, options.as));
  const std::unique_ptr<Services> services = environment.make_services(region, *context.identity);
  context.region = &region;
  context.services = services.get();
  return commands.selected()(context);
}

}  // namespace

void BuildCommandLine(CLI::App& app, GlobalOptions& options, Commands& commands) {
  app.description(
      "Raakvlak: find out together whom you worry about, without showing each other your records.");
  app.set_version_flag("--version", "raakvlak " RAAKVLAK_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--region", options.region, "Region file: addresses, identities, covenant, roster")
      ->envname("RAAKVLAK_REGION")
      ->type_name("FILE");
  app.add_option("--as", options.as, "Who you are: a name under \"identities\" of the region file")
      ->envname("RAAKVLAK_AS")
      ->type_name("NAME");
  app.add_flag("--json", options.json, "Print JSON instead of tables; errors too, on standard error");
  app.add_flag("--progress", options.progress, "Show progress also when standard error is no terminal");
  app.footer(
      "Exit codes: 0 ok, 1 error (also: some rows rejected), 2 usage, 3 denied, 4 not found, 5 verification "
      "failed.\n\n"
      "Examples:\n"
      "  raakvlak --region region.json --as politie signal push politie.csv\n"
      "  raakvlak --region region.json --as staff match list\n"
      "  raakvlak --region region.json --as officer audit list --action open\n"
      "  raakvlak --region region.json --as officer audit verify\n");
  AddSignalCommands(commands);
  AddMatchCommands(commands);
  AddAuditCommands(commands);
  AddCovenantCommands(commands);
  AddRosterCommands(commands);
  AddAddressesCommands(commands);
  AddKeyCommands(commands);
  AddLinkageCommands(commands);
}

ExitCode RunRaakvlak(std::vector<std::string> arguments, const Environment& environment) {
  CLI::App app;
  app.name("raakvlak");
  GlobalOptions options;
  Commands commands(app);
  BuildCommandLine(app, options, commands);
  // Before parsing, which may fail before it comes to the flag.
  const bool as_json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    if (as_json && error.get_exit_code() != 0) {
      PrintError(UsageError(error.what()), as_json, environment.err);
      return ExitCode::kUsage;
    }
    return app.exit(error, environment.out, environment.err) == 0 ? ExitCode::kOk : ExitCode::kUsage;
  }
  const absl::StatusOr<ExitCode> result = RunSelected(options, commands, environment);
  environment.out.flush();
  if (result.ok() && !environment.out.good()) {
    environment.err << "raakvlak: standard output could not be written\n";
    return ExitCode::kError;
  }
  if (result.ok()) return *result;
  PrintError(result.status(), options.json, environment.err);
  return ExitCodeOf(result.status());
}

}  // namespace raakvlak::cli
