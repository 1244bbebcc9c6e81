#include "cli/signal_commands.h"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "base/status.h"
#include "cli/output.h"
#include "cli/push_command.h"
#include "cli/row_reader.h"

namespace raakvlak::cli {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(30);
constexpr uint64_t kPageSize = 1000;

const std::map<std::string, v1::SignalState>& States() {
  static const std::map<std::string, v1::SignalState> states = {{"queued", v1::QUEUED},
                                                                {"submitted", v1::SUBMITTED},
                                                                {"refused", v1::REFUSED},
                                                                {"withdrawn", v1::WITHDRAWN},
                                                                {"expired", v1::EXPIRED}};
  return states;
}

std::string StateName(v1::SignalState state) {
  for (const auto& [name, known] : States()) {
    if (known == state) return name;
  }
  return "unknown";
}

nlohmann::ordered_json StatusJson(const v1::SignalStatus& status) {
  return {{"client_ref", status.client_ref()},
          {"signal_id", base::Hex(status.signal_id())},
          {"purpose", status.purpose()},
          {"state", StateName(status.state())},
          {"reason", status.reason()},
          {"received", TimeText(status.received_ms())},
          {"changed", TimeText(status.changed_ms())}};
}

Table StatusTable() { return Table({"CLIENT_REF", "PURPOSE", "STATE", "REASON", "RECEIVED", "CHANGED"}); }

void AddStatus(const v1::SignalStatus& status, Table& table) {
  table.Add({status.client_ref(), status.purpose(), StateName(status.state()), status.reason(),
             TimeText(status.received_ms()), TimeText(status.changed_ms())});
}

void PrintStatus(const v1::SignalStatus& status, Context& context) {
  if (context.json) {
    PrintJson(context.out, StatusJson(status));
    return;
  }
  Table table = StatusTable();
  AddStatus(status, table);
  table.Print(context.out);
}

absl::StatusOr<ExitCode> ShowStatus(const std::string& client_ref, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto intake, context.services->Intake());
  v1::GetStateRequest request;
  request.set_client_ref(client_ref);
  const absl::StatusOr<v1::GetStateResponse> response = intake->GetState(request, kTimeout);
  if (!response.ok()) return FromPeer(response.status());
  PrintStatus(response->status(), context);
  return ExitCode::kOk;
}

struct WithdrawOptions {
  std::string client_ref;
  std::string reason;
};

absl::StatusOr<ExitCode> Withdraw(const WithdrawOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto intake, context.services->Intake());
  v1::WithdrawRequest request;
  request.set_client_ref(options.client_ref);
  request.set_reason(options.reason);
  const absl::StatusOr<v1::WithdrawResponse> response = intake->Withdraw(request, kTimeout);
  if (!response.ok()) return FromPeer(response.status());
  PrintStatus(response->status(), context);
  return ExitCode::kOk;
}

struct ListOptions {
  std::string state;
  // 0: all.
  uint64_t limit = 0;
};

// Pages are printed as they come, so that a long list takes no memory.
absl::StatusOr<ExitCode> ListSignals(const ListOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto intake, context.services->Intake());
  v1::ListSignalsRequest request;
  if (!options.state.empty()) request.set_state(States().at(options.state));
  Table table = StatusTable();
  uint64_t shown = 0;
  do {
    const uint64_t wanted = options.limit == 0 ? kPageSize : std::min(options.limit - shown, kPageSize);
    request.set_page_size(static_cast<uint32_t>(wanted));
    const absl::StatusOr<v1::ListSignalsResponse> page = intake->ListSignals(request, kTimeout);
    if (!page.ok()) {
      const absl::Status error = FromPeer(page.status());
      // What was shown stays one JSON value, which says that it is not whole.
      if (context.json && !request.page_token().empty()) {
        context.out << "\n],\n\"error\": " << JsonText(ErrorJson(error)) << "}\n";
      }
      return error;
    }
    if (context.json && request.page_token().empty()) context.out << "{\"signals\": [";
    for (const v1::SignalStatus& status : page->signals()) {
      if (context.json) {
        context.out << (shown == 0 ? "\n" : ",\n") << JsonText(StatusJson(status));
      } else {
        AddStatus(status, table);
      }
      ++shown;
    }
    if (!context.json) table.Print(context.out);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && (options.limit == 0 || shown < options.limit));
  if (context.json) context.out << "\n]}\n";
  return ExitCode::kOk;
}

