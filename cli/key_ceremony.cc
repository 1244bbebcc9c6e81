#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/ceremonies.h"
#include "cli/key_commands.h"
#include "cli/output.h"

namespace raakvlak::cli {
namespace {

constexpr char kMissingState[] = "missing";
constexpr char kInUseState[] = "in_use";

struct StartOptions {
  std::string kind;
  std::string purpose;
  std::string class_name;
  std::vector<std::string> contributors;
  bool all_missing = false;
  bool next = false;
  WaitOptions wait;
};

struct Wanted {
  v1::StartCeremonyRequest request;
  // Of the key; 0 when it was asked for by name: then the node says so when one is under way.
  uint32_t epoch = 0;
};

Wanted CeremonyFor(const v1::KeyStatus& key, const std::string& kind, bool next) {
  Wanted wanted;
  wanted.request.set_kind(kind);
  wanted.request.set_purpose(key.purpose());
  wanted.request.set_identifier_class(key.identifier_class());
  wanted.request.set_next_covenant(next);
  wanted.epoch = key.epoch();
  return wanted;
}

// Whether it is of the epoch that its covenant gives the purpose. Ceremonies are of that one only: a key of
// the epoch before, which is missing here, ends by itself.
bool IsOfNewestEpoch(const v1::KeyStatus& key, const v1::GetKeyStatusResponse& status) {
  return std::none_of(status.keys().begin(), status.keys().end(), [&](const v1::KeyStatus& other) {
    return other.purpose() == key.purpose() && other.identifier_class() == key.identifier_class() &&
           other.next_covenant() == key.next_covenant() && other.epoch() > key.epoch();
  });
}

// What it takes to have every key as the covenant wants it; for the one that waits for its date with --next.
std::vector<Wanted> AllMissing(const v1::GetKeyStatusResponse& status, const StartOptions& options) {
  std::vector<Wanted> requests;
  for (const v1::KeyStatus& key : status.keys()) {
    if (key.next_covenant() != options.next || !IsOfNewestEpoch(key, status)) continue;
    if (!options.purpose.empty() && key.purpose() != options.purpose) continue;
    if (!options.class_name.empty() && ClassName(key.identifier_class()) != options.class_name) continue;
    const std::string kind = key.state() == kMissingState ? "generate"
                             : key.reshare_wanted()       ? "reshare"
                                                          : "";
    if (kind.empty() || (!options.kind.empty() && kind != options.kind)) continue;
    requests.push_back(CeremonyFor(key, kind, options.next));
    for (const std::string& contributor : options.contributors) {
      if (kind == "reshare") requests.back().request.add_contributors(contributor);
    }
  }
  return requests;
}

// The ceremony of that key that is under way; nullptr when none is.
const v1::CeremonyState* UnderWay(const std::vector<v1::CeremonyState>& all, const Wanted& wanted) {
  for (const v1::CeremonyState& ceremony : all) {
    const std::string& state = ceremony.state();
    if (ceremony.purpose() == wanted.request.purpose() && ceremony.epoch() == wanted.epoch &&
        ceremony.identifier_class() == wanted.request.identifier_class() &&
        (state == "proposed" || state == "running" || state == "signing")) {
      return &ceremony;
    }
  }
  return nullptr;
}

// StartAll starts them one after the other, and takes one that is under way for its own; when one is refused,
// says which were started before.
absl::StatusOr<ExitCode> StartAll(Ceremonies& node, const std::vector<Wanted>& requests,
                                  const WaitOptions& wait, Context& context) {
  std::vector<v1::CeremonyState> all;
  if (std::any_of(requests.begin(), requests.end(), [](const Wanted& wanted) { return wanted.epoch != 0; })) {
    RAAKVLAK_ASSIGN_OR_RETURN(all, node.List());
  }
  std::vector<v1::CeremonyState> started;
  for (const Wanted& wanted : requests) {
    if (const v1::CeremonyState* there = UnderWay(all, wanted); there != nullptr) {
      started.push_back(*there);
      continue;
    }
    auto ceremony = node.Start(wanted.request);
    if (!ceremony.ok()) {
      if (!started.empty()) RAAKVLAK_RETURN_IF_ERROR(node.Finish(started, {}).status());
      return base::Annotate(ceremony.status(),
                            absl::StrCat(wanted.request.kind(), " ", wanted.request.purpose(), " ",
                                         ClassName(wanted.request.identifier_class())));
    }
    started.push_back(*std::move(ceremony));
  }
  if (started.empty() && !context.json) {
    context.out << "nothing to start: every key is as the covenant wants it\n";
    return ExitCode::kOk;
  }
  return node.Finish(std::move(started), wait);
}

absl::StatusOr<ExitCode> StartCeremonies(const StartOptions& options, Context& context) {
  if (options.all_missing) {
    RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
    RAAKVLAK_ASSIGN_OR_RETURN(const v1::GetKeyStatusResponse status, node.Status());
    return StartAll(node, AllMissing(status, options), options.wait, context);
  }
  if (options.purpose.empty() || options.class_name.empty())
    return UsageError("give --purpose and --class, or --all-missing");
  v1::StartCeremonyRequest request;
  request.set_kind(options.kind.empty() ? "generate" : options.kind);
  if (!options.contributors.empty() && request.kind() != "reshare")
    return UsageError("--contributors goes with --kind reshare");
  request.set_purpose(options.purpose);
  request.set_identifier_class(ClassOf(options.class_name));
  for (const std::string& contributor : options.contributors) request.add_contributors(contributor);
  request.set_next_covenant(options.next);
  RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
  return StartAll(node, {Wanted{.request = request}}, options.wait, context);
}

struct ApproveOptions {
  std::vector<std::string> ids;
  bool all = false;
  WaitOptions wait;
};

absl::StatusOr<ExitCode> Approve(const ApproveOptions& options, Context& context) {
  if (options.all != options.ids.empty()) return UsageError("give ids of ceremonies, or --all");
  RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
  std::vector<v1::CeremonyState> wanted;
  if (options.all) {
    RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<v1::CeremonyState> all, node.List());
    for (const v1::CeremonyState& ceremony : all) {
      if (ceremony.state() == "proposed") wanted.push_back(ceremony);
    }
    if (wanted.empty() && !context.json) {
      context.out
          << "nothing to approve: no ceremony is proposed here. A node hears of one within a second or two\n";
      return ExitCode::kOk;
    }
    if (!context.json) {
      context.out << "approving " << wanted.size() << "\n";
      for (const v1::CeremonyState& ceremony : wanted) PrintCeremony(ceremony, context.out);
      context.out << "\n";
      context.out.flush();
    }
  }
  for (const std::string& id : options.ids) {
    RAAKVLAK_ASSIGN_OR_RETURN(v1::CeremonyState ceremony, node.Find(id));
    wanted.push_back(std::move(ceremony));
  }
  std::vector<v1::CeremonyState> approved;
  for (const v1::CeremonyState& ceremony : wanted) {
    auto now = node.Approve(ceremony.ceremony_id());
    if (now.ok()) {
      approved.push_back(*std::move(now));
      continue;
    }
    const absl::Status refused = base::Annotate(
        now.status(), absl::StrCat("ceremony ", base::Hex(ceremony.ceremony_id()).substr(0, 12)));
    // This node hears that others stopped a ceremony only when it is to take part: the rest goes on.
    if (!options.all || base::ReasonOf(refused) != base::reason::kAlreadyEnded) return refused;
    if (!context.json) context.err << "passed over: " << Printable(std::string(refused.message())) << "\n";
  }
  return node.Finish(std::move(approved), options.wait);
}

struct ShowOneOptions {
  std::string id;
};

ExitCode PrintOne(const v1::CeremonyState& ceremony, Context& context) {
  if (context.json) {
    PrintJson(context.out, CeremonyJson(ceremony));
  } else {
    PrintCeremony(ceremony, context.out);
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ShowCeremony(const ShowOneOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::CeremonyState ceremony, node.Find(options.id));
  return PrintOne(ceremony, context);
}

absl::StatusOr<ExitCode> GiveUp(const ShowOneOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::CeremonyState ceremony, node.Find(options.id));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::CeremonyState stopped, node.GiveUp(ceremony.ceremony_id()));
  return PrintOne(stopped, context);
}

