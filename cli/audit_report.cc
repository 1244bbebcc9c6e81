#include "cli/audit_report.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "audit/html_report.h"
#include "audit/report.h"
#include "base/file.h"
#include "base/status.h"
#include "cli/audit_source.h"
#include "cli/audit_verify.h"
#include "cli/output.h"

namespace raakvlak::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kDayMs = 24 * 60 * 60 * 1000;
constexpr unsigned kReportMode = 0600;

struct ReportCommandOptions {
  std::string log = "broker";
  std::string since;
  std::string until;
  std::string html;
  std::string language = "nl";
  int follow_up_days = 14;
};

Json CountsJson(const audit::Counts& counts) {
  return {{"opens", counts.opens},
          {"lists", counts.lists},
          {"audit_reads", counts.audit_reads},
          {"refusals", counts.refusals}};
}

Json ReportJson(const audit::Report& report) {
  Json json = {{"since", TimeText(report.options.from_ms)},
               {"until", TimeText(report.options.until_ms)},
               {"entries", report.entries},
               {"erased", report.erased},
               {"total", CountsJson(report.total)}};
  for (const char* list :
       {"purposes", "persons", "cases", "refusals", "without_follow_up", "unusual", "days"})
    json[list] = Json::array();
  for (const auto& row : report.purposes) {
    json["purposes"].push_back(
        {{"purpose", row.purpose}, {"counts", CountsJson(row.counts)}, {"persons", row.persons}});
  }
  for (const auto& row : report.persons) {
    json["persons"].push_back({{"actor", row.actor}, {"role", row.role}, {"counts", CountsJson(row.counts)}});
  }
  for (const auto& row : report.cases) {
    json["cases"].push_back({{"case", row.case_reference},
                             {"purpose", row.purpose},
                             {"counts", CountsJson(row.counts)},
                             {"persons", row.persons},
                             {"first", TimeText(row.first_ms)},
                             {"last", TimeText(row.last_ms)}});
  }
  for (const auto& row : report.refusals) {
    json["refusals"].push_back(
        {{"actor", row.actor}, {"object", row.object}, {"code", row.code}, {"count", row.count}});
  }
  for (const auto& row : report.without_follow_up) {
    json["without_follow_up"].push_back({{"log", row.log},
                                         {"index", row.index},
                                         {"time", TimeText(row.time_ms)},
                                         {"actor", row.actor},
                                         {"purpose", row.purpose},
                                         {"case", row.case_reference},
                                         {"match", row.match}});
  }
  for (const auto& row : report.unusual) {
    json["unusual"].push_back({{"actor", row.actor},
                               {"role", row.role},
                               {"action", row.action},
                               {"count", row.count},
                               {"why", audit::Explain(row)}});
  }
  for (const auto& row : report.days) {
    json["days"].push_back({{"day", absl::FormatCivilTime(row.day)}, {"counts", CountsJson(row.counts)}});
  }
  return json;
}

std::vector<std::string> CountCells(std::vector<std::string> cells, const audit::Counts& counts) {
  for (const uint64_t count : {counts.opens, counts.lists, counts.refusals})
    cells.push_back(absl::StrCat(count));
  return cells;
}

void PrintReport(const audit::Report& report, std::ostream& out) {
  out << TimeText(report.options.from_ms) << " to " << TimeText(report.options.until_ms) << ": "
      << report.entries << " entries, " << report.total.opens << " opened, " << report.total.lists
      << " listed, " << report.total.refusals << " refused\n";
  if (report.erased > 0) out << report.erased << " entries were erased at the end of their term\n";
  out << "\n";
  Table purposes({"PURPOSE", "OPENED", "LISTED", "REFUSED", "PERSONS"});
  for (const auto& row : report.purposes) {
    std::vector<std::string> cells = CountCells({row.purpose}, row.counts);
    cells.push_back(absl::StrCat(row.persons));
    purposes.Add(std::move(cells));
  }
  purposes.Print(out);
  out << "\n";
  Table persons({"PERSON", "ROLE", "OPENED", "LISTED", "REFUSED"});
  for (const auto& row : report.persons) persons.Add(CountCells({row.actor, row.role}, row.counts));
  persons.Print(out);
  out << "\n";
  Table cases({"CASE", "PURPOSE", "OPENED", "LISTED", "REFUSED", "FIRST", "LAST"});
  for (const auto& row : report.cases) {
    std::vector<std::string> cells = CountCells({row.case_reference, row.purpose}, row.counts);
    cells.push_back(TimeText(row.first_ms));
    cells.push_back(TimeText(row.last_ms));
    cases.Add(std::move(cells));
  }
  cases.Print(out);
  out << "\n";
  Table refusals({"REFUSED", "AT", "CODE", "COUNT"});
  for (const auto& row : report.refusals)
    refusals.Add({row.actor, row.object, row.code, absl::StrCat(row.count)});
  refusals.Print(out);
  out << "\nOpened without follow-up within " << report.options.follow_up_days
      << " days: " << report.without_follow_up.size() << "\n";
  for (const auto& row : report.without_follow_up) {
    out << "  "
        << Printable(absl::StrCat(row.index, "  ", TimeText(row.time_ms), "  ", row.actor, "  ", row.purpose,
                                  "  ", row.case_reference))
        << "\n";
  }
  out << "Unusual numbers (a reason to ask, and no proof): " << report.unusual.size() << "\n";
  for (const auto& row : report.unusual) {
    out << "  " << Printable(absl::StrCat(row.actor, ": ", audit::Explain(row))) << "\n";
  }
}

