#include "cli/audit_commands.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "cli/output.h"

namespace raakvlak::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr absl::Duration kTimeout = absl::Seconds(30);
constexpr uint32_t kMaxPageSize = 1000;

struct AuditOptions {
  std::string actor;
  std::string action;
  std::string purpose;
  std::string case_reference;
  std::string result;
  std::string since;
  std::string until;
  uint32_t limit = 100;
};

// ParseTime takes RFC 3339 or a day, which begins at midnight UTC; milliseconds since 1970, 0 for an empty
// text.
absl::StatusOr<int64_t> ParseTime(const std::string& option, const std::string& text) {
  if (text.empty()) return 0;
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &ignored) &&
      !absl::ParseTime("%Y-%m-%d", text, &time, &ignored)) {
    return UsageError(absl::StrCat(option, " takes 2026-05-12 or 2026-05-12T14:00:00+02:00"));
  }
  return absl::ToUnixMillis(time);
}

absl::StatusOr<v1::ListEntriesRequest> MakeRequest(const AuditOptions& options) {
  v1::ListEntriesRequest request;
  request.set_actor(options.actor);
  request.set_action(options.action);
  request.set_purpose(options.purpose);
  request.set_case_reference(options.case_reference);
  request.set_result(options.result);
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t from, ParseTime("--since", options.since));
  RAAKVLAK_ASSIGN_OR_RETURN(const int64_t until, ParseTime("--until", options.until));
  request.set_from_ms(from);
  request.set_until_ms(until);
  request.set_newest_first(true);
  return request;
}

// The newest `limit` entries that fit, oldest first.
absl::StatusOr<std::vector<v1::AuditEntry>> Fetch(const AuditOptions& options, client::AuditClient& audit) {
  RAAKVLAK_ASSIGN_OR_RETURN(v1::ListEntriesRequest request, MakeRequest(options));
  std::vector<v1::AuditEntry> entries;
  do {
    request.set_page_size(
        std::min<uint32_t>(kMaxPageSize, options.limit - static_cast<uint32_t>(entries.size())));
    const absl::StatusOr<v1::ListEntriesResponse> page = audit.ListEntries(request, kTimeout);
    if (!page.ok()) return FromPeer(page.status());
    for (const v1::AuditEntry& entry : page->entries()) {
      if (entries.size() < options.limit) entries.push_back(entry);
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty() && entries.size() < options.limit);
  std::reverse(entries.begin(), entries.end());
  return entries;
}

Json EntryJson(const v1::AuditEntry& entry) {
  return {{"index", entry.index()},           {"time", TimeText(entry.time_ms())},
          {"actor", entry.actor()},           {"role", entry.role()},
          {"action", entry.action()},         {"object", entry.object()},
          {"purpose", entry.purpose()},       {"legal_basis", entry.legal_basis()},
          {"case", entry.case_reference()},   {"reason", entry.reason()},
          {"result", entry.result()},         {"count", entry.count()},
          {"order_hash", entry.order_hash()}, {"policy", entry.policy()}};
}

absl::StatusOr<ExitCode> ListEntries(const AuditOptions& options, Context& context) {
  RAAKVLAK_RETURN_IF_ERROR(MakeRequest(options).status());
  RAAKVLAK_ASSIGN_OR_RETURN(const auto audit, context.services->Audit());
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<v1::AuditEntry> entries, Fetch(options, *audit));
  if (context.json) {
    Json list = Json::array();
    for (const v1::AuditEntry& entry : entries) list.push_back(EntryJson(entry));
    PrintJson(context.out, {{"entries", list}});
    return ExitCode::kOk;
  }
  Table table({"INDEX", "TIME", "ACTOR", "ACTION", "OBJECT", "PURPOSE", "CASE", "COUNT", "RESULT", "REASON"});
  for (const v1::AuditEntry& entry : entries) {
    table.Add({absl::StrCat(entry.index()), TimeText(entry.time_ms()), entry.actor(), entry.action(),
               entry.object(), entry.purpose(), entry.case_reference(), absl::StrCat(entry.count()),
               entry.result(), entry.reason()});
  }
  table.Print(context.out);
  return ExitCode::kOk;
}

}  // namespace

void AddAuditCommands(Commands& commands) {
  CLI::App& group = commands.Group("audit", "Read the log of who did what, when and why");
  auto options = std::make_shared<AuditOptions>();
  CLI::App& list = commands.Add(
      group, "list", "List entries of the broker's log, newest last; reading is an entry too",
      "raakvlak --region region.json --as officer audit list\n"
      "raakvlak --region region.json --as officer audit list --action open --case ZVH-2026-0042\n"
      "raakvlak --region region.json --as officer --json audit list --since 2026-05-01 --until 2026-06-01 "
      "--limit 10000",
      Needs::kRegion, [options](Context& context) { return ListEntries(*options, context); },
      "a Merkle log with cosigned checkpoints, and a command that verifies it without trusting the broker.");
  list.add_option("--actor", options->actor, "URN of who acted");
  list.add_option("--action", options->action,
                  "submit, withdraw, match_run, list, open, refuse, expire, audit_read ...");
  list.add_option("--purpose", options->purpose, "Purpose");
  list.add_option("--case", options->case_reference, "Case reference");
  list.add_option("--result", options->result, "OK or a reason code");
  list.add_option("--since", options->since, "From this day or time on (UTC unless it says otherwise)");
  list.add_option("--until", options->until, "Before this day or time");
  list.add_option("--limit", options->limit, "At most this many, the newest")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
}

}  // namespace raakvlak::cli
