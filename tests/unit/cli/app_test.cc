#include "cli/app.h"

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "tests/unit/cli/world.h"

namespace raakvlak::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using ::testing::StartsWith;
using testing::World;

class AppTest : public ::testing::Test {
 protected:
  World world_;
};

// All commands, as words.
void Collect(const CLI::App& app, std::vector<std::string> words,
             std::vector<std::vector<std::string>>& leaves) {
  const auto subcommands = app.get_subcommands([](const CLI::App*) { return true; });
  if (subcommands.empty() && !words.empty()) leaves.push_back(words);
  for (const CLI::App* subcommand : subcommands) {
    std::vector<std::string> longer = words;
    longer.push_back(subcommand->get_name());
    Collect(*subcommand, longer, leaves);
  }
}

std::vector<std::vector<std::string>> AllCommands() {
  CLI::App app;
  GlobalOptions options;
  Commands commands(app);
  BuildCommandLine(app, options, commands);
  std::vector<std::vector<std::string>> leaves;
  Collect(app, {}, leaves);
  return leaves;
}

TEST_F(AppTest, EveryCommandOfTheIssueIsThere) {
  std::vector<std::string> names;
  for (const auto& words : AllCommands()) names.push_back(absl::StrJoin(words, " "));
  EXPECT_THAT(names,
              ::testing::IsSupersetOf(
                  {"signal push",          "signal status",        "signal withdraw",   "signal list",
                   "match list",           "match open",           "audit list",        "covenant new",
                   "covenant sign",        "covenant verify",      "covenant show",     "covenant apply",
                   "covenant withdraw",    "roster apply",         "linkage explain",   "roster new",
                   "roster sign",          "roster show",          "key new",           "key status",
                   "key ceremony start",   "key ceremony approve", "key ceremony show", "key ceremony list",
                   "key ceremony give-up", "key refresh",          "key rotate",        "key backup",
                   "key restore"}));
}

TEST_F(AppTest, AppliedNoteIsHandedToTheBroker) {
  world_.Write("note", "the note");
  for (const char* group : {"covenant", "roster"}) {
    const Outcome applied = world_.RunAs("staff", {group, "apply", world_.path("note")});
    EXPECT_EQ(applied.exit_code, ExitCode::kOk) << applied.err;
    EXPECT_THAT(applied.out, HasSubstr(base::Hex(base::Sha256("the note"))));
  }
  EXPECT_THAT(world_.published, ::testing::ElementsAre("the note", "the note"));
  world_.publish_refusal =
      base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kCovenantOutdated, "too old");
  const Outcome refused = world_.RunAs("staff", {"covenant", "apply", world_.path("note")});
  EXPECT_NE(refused.exit_code, ExitCode::kOk);
  EXPECT_THAT(refused.err, HasSubstr("COVENANT_OUTDATED"));
}

TEST_F(AppTest, ARefusedNoteIsLookedAtHereForTheSignatureThatIsMissing) {
  world_.publish_refusal =
      base::Error(absl::StatusCode::kUnauthenticated, base::reason::kSignatureInvalid, "signature invalid");
  const std::string whole = *base::ReadFile(world_.covenant_path());
  world_.Write("note", whole.substr(0, whole.rfind("\n\n") + 1));
  EXPECT_THAT(world_.RunAs("staff", {"covenant", "apply", world_.path("note")}).err,
              HasSubstr("nobody has signed the covenant yet"));
  EXPECT_THAT(world_.RunAs("staff", {"roster", "apply", world_.path("note")}).err,
              HasSubstr("roster show --covenant"));
}

TEST_F(AppTest, HelpOfEveryCommandHasAnExampleThatNamesIt) {
  for (std::vector<std::string> words : AllCommands()) {
    const std::string name = absl::StrJoin(words, " ");
    words.push_back("--help");
    const Outcome help = world_.Run(words);
    EXPECT_EQ(help.exit_code, ExitCode::kOk) << name;
    EXPECT_THAT(help.out, HasSubstr("Examples:\n")) << name;
    EXPECT_THAT(help.out, HasSubstr(absl::StrCat(" ", name))) << name;
    EXPECT_THAT(help.err, IsEmpty()) << name;
  }
}

TEST_F(AppTest, HelpSaysWhatComesLater) {
  EXPECT_THAT(world_.Run({"match", "open", "--help"}).out,
              HasSubstr("In later versions: approval by a second person"));
  EXPECT_THAT(world_.Run({"match", "open", "--help"}).out, HasSubstr("no recent inventory"));
}

