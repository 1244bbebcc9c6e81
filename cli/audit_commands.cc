#include "cli/audit_commands.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "audit/export.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"
#include "cli/audit_report.h"
#include "cli/audit_source.h"
#include "cli/audit_verify.h"
#include "cli/output.h"
#include "policy/log_trust.h"

namespace raakvlak::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr unsigned kProofMode = 0600;

// list

struct ListOptions : AuditFilterOptions {
  uint32_t limit = 100;
};

std::vector<std::string> Cells(const audit::Record& record) {
  const v1::AuditDetails& details = record.details;
  return {audit::IdOf(record),
          TimeText(record.time_ms),
          record.erased ? "(erased)" : details.actor(),
          details.action(),
          details.object(),
          details.purpose(),
          details.case_reference(),
          absl::StrCat(details.count()),
          details.result(),
          details.reason()};
}

Table MakeTable() {
  return Table({"ID", "TIME", "ACTOR", "ACTION", "OBJECT", "PURPOSE", "CASE", "COUNT", "RESULT", "REASON"});
}

absl::StatusOr<ExitCode> ListEntries(const ListOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(v1::ListEntriesRequest request, MakeListRequest(options));
  request.set_newest_first(true);
  request.set_page_size(std::min(request.page_size(), options.limit));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto client, context.services->Audit(options.log));
  std::vector<audit::Record> records;
  RAAKVLAK_RETURN_IF_ERROR(ReadEntries(
      *client, request, [&](const v1::LogEntry&, const audit::Record& record) -> absl::StatusOr<bool> {
        records.push_back(record);
        return records.size() < options.limit;
      }));
  std::reverse(records.begin(), records.end());
  if (context.json) {
    Json list = Json::array();
    for (const audit::Record& record : records) list.push_back(audit::ToJson(record));
    PrintJson(context.out, {{"entries", list}});
    return ExitCode::kOk;
  }
  Table table = MakeTable();
  for (const audit::Record& record : records) table.Add(Cells(record));
  table.Print(context.out);
  return ExitCode::kOk;
}

// show

struct ShowOptions {
  std::string log = "broker";
  std::string id;
  std::string proof_file;
};

absl::StatusOr<ExitCode> ShowEntry(const ShowOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, context.services->Covenant());
  RAAKVLAK_ASSIGN_OR_RETURN(const auto client, context.services->Audit(options.log));
  RAAKVLAK_ASSIGN_OR_RETURN(const EntryPlace place, ParseEntryPlace(options.id, *client));
  v1::GetEntryRequest request;
  request.set_year(place.year);
  request.set_index(place.index);
  const absl::StatusOr<v1::GetEntryResponse> response = client->GetEntry(request, kAuditTimeout);
  if (!response.ok()) return FromPeer(response.status());
  RAAKVLAK_ASSIGN_OR_RETURN(const audit::Record record, audit::ReadEntry(response->entry()));
  const bool is_proven = !response->proof().empty();
  Json json = audit::ToJson(record);
  json["salt"] = base::Hex(response->entry().salt());
  json["leaf"] = base::Hex(response->entry().leaf());
  json["proven"] = is_proven;
  if (is_proven) {
    RAAKVLAK_ASSIGN_OR_RETURN(const policy::ProvenEntry proven,
                              policy::CheckLogProof(response->entry(), response->proof(), *covenant));
    if (!options.proof_file.empty()) {
      RAAKVLAK_RETURN_IF_ERROR(base::WriteFileAtomically(options.proof_file, response->proof(), kProofMode));
    }
    json["checkpoint_size"] = proven.proof.checkpoint.size;
    json["witnesses"] = policy::WitnessesOf(proven.trust, proven.proof);
    json["proof"] = response->proof();
  } else {
    json["no_proof_reason"] = response->no_proof_reason();
  }
  if (context.json) {
    PrintJson(context.out, json);
  } else {
    for (const auto& [name, value] : json.items()) {
      if (name == "proof") continue;
      const std::string text = value.is_string() ? value.get<std::string>() : JsonText(value);
      context.out << Printable(absl::StrCat(name, ": ", text)) << "\n";
    }
  }
  return is_proven ? ExitCode::kOk : ExitCode::kVerificationFailed;
}

