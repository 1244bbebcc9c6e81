#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/agreement_io.h"
#include "cli/output.h"
#include "cli/policy_commands.h"
#include "cli/policy_publish.h"
#include "policy/roster.h"

namespace raakvlak::cli {
namespace {

struct NewOptions {
  std::string covenant;
  std::string from;
  std::string out;
  uint64_t number = 0;
  int days = 31;
};

struct RosterSignOptions {
  SignOptions sign;
  std::string covenant;
};

struct ShowOptions {
  std::string file;
  std::string covenant;
};

absl::StatusOr<ExitCode> New(const NewOptions& options, Context& context) {
  if (options.from.empty()) {
    RAAKVLAK_RETURN_IF_ERROR(WriteOutput(options.out, kRosterSample, context));
    return ExitCode::kOk;
  }
  if (options.covenant.empty()) return UsageError("roster new --from needs --covenant FILE");
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, ReadCovenant(options.covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string input,
                            base::ReadFile(options.from, crypto::note::kMaxNoteSize));
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::string text,
      NewRoster(input, *covenant, options.number, context.clock.Now(), absl::Hours(24) * options.days));
  RAAKVLAK_RETURN_IF_ERROR(WriteOutput(options.out, text, context));
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Sign(const RosterSignOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, ReadCovenant(options.covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto note, ReadAgreement(options.sign.in));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::Roster roster, policy::ParseRosterText(note.text));
  RAAKVLAK_RETURN_IF_ERROR(policy::CheckRoster(roster, *covenant));
  return SignAgreement(options.sign, note, policy::RosterSigners(roster, *covenant), context);
}

void PrintMembers(const v1::Roster& roster, std::ostream& out) {
  Table table({"MEMBER", "ROLES", "PURPOSES", "URN"});
  for (const v1::Member& member : roster.members()) {
    std::vector<std::string> roles;
    for (const int role : member.roles())
      roles.push_back(v1::MemberRole_Name(static_cast<v1::MemberRole>(role)));
    table.Add(
        {member.id(), absl::StrJoin(roles, ", "), absl::StrJoin(member.purposes(), ", "), member.urn()});
  }
  table.Print(out);
}

absl::StatusOr<ExitCode> Show(const ShowOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto note, ReadAgreement(options.file));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::Roster roster, policy::ParseRosterText(note.text));
  bool verified = false;
  if (!options.covenant.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, ReadCovenant(options.covenant));
    RAAKVLAK_ASSIGN_OR_RETURN(const auto checked,
                              policy::Roster::Verify(crypto::note::Format(note), *covenant));
    RAAKVLAK_RETURN_IF_ERROR(checked->CheckValidAt(context.clock.Now()));
    verified = true;
  }
  if (context.json) {
    PrintJson(context.out, {{"verified", verified}, {"roster", MessageJson(roster)}});
    return ExitCode::kOk;
  }
  context.out << "roster " << roster.number()
              << (verified ? ", verified" : ", not verified: give --covenant FILE") << "\n";
  PrintLine(context.out, "covenant", roster.covenant_id());
  PrintLine(context.out, "valid", absl::StrCat(roster.issued(), " until ", roster.expires()));
  PrintLine(context.out, "suspended partners",
            roster.suspended_partners().empty() ? "none" : absl::StrJoin(roster.suspended_partners(), ", "));
  context.out << "\n";
  PrintMembers(roster, context.out);
  return ExitCode::kOk;
}

}  // namespace

void AddRosterCommands(Commands& commands) {
  CLI::App& group = commands.Group("roster", "Who works at the hub, and which partners are suspended");

  auto new_options = std::make_shared<NewOptions>();
  CLI::App& make =
      commands.Add(group, "new", "Check a roster's text, date it and write it in its normal form, unsigned",
                   "raakvlak roster new > roster.textproto    # a commented sample to fill in\n"
                   "raakvlak roster new --covenant covenant.note --from roster.textproto --number 12 --days "
                   "31 --out roster.note",
                   Needs::kNothing, [new_options](Context& context) { return New(*new_options, context); });
  make.add_option("--from", new_options->from, "Text to check; without it, print a commented sample");
  make.add_option("--covenant", new_options->covenant, "Signed covenant that the roster is for");
  make.add_option("--number", new_options->number, "One more than the last roster's; default as in the text");
  make.add_option("--days", new_options->days, "Validity from now, at most 31")->check(CLI::Range(1, 31));
  make.add_option("--out", new_options->out, "New file to write; default standard output");

  auto sign_options = std::make_shared<RosterSignOptions>();
  CLI::App& sign = commands.Add(
      group, "sign", "Add one signature: the hub's, and with officers in it the coordinating officer's",
      "raakvlak roster sign --covenant covenant.note --in roster.note --key hub.pem "
      "--name urn:raakvlak:maastricht:hub:veiligheidshuis",
      Needs::kNothing, [sign_options](Context& context) { return Sign(*sign_options, context); });
  sign.add_option("--covenant", sign_options->covenant, "Signed covenant that the roster is for")->required();
  sign.add_option("--in", sign_options->sign.in, "Roster")->required();
  sign.add_option("--out", sign_options->sign.out, "New file to write; default the same file");
  sign.add_option("--key", sign_options->sign.key, "Ed25519 private key, PEM, mode 0600")->required();
  sign.add_option("--name", sign_options->sign.name, "URN of the hub, or of the coordinating officer")
      ->required();

  auto apply_file = std::make_shared<std::string>();
  CLI::App& apply = commands.Add(
      group, "apply", "Hand a signed roster to the broker, which hands it to every node and the hub",
      "raakvlak --region region.json --as operator-politie roster apply roster.note", Needs::kRegion,
      [apply_file](Context& context) -> absl::StatusOr<ExitCode> {
        auto published = PublishFile(*apply_file, context);
        if (base::ReasonOf(published.status()) != base::reason::kSignatureInvalid) return published;
        return base::Error(
            published.status().code(), base::reason::kSignatureInvalid,
            absl::StrCat(published.status().message(),
                         ": `raakvlak roster show --covenant FILE` names the one that is missing"));
      });
  apply.add_option("FILE", *apply_file, "Signed roster")->required();

  auto show_options = std::make_shared<ShowOptions>();
  CLI::App& show = commands.Add(group, "show", "Show a roster; with --covenant, verify it first",
                                "raakvlak roster show --covenant covenant.note roster.note", Needs::kNothing,
                                [show_options](Context& context) { return Show(*show_options, context); });
  show.add_option("FILE", show_options->file, "Roster")->required();
  show.add_option("--covenant", show_options->covenant, "Signed covenant that it must be for");
}

}  // namespace raakvlak::cli
