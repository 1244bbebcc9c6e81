#include "cli/audit_source.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::cli {
namespace {

constexpr uint32_t kPageSize = 1000;

}  // namespace

void AddLogOption(CLI::App& command, std::string& log) {
  command.add_option("--log", log, "Whose log: broker, hub, or a partner's node by its id")
      ->type_name("NAME")
      ->capture_default_str();
}

void AddFilterOptions(CLI::App& command, AuditFilterOptions& options) {
  AddLogOption(command, options.log);
  command.add_option("--actor", options.actor, "URN of who acted");
  command.add_option("--action", options.action,
                     "submit, withdraw, match_run, list, open, refuse, expire, audit_read ...");
  command.add_option("--purpose", options.purpose, "Purpose");
  command.add_option("--case", options.case_reference, "Case reference");
  command.add_option("--result", options.result, "OK or a reason code");
  command.add_option("--since", options.since, "From this day or time on (UTC unless it says otherwise)");
  command.add_option("--until", options.until, "Before this day or time");
}

absl::StatusOr<int64_t> ParseAuditTime(const std::string& option, const std::string& text) {
  if (text.empty()) return 0;
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &ignored) &&
      !absl::ParseTime("%Y-%m-%d", text, &time, &ignored)) {
    return UsageError(absl::StrCat(option, " takes 2026-05-12 or 2026-05-12T14:00:00+02:00"));
  }
  return absl::ToUnixMillis(time);
}

absl::StatusOr<v1::ListEntriesRequest> MakeListRequest(const AuditFilterOptions& options) {
  v1::ListEntriesRequest request;
  request.set_actor(options.actor);
  request.set_action(options.action);
  request.set_purpose(options.purpose);
  request.set_case_reference(options.case_reference);
  request.set_result(options.result);
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t from, ParseAuditTime("--since", options.since));
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t until, ParseAuditTime("--until", options.until));
  request.set_from_ms(from);
  request.set_until_ms(until);
  request.set_page_size(kPageSize);
  return request;
}

absl::Status ReadEntries(
    client::AuditClient& client, v1::ListEntriesRequest request,
    absl::FunctionRef<absl::StatusOr<bool>(const v1::LogEntry& entry, const audit::Record& record)> take) {
  do {
    const absl::StatusOr<v1::ListEntriesResponse> page = client.ListEntries(request, kAuditTimeout);
    if (!page.ok()) return FromPeer(page.status());
    for (const v1::LogEntry& entry : page->entries()) {
      RAAKVLAK_ASSIGN_OR_RETURN(const audit::Record record, audit::ReadEntry(entry));
      RAAKVLAK_ASSIGN_OR_RETURN(const bool more, take(entry, record));
      if (!more) return absl::OkStatus();
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<audit::Record>> ReadRecords(client::AuditClient& client,
                                                       const v1::ListEntriesRequest& request) {
  std::vector<audit::Record> records;
  RAAKVLAK_RETURN_IF_ERROR(ReadEntries(
      client, request, [&](const v1::LogEntry&, const audit::Record& record) -> absl::StatusOr<bool> {
        records.push_back(record);
        return true;
      }));
  return records;
}

absl::StatusOr<EntryPlace> ParseEntryPlace(const std::string& text, client::AuditClient& client) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  EntryPlace place;
  const bool with_year = parts.size() == 2;
  if (parts.size() > 2 || !absl::SimpleAtoi(parts.back(), &place.index) ||
      (with_year && !absl::SimpleAtoi(parts[0], &place.year))) {
    return UsageError("an entry is named by its year and index, 2026/12, or by its index alone");
  }
  if (with_year) return place;
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::LogInfo newest, FindLog(client, 0));
  place.year = newest.year();
  return place;
}

absl::StatusOr<v1::LogInfo> FindLog(client::AuditClient& client, uint32_t year) {
  const absl::StatusOr<v1::ListLogsResponse> logs = client.ListLogs({}, kAuditTimeout);
  if (!logs.ok()) return FromPeer(logs.status());
  for (int i = logs->logs_size() - 1; i >= 0; --i) {
    if (year == 0 || logs->logs(i).year() == year) return logs->logs(i);
  }
  return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound,
                     year == 0 ? "the server has no log yet" : absl::StrCat("no log of ", year));
}

}  // namespace raakvlak::cli
