#include "cli/exit_code.h"

#include <string>

#include "absl/strings/cord.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::cli {
namespace {

namespace reason = base::reason;

constexpr char kUsageUrl[] = "raakvlak/usage";
constexpr char kPeerUrl[] = "raakvlak/peer";

struct ReasonRow {
  const char* reason;
  ExitCode exit_code;
};

constexpr ReasonRow kTable[] = {
    {reason::kUnauthenticated, ExitCode::kDenied},
    {reason::kNotAllowed, ExitCode::kDenied},
    {reason::kPartnerSuspended, ExitCode::kDenied},
    {reason::kClockSkew, ExitCode::kDenied},
    {reason::kReplayed, ExitCode::kDenied},
    {reason::kQuotaExceeded, ExitCode::kDenied},
    {reason::kPurposeNotAllowed, ExitCode::kDenied},
    {reason::kKindNotAllowed, ExitCode::kDenied},
    {reason::kBsnNotEntitled, ExitCode::kDenied},
    {reason::kNotFound, ExitCode::kNotFound},
    {reason::kSignatureInvalid, ExitCode::kVerificationFailed},
    {reason::kVerificationFailed, ExitCode::kVerificationFailed},
    {reason::kProofInvalid, ExitCode::kVerificationFailed},
    {reason::kQuorumMissing, ExitCode::kVerificationFailed},
    {reason::kLogDamaged, ExitCode::kVerificationFailed},
    {reason::kLogFork, ExitCode::kVerificationFailed},
    {reason::kLogRollback, ExitCode::kVerificationFailed},
    {reason::kThresholdNotMet, ExitCode::kVerificationFailed},
    {reason::kEnvelopeInvalid, ExitCode::kVerificationFailed},
    {reason::kCovenantInvalid, ExitCode::kVerificationFailed},
    {reason::kCovenantExpired, ExitCode::kVerificationFailed},
    {reason::kCovenantOutdated, ExitCode::kVerificationFailed},
    {reason::kCovenantMismatch, ExitCode::kVerificationFailed},
    {reason::kRosterInvalid, ExitCode::kVerificationFailed},
    {reason::kRosterExpired, ExitCode::kVerificationFailed},
    {reason::kRosterOutdated, ExitCode::kVerificationFailed},
    {reason::kExcludedListInvalid, ExitCode::kVerificationFailed},
    {reason::kExcludedListStale, ExitCode::kVerificationFailed},
    {reason::kKeysetInvalid, ExitCode::kVerificationFailed},
    {reason::kKeysetUnknown, ExitCode::kVerificationFailed},
    {reason::kKeysetOutdated, ExitCode::kVerificationFailed},
    {reason::kNeedsLaterVersion, ExitCode::kVerificationFailed},
};

}  // namespace

absl::Status UsageError(absl::string_view message) {
  absl::Status status = base::Error(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument, message);
  status.SetPayload(kUsageUrl, absl::Cord("1"));
  return status;
}

absl::Status FromPeer(absl::Status status) {
  if (!status.ok()) status.SetPayload(kPeerUrl, absl::Cord("1"));
  return status;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  if (status.GetPayload(kUsageUrl).has_value()) return ExitCode::kUsage;
  const std::string why = base::ReasonOf(status);
  if (why == reason::kSignatureInvalid && status.GetPayload(kPeerUrl).has_value()) return ExitCode::kDenied;
  for (const ReasonRow& row : kTable) {
    if (why == row.reason) return row.exit_code;
  }
  return ExitCode::kError;
}

}  // namespace raakvlak::cli