TEST_F(AppTest, HelpOfTheProgramNamesGroupsAndExitCodes) {
  const Outcome help = world_.Run({"--help"});
  EXPECT_EQ(help.exit_code, ExitCode::kOk);
  for (const char* word : {"signal", "match", "audit", "--region", "--as", "--json", "Exit codes: 0 ok"}) {
    EXPECT_THAT(help.out, HasSubstr(word));
  }
}

TEST_F(AppTest, WrongUsageIsToldAsJsonToo) {
  const Outcome outcome = world_.Run({"match", "open", "--json"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kUsage);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, StartsWith(R"({"error":{"reason":"INVALID_ARGUMENT","message":")"));
  EXPECT_EQ(world_.Run({"--json", "match", "open", "--help"}).exit_code, ExitCode::kOk);
}

TEST_F(AppTest, SamplesAreGivenAsJsonWhenAskedFor) {
  EXPECT_THAT(world_.Run({"--json", "covenant", "new"}).out, StartsWith("{\n  \"text\": \"# A covenant"));
  EXPECT_THAT(world_.Run({"--json", "roster", "new"}).out, StartsWith("{\n  \"text\": \""));
}

TEST_F(AppTest, VersionIsShown) { EXPECT_THAT(world_.Run({"--version"}).out, StartsWith("raakvlak 0.")); }

TEST_F(AppTest, AWrongCommandLineEndsWithTwoAndSaysWhy) {
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"signal"},
      {"nothing"},
      {"signal", "nothing"},
      {"--nothing", "signal", "list"},
      {"signal", "push"},
      {"signal", "push", "--format", "xml", "a.csv"},
      {"signal", "status"},
      {"signal", "withdraw", "A"},
      {"signal", "withdraw", "A", "--reason", "other"},
      {"signal", "list", "--state", "lost"},
      {"signal", "list", "extra"},
      {"match", "open", "abcd1234"},
      {"match", "open", "abcd1234", "--case", "C"},
      {"audit", "list", "--limit", "0"},
      {"audit", "list", "--limit", "x"},
  };
  for (const auto& arguments : wrong) {
    const Outcome outcome = world_.RunAs("staff", arguments);
    EXPECT_EQ(outcome.exit_code, ExitCode::kUsage) << absl::StrJoin(arguments, " ");
    EXPECT_THAT(outcome.err, Not(IsEmpty()));
    EXPECT_THAT(outcome.out, IsEmpty());
  }
}

TEST_F(AppTest, CommandsOfServersNeedRegionAndName) {
  Outcome outcome = world_.Run({"signal", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--region"));
  outcome = world_.Run({"--region", world_.path("region.json"), "signal", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--as"));
}

TEST_F(AppTest, AMissingRegionFileOrAnUnknownNameIsAnError) {
  EXPECT_EQ(world_.Run({"--region", world_.path("none"), "--as", "staff", "match", "list"}).exit_code,
            ExitCode::kError);
  const Outcome outcome = world_.RunAs("nobody", {"match", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_THAT(outcome.err, HasSubstr("CONFIG_INVALID"));
  EXPECT_THAT(outcome.err, HasSubstr("officer, operator-politie, politie, staff"));
}

TEST_F(AppTest, GlobalOptionsMayStandBehindTheCommandToo) {
  world_.away = base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "away");
  const Outcome outcome =
      world_.Run({"signal", "list", "--json", "--region", world_.path("region.json"), "--as", "politie"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kError);
  EXPECT_EQ(nlohmann::json::parse(outcome.err)["error"]["reason"], "UNAVAILABLE");
}

TEST_F(AppTest, ErrorsAreShownWithTheirReasonOnStandardError) {
  world_.away =
      base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed, "not\x1b[31m you");
  Outcome outcome = world_.RunAs("politie", {"signal", "list"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kDenied);
  EXPECT_EQ(outcome.err, "raakvlak: NOT_ALLOWED: not [31m you\n");
  EXPECT_THAT(outcome.out, IsEmpty());
}

TEST_F(AppTest, ABrokenOutputIsAnError) {
  world_.intake.on_list = [](const v1::ListSignalsRequest&) { return v1::ListSignalsResponse(); };
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  out.setstate(std::ios::badbit);
  World& world = world_;
  const Environment environment{
      in, out, err, world.clock, world.random, false, [&world](const Region&, const Identity&) {
        return world.MakeServices();
      }};
  EXPECT_EQ(
      RunRaakvlak({"--region", world.path("region.json"), "--as", "politie", "signal", "list"}, environment),
      ExitCode::kError);
  EXPECT_THAT(err.str(), HasSubstr("could not be written"));
}

}  // namespace
}  // namespace raakvlak::cli