absl::StatusOr<ExitCode> ListAll(Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<v1::CeremonyState> all, node.List());
  if (context.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const v1::CeremonyState& ceremony : all) list.push_back(CeremonyJson(ceremony));
    PrintJson(context.out, {{"ceremonies", list}});
  } else {
    PrintCeremonies(all, context.out);
  }
  return ExitCode::kOk;
}

struct RefreshOptions {
  std::string purpose;
  std::string class_name;
  bool all = false;
  WaitOptions wait;
};

absl::StatusOr<ExitCode> Refresh(const RefreshOptions& options, Context& context) {
  const bool one = !options.purpose.empty() && !options.class_name.empty();
  if (options.all ? !options.purpose.empty() || !options.class_name.empty() : !one)
    return UsageError("give --purpose and --class, or --all");
  RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
  std::vector<Wanted> requests;
  if (one) {
    v1::KeyStatus key;
    key.set_purpose(options.purpose);
    key.set_identifier_class(ClassOf(options.class_name));
    requests.push_back(CeremonyFor(key, "refresh", /*next=*/false));
  } else {
    RAAKVLAK_ASSIGN_OR_RETURN(const v1::GetKeyStatusResponse status, node.Status());
    for (const v1::KeyStatus& key : status.keys()) {
      if (key.state() == kInUseState) requests.push_back(CeremonyFor(key, "refresh", /*next=*/false));
    }
  }
  return StartAll(node, requests, options.wait, context);
}