// export

struct ExportOptions : AuditFilterOptions {
  std::string format = "csv";
  std::string out;
};

// The entry with all that is needed to check it again: what `audit verify --details` reads.
std::string EvidenceLine(const v1::LogEntry& entry) {
  return JsonText({{"log", entry.log()},
                   {"index", entry.index()},
                   {"time_ms", entry.time_ms()},
                   {"salt", base::Base64(entry.salt())},
                   {"details", base::Base64(entry.details())},
                   {"leaf", base::Base64(entry.leaf())}});
}

std::string ExportLine(const std::string& format, absl::string_view region, const v1::LogEntry& entry,
                       const audit::Record& record) {
  if (format == "csv") return audit::CsvRow(record);
  if (format == "jsonl") return absl::StrCat(JsonText(audit::ToJson(record)), "\n");
  if (format == "ldv") return absl::StrCat(JsonText(audit::ToLogboek(record, region)), "\n");
  return absl::StrCat(EvidenceLine(entry), "\n");
}

absl::StatusOr<ExitCode> ExportEntries(const ExportOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::ListEntriesRequest request, MakeListRequest(options));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, context.services->Covenant());
  RAAKVLAK_ASSIGN_OR_RETURN(const auto client, context.services->Audit(options.log));
  std::ofstream file;
  if (!options.out.empty()) {
    file.open(options.out, std::ios::binary | std::ios::trunc);
    if (!file) {
      return base::Error(absl::StatusCode::kUnavailable, base::reason::kFileUnreadable,
                         absl::StrCat(options.out, ": cannot be written"));
    }
  }
  std::ostream& out = options.out.empty() ? context.out : file;
  if (options.format == "csv") out << audit::CsvHeader();
  uint64_t written = 0;
  RAAKVLAK_RETURN_IF_ERROR(ReadEntries(
      *client, request, [&](const v1::LogEntry& entry, const audit::Record& record) -> absl::StatusOr<bool> {
        out << ExportLine(options.format, covenant->region(), entry, record);
        ++written;
        return true;
      }));
  out.flush();
  if (!out.good()) {
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                       "the export could not be written to its end");
  }
  if (options.out.empty()) return ExitCode::kOk;
  if (context.json) {
    PrintJson(context.out, {{"entries", written}, {"file", options.out}});
  } else {
    context.err << written << " entries written to " << options.out << "\n";
  }
  return ExitCode::kOk;
}

// watch

struct WatchOptions {
  std::string log = "broker";
  uint32_t seconds = 0;
  uint32_t every_ms = 1000;
};

void PrintNew(const audit::Record& record, Context& context, Table& table) {
  if (context.json) {
    context.out << JsonText(audit::ToJson(record)) << "\n";
  } else {
    table.Add(Cells(record));
    table.Print(context.out);
  }
}

absl::StatusOr<ExitCode> WatchEntries(const WatchOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto client, context.services->Audit(options.log));
  // A server takes no stream for longer than a day, and the last answer comes within its time.
  const absl::Duration longest = absl::Hours(24) - kAuditTimeout;
  const absl::Duration length =
      options.seconds == 0 ? longest : std::min(longest, absl::Seconds(options.seconds));
  const absl::Time end = context.clock.Now() + length;
  const auto stream = client->Watch(length + kAuditTimeout);
  Table table = MakeTable();
  std::string position;
  while (true) {
    const absl::StatusOr<v1::WatchResponse> response = stream->Next(position);
    if (!response.ok()) return FromPeer(response.status());
    for (const v1::LogEntry& entry : response->entries()) {
      RAAKVLAK_ASSIGN_OR_RETURN(const audit::Record record, audit::ReadEntry(entry));
      PrintNew(record, context, table);
    }
    context.out.flush();
    if (!context.out.good()) return ExitCode::kOk;  // whoever read it is gone
    position = response->position();
    const absl::Duration left = end - context.clock.Now();
    if (left <= absl::ZeroDuration()) return ExitCode::kOk;
    absl::SleepFor(std::min(left, absl::Milliseconds(options.every_ms)));
  }
}

}  // namespace

