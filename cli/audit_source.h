// Reading a log for the audit commands: options, filters, pages, and the check of every entry against what
// the log commits to. Thread safety: one thread.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "audit/record.h"
#include "cli/command.h"
#include "client/audit_client.h"
#include "raakvlak/v1/audit.pb.h"

namespace raakvlak::cli {

inline constexpr absl::Duration kAuditTimeout = absl::Seconds(30);

// What most audit commands take.
struct AuditFilterOptions {
  std::string log = "broker";
  std::string actor;
  std::string action;
  std::string purpose;
  std::string case_reference;
  std::string result;
  std::string since;
  std::string until;
};

// Adds --log, and the filters.
void AddLogOption(CLI::App& command, std::string& log);
void AddFilterOptions(CLI::App& command, AuditFilterOptions& options);

// ParseAuditTime takes RFC 3339 or a day, which begins at midnight UTC; milliseconds since 1970, 0 for an
// empty text. A usage error otherwise, naming `option`.
absl::StatusOr<int64_t> ParseAuditTime(const std::string& option, const std::string& text);

// MakeListRequest: a usage error for a time that is none.
absl::StatusOr<v1::ListEntriesRequest> MakeListRequest(const AuditFilterOptions& options);

// ReadEntries calls `take` for each entry that fits, in the order of the request, until it returns false.
// Errors of the server, of audit::ReadEntry (VERIFICATION_FAILED), and of `take`.
absl::Status ReadEntries(
    client::AuditClient& client, v1::ListEntriesRequest request,
    absl::FunctionRef<absl::StatusOr<bool>(const v1::LogEntry& entry, const audit::Record& record)> take);

// ReadRecords collects them.
absl::StatusOr<std::vector<audit::Record>> ReadRecords(client::AuditClient& client,
                                                       const v1::ListEntriesRequest& request);

// The place of an entry: "2026/12", or "12" for the newest log of the server. A usage error otherwise.
struct EntryPlace {
  uint32_t year = 0;
  uint64_t index = 0;
};
absl::StatusOr<EntryPlace> ParseEntryPlace(const std::string& text, client::AuditClient& client);

// The newest log of the server, or that of `year` when it is not 0. NOT_FOUND.
absl::StatusOr<v1::LogInfo> FindLog(client::AuditClient& client, uint32_t year);

}  // namespace raakvlak::cli