struct RotateOptions {
  std::string purpose;
  WaitOptions wait;
};

// A new epoch is in the signed text of a covenant: nothing can be rotated without one.
absl::Status NoNewEpoch(const RotateOptions& options, const v1::GetKeyStatusResponse& status) {
  const std::string purpose = options.purpose.empty() ? "PURPOSE" : options.purpose;
  const std::string found = status.next_covenant() == 0
                                ? std::string("no covenant waits for its date")
                                : absl::StrCat("covenant ", status.next_covenant(), ", which waits for ",
                                               status.next_valid_from(), ", does not raise the epoch",
                                               options.purpose.empty() ? "" : " of ", options.purpose);
  return base::Error(
      absl::StatusCode::kNotFound, base::reason::kNotFound,
      absl::StrCat(found, ": make one with `raakvlak covenant new --previous covenant.note --next-epoch ",
                   purpose, " --seal-key ", purpose,
                   "=PUBLIC_KEY --out next.note` and the public part of a new seal key of the hub, have all "
                   "partners and the hub sign it (`covenant sign`), hand it to "
                   "all with `covenant apply next.note`, and run this command again"));
}

absl::StatusOr<ExitCode> Rotate(const RotateOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(Ceremonies node, Ceremonies::Create(context));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::GetKeyStatusResponse status, node.Status());
  std::vector<Wanted> requests;
  bool raised = false;
  for (const v1::KeyStatus& key : status.keys()) {
    if (!options.purpose.empty() && key.purpose() != options.purpose) continue;
    const bool missing = key.state() == kMissingState && IsOfNewestEpoch(key, status);
    raised = raised || key.next_covenant() || missing;
    if (missing) requests.push_back(CeremonyFor(key, "generate", key.next_covenant()));
  }
  if (!raised) return NoNewEpoch(options, status);
  if (requests.empty() && !context.json) {
    context.out << "the keys of the new epoch are made; it begins at " << Printable(status.next_valid_from())
                << "\n";
    return ExitCode::kOk;
  }
  return StartAll(node, requests, options.wait, context);
}

void AddStart(Commands& commands, CLI::App& group) {
  auto options = std::make_shared<StartOptions>();
  CLI::App& start = commands.Add(
      group, "start",
      "Propose a ceremony to all nodes, and approve it for your own. It begins when the operator of every "
      "member has approved it",
      "raakvlak --region region.json --as operator-politie key ceremony start --all-missing\n"
      "raakvlak --region region.json --as operator-politie key ceremony start --purpose risicojeugd --class "
      "BSN --wait\n"
      "raakvlak --region region.json --as operator-politie key ceremony start --kind reshare --purpose "
      "risicojeugd --class BSN --contributors politie,gemeente,jeugdzorg",
      Needs::kRegion, [options](Context& context) { return StartCeremonies(*options, context); });
  start
      .add_option("--kind", options->kind,
                  "generate (a new key; the default), refresh (same key and holders, new shares) or reshare "
                  "(same key, other holders or quorum)")
      ->check(CLI::IsMember({"generate", "refresh", "reshare"}));
  start.add_option("--purpose", options->purpose, "Purpose of the key");
  AddClassOption(start, options->class_name);
  start.add_flag(
      "--all-missing", options->all_missing,
      "Generate each key that is missing, and reshare each that the covenant wants held by others");
  start.add_flag("--next", options->next,
                 "For the covenant that waits for its date, in place of the one in force");
  start
      .add_option("--contributors", options->contributors,
                  "Reshare: who contributes, as many as the quorum; default those that are online")
      ->delimiter(',');
  AddWaitOptions(start, options->wait);
}