void AddPush(Commands& commands, CLI::App& group) {
  auto options = std::make_shared<PushOptions>();
  CLI::App& push = commands.Add(
      group, "push", "Push signals from files to the partner's own node",
      "raakvlak --region region.json --as politie signal push politie.csv\n"
      "raakvlak --region region.json --as politie --json signal push january.csv february.jsonl\n"
      "export-signals | raakvlak --region region.json --as politie signal push --format jsonl -",
      Needs::kRegion, [options](Context& context) { return PushFiles(*options, context); });
  push.footer(
      absl::StrCat("Files are CSV (RFC 4180, UTF-8, comma, header, any order of columns) or JSON lines "
                   "(.jsonl, .ndjson). Columns:\n"
                   "  ",
                   absl::StrJoin(Columns(), ", "),
                   "\nRequired are the first four and the fields of at least one linkage rule of the "
                   "purpose. kind is signal or\n"
                   "case_report, birth_date YYYY-MM-DD.\n\n"
                   "A rejected row is shown as file:line: column: reason code and stops no other row; then "
                   "the exit code is 1. The\n"
                   "same push can be run again safely: a row with the same client_ref and content counts as "
                   "known, other content\n"
                   "under a known client_ref is refused.\n\n",
                   push.get_footer()));
  push.add_option("FILE", options->files, "Files; - is standard input")->required()->type_name("");
  push.add_option("--format", options->format, "csv or jsonl; by default as the name of the file ends")
      ->check(CLI::IsMember({"csv", "jsonl"}));
}

}  // namespace

void AddSignalCommands(Commands& commands) {
  CLI::App& group =
      commands.Group("signal", "Push, withdraw and follow the signals of your own organisation");
  AddPush(commands, group);

  auto client_ref = std::make_shared<std::string>();
  CLI::App& status =
      commands.Add(group, "status", "Show the state of one signal",
                   "raakvlak --region region.json --as politie signal status P-2026-0017", Needs::kRegion,
                   [client_ref](Context& context) { return ShowStatus(*client_ref, context); });
  status.add_option("CLIENT_REF", *client_ref, "Your own reference of the signal")->required()->type_name("");

  auto withdrawal = std::make_shared<WithdrawOptions>();
  CLI::App& withdraw = commands.Add(
      group, "withdraw", "Withdraw a signal; withdrawing again is the same as once",
      "raakvlak --region region.json --as politie signal withdraw P-2026-0017 --reason risk_over",
      Needs::kRegion, [withdrawal](Context& context) { return Withdraw(*withdrawal, context); });
  withdraw.add_option("CLIENT_REF", withdrawal->client_ref, "Your own reference of the signal")
      ->required()
      ->type_name("");
  withdraw
      .add_option("--reason", withdrawal->reason,
                  "unjust: it should not have been sent; risk_over: the concern is gone")
      ->required()
      ->check(CLI::IsMember({"unjust", "risk_over"}));

  AddReceiptCommands(commands, group);

  auto options = std::make_shared<ListOptions>();
  CLI::App& list =
      commands.Add(group, "list", "List your signals, in order of arrival",
                   "raakvlak --region region.json --as politie signal list\n"
                   "raakvlak --region region.json --as politie --json signal list --state refused\n"
                   "raakvlak --region region.json --as politie signal list --state queued --limit 1",
                   Needs::kRegion, [options](Context& context) { return ListSignals(*options, context); });
  list.footer(
      absl::StrCat("A long list is printed as it comes. When it breaks off, the exit code is not 0, and with "
                   "--json the value\n"
                   "ends with a member \"error\" beside \"signals\".\n\n",
                   list.get_footer()));
  std::vector<std::string> names;
  for (const auto& [name, value] : States()) names.push_back(name);
  list.add_option("--state", options->state, "Only signals in this state")->check(CLI::IsMember(names));
  list.add_option("--limit", options->limit, "At most this many; all by default")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
}

}  // namespace raakvlak::cli