void AddAuditCommands(Commands& commands) {
  CLI::App& group = commands.Group("audit", "Read and verify the logs of who did what, when and why");

  auto list = std::make_shared<ListOptions>();
  CLI::App& list_command = commands.Add(
      group, "list", "List entries of a log, newest last; reading is an entry too",
      "raakvlak --region region.json --as officer audit list\n"
      "raakvlak --region region.json --as officer audit list --action open --case ZVH-2026-0042\n"
      "raakvlak --region region.json --as officer audit list --log hub\n"
      "raakvlak --region region.json --as officer --json audit list --since 2026-05-01 --until 2026-06-01 "
      "--limit 10000",
      Needs::kRegion, [list](Context& context) { return ListEntries(*list, context); });
  AddFilterOptions(list_command, *list);
  list_command.add_option("--limit", list->limit, "At most this many, the newest")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();

  auto show = std::make_shared<ShowOptions>();
  CLI::App& show_command = commands.Add(
      group, "show", "Show one entry, and prove that it stands in the log that the witnesses cosigned",
      "raakvlak --region region.json --as officer audit show 2026/60\n"
      "raakvlak --region region.json --as officer audit show 60 --proof entry-60.tlog-proof",
      Needs::kRegion, [show](Context& context) { return ShowEntry(*show, context); });
  show_command.add_option("ID", show->id, "Year and index, as list shows them")->required();
  show_command.add_option("--proof", show->proof_file, "Write the proof (C2SP tlog-proof) to this file");
  AddLogOption(show_command, show->log);

  AddVerifyCommand(commands, group);

  auto exported = std::make_shared<ExportOptions>();
  CLI::App& export_command = commands.Add(
      group, "export", "Write entries in a form that other tools read",
      "raakvlak --region region.json --as officer audit export --out log.csv\n"
      "raakvlak --region region.json --as officer audit export --format ldv --since 2026-05-01 --out "
      "may.jsonl\n"
      "raakvlak --region region.json --as officer audit export --format evidence --out details.jsonl",
      Needs::kRegion, [exported](Context& context) { return ExportEntries(*exported, context); });
  AddFilterOptions(export_command, *exported);
  export_command
      .add_option(
          "--format", exported->format,
          "csv; jsonl; ldv (Logboek Dataverwerkingen); evidence (with salts, for audit verify --details)")
      ->check(CLI::IsMember({"csv", "jsonl", "ldv", "evidence"}))
      ->capture_default_str();
  export_command.add_option("--out", exported->out, "File; standard output when not given");

  AddReportCommand(commands, group);

  auto watch = std::make_shared<WatchOptions>();
  CLI::App& watch_command =
      commands.Add(group, "watch", "Follow new entries until stopped",
                   "raakvlak --region region.json --as officer audit watch\n"
                   "raakvlak --region region.json --as officer --json audit watch --log hub --for 60",
                   Needs::kRegion, [watch](Context& context) { return WatchEntries(*watch, context); });
  AddLogOption(watch_command, watch->log);
  watch_command.add_option("--for", watch->seconds, "Stop after this many seconds; at most a day")
      ->check(CLI::Range(1, 86400));
  watch_command.add_option("--every-ms", watch->every_ms, "How often to ask")
      ->check(CLI::Range(100, 60000))
      ->capture_default_str();
}

}  // namespace raakvlak::cli