void AddApprove(Commands& commands, CLI::App& group) {
  auto options = std::make_shared<ApproveOptions>();
  CLI::App& approve = commands.Add(
      group, "approve",
      "Let your node take part. It has checked that the ceremony is what the covenant says; you check that "
      "you know why it is held",
      "raakvlak --region region.json --as operator-gemeente key ceremony approve 3f2ac81b\n"
      "raakvlak --region region.json --as operator-gemeente key ceremony approve --all --wait",
      Needs::kRegion, [options](Context& context) { return Approve(*options, context); });
  approve.add_option("CEREMONY", options->ids, "Ids, or what they start with");
  approve.add_flag("--all", options->all, "All that are proposed; prints them first");
  AddWaitOptions(approve, options->wait);
}

}  // namespace

void AddKeyCeremonyCommands(Commands& commands, CLI::App& group) {
  CLI::App& ceremony = commands.Group(group, "ceremony", "Keys that the nodes make together");
  AddStart(commands, ceremony);
  AddApprove(commands, ceremony);

  auto show = std::make_shared<ShowOneOptions>();
  CLI::App& show_command = commands.Add(
      ceremony, "show",
      "Show a ceremony: its members, its step, who is waited for, the code to compare by telephone; when it "
      "was stopped, by whom, at which check, and whether that is proven",
      "raakvlak --region region.json --as operator-politie key ceremony show 3f2ac81b", Needs::kRegion,
      [show](Context& context) { return ShowCeremony(*show, context); });
  show_command.add_option("CEREMONY", show->id, "Id, or what it starts with")->required();

  commands.Add(ceremony, "list", "List the ceremonies of the last 90 days, oldest first",
               "raakvlak --region region.json --as operator-politie key ceremony list", Needs::kRegion,
               [](Context& context) { return ListAll(context); });

  auto give_up = std::make_shared<ShowOneOptions>();
  CLI::App& give_up_command = commands.Add(
      ceremony, "give-up",
      "Stop a ceremony for all, naming who is waited for. Nothing of it was in use; a new one can be started",
      "raakvlak --region region.json --as operator-politie key ceremony give-up 3f2ac81b", Needs::kRegion,
      [give_up](Context& context) { return GiveUp(*give_up, context); });
  give_up_command.add_option("CEREMONY", give_up->id, "Id, or what it starts with")->required();

  auto refresh = std::make_shared<RefreshOptions>();
  CLI::App& refresh_command = commands.Add(
      group, "refresh",
      "Start a ceremony that makes new shares of the same key: shares that leaked before are worth nothing "
      "with the new ones",
      "raakvlak --region region.json --as operator-politie key refresh --purpose risicojeugd --class BSN\n"
      "raakvlak --region region.json --as operator-politie key refresh --all --wait",
      Needs::kRegion, [refresh](Context& context) { return Refresh(*refresh, context); });
  refresh_command.add_option("--purpose", refresh->purpose, "Purpose of the key");
  AddClassOption(refresh_command, refresh->class_name);
  refresh_command.add_flag("--all", refresh->all, "Every key that is in use");
  AddWaitOptions(refresh_command, refresh->wait);

  auto rotate = std::make_shared<RotateOptions>();
  CLI::App& rotate_command = commands.Add(
      group, "rotate",
      "Start the ceremonies of a new epoch: new keys for what the signed covenant that waits for its date "
      "raises the epoch of. Without such a covenant, say how to make one",
      "raakvlak --region region.json --as operator-politie key rotate --wait\n"
      "raakvlak --region region.json --as operator-politie key rotate --purpose risicojeugd",
      Needs::kRegion, [rotate](Context& context) { return Rotate(*rotate, context); });
  rotate_command.add_option("--purpose", rotate->purpose, "Only this purpose");
  AddWaitOptions(rotate_command, rotate->wait);
}

}  // namespace raakvlak::cli