// By default the last whole 28 days and today.
absl::StatusOr<audit::ReportOptions> PeriodOf(const ReportCommandOptions& options, Context& context,
                                              const policy::Covenant& covenant) {
  audit::ReportOptions period;
  period.follow_up_days = options.follow_up_days;
  if (!absl::LoadTimeZone(covenant.text().time_zone(), &period.zone)) period.zone = absl::UTCTimeZone();
  RAAKVLAK_ASSIGN_OR_RETURN(period.from_ms, ParseAuditTime("--since", options.since));
  RAAKVLAK_ASSIGN_OR_RETURN(period.until_ms, ParseAuditTime("--until", options.until));
  if (period.until_ms == 0) period.until_ms = absl::ToUnixMillis(context.clock.Now());
  if (period.from_ms == 0) period.from_ms = period.until_ms - 28 * kDayMs;
  if (period.from_ms >= period.until_ms) return UsageError("--since is not before --until");
  return period;
}

absl::StatusOr<ExitCode> MakeReport(const ReportCommandOptions& options, Context& context) {
  RAAKVLAK_ASSIGN_OR_RETURN(const auto covenant, context.services->Covenant());
  RAAKVLAK_ASSIGN_OR_RETURN(const audit::ReportOptions period, PeriodOf(options, context, *covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(const auto client, context.services->Audit(options.log));
  v1::ListEntriesRequest request;
  const int64_t length = period.until_ms - period.from_ms;
  request.set_from_ms(std::max<int64_t>(1, period.from_ms - audit::kEarlierPeriods * length));
  request.set_page_size(1000);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<audit::Record> records, ReadRecords(*client, request));
  const audit::Report report = audit::MakeReport(records, period);
  if (!options.html.empty()) {
    RAAKVLAK_ASSIGN_OR_RETURN(const audit::ReportSource source,
                              SourceOf(*client, *covenant, context.clock.Now()));
    const auto language = options.language == "en" ? audit::Language::kEnglish : audit::Language::kDutch;
    RAAKVLAK_RETURN_IF_ERROR(
        base::WriteFileAtomically(options.html, audit::HtmlReport(report, source, language), kReportMode));
    if (!context.json) context.err << "written to " << options.html << "\n";
  }
  if (context.json) {
    PrintJson(context.out, ReportJson(report));
  } else if (options.html.empty()) {
    PrintReport(report, context.out);
  }
  return ExitCode::kOk;
}

}  // namespace

void AddReportCommand(Commands& commands, CLI::App& group) {
  auto report = std::make_shared<ReportCommandOptions>();
  CLI::App& report_command = commands.Add(
      group, "report", "Accesses per purpose, person and case; refusals; what stands out, and why",
      "raakvlak --region region.json --as officer audit report\n"
      "raakvlak --region region.json --as officer audit report --since 2026-05-01 --until 2026-06-01 --html "
      "may.html",
      Needs::kRegion, [report](Context& context) { return MakeReport(*report, context); });
  AddLogOption(report_command, report->log);
  report_command.add_option("--since", report->since,
                            "Begin of the period; 28 days before its end by default");
  report_command.add_option("--until", report->until, "End of the period; now by default");
  report_command.add_option("--html", report->html,
                            "Write it as one page with charts that opens without a network");
  report_command.add_option("--language", report->language, "Of the page")
      ->check(CLI::IsMember({"nl", "en"}))
      ->capture_default_str();
  report_command
      .add_option("--follow-up-days", report->follow_up_days,
                  "Within how many days an opening is followed up")
      ->check(CLI::Range(1, 365))
      ->capture_default_str();
}

}  // namespace raakvlak::cli
