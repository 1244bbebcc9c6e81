// `raakvlak audit verify`, and what else needs a verified log. Thread safety: one thread.
#pragma once

#include <CLI/CLI.hpp>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "audit/html_report.h"
#include "cli/command.h"
#include "client/audit_client.h"
#include "policy/covenant.h"

namespace raakvlak::cli {

void AddVerifyCommand(Commands& commands, CLI::App& group);

// SourceOf fetches and verifies the newest log of the server, and says what a report was counted from.
// VERIFICATION_FAILED when it does not verify; errors of the server.
absl::StatusOr<audit::ReportSource> SourceOf(client::AuditClient& client, const policy::Covenant& covenant,
                                             absl::Time now);

}  // namespace raakvlak::cli
