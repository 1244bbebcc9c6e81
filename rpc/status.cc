#include "rpc/status.h"

#include "absl/strings/string_view.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::rpc {
namespace {

// What a peer sees of these, whatever code and message they have here.
struct Concealed {
  const char* reason;
  grpc::StatusCode code;
  const char* message;
};
constexpr Concealed kConcealed[] = {
    {base::reason::kVerificationFailed, grpc::StatusCode::FAILED_PRECONDITION, "verification failed"},
    {base::reason::kSignatureInvalid, grpc::StatusCode::PERMISSION_DENIED, "signature invalid"},
    {base::reason::kInternal, grpc::StatusCode::INTERNAL, "internal error"},
    {base::reason::kStorageFailed, grpc::StatusCode::UNAVAILABLE, "storage failed"},
};

const Concealed* FindConcealed(absl::string_view reason) {
  for (const Concealed& row : kConcealed) {
    if (reason == row.reason) return &row;
  }
  return nullptr;
}

bool IsReason(absl::string_view text) {
  if (text.empty() || text.size() > 64) return false;
  for (const char c : text) {
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

// gRPC percent-encodes messages into the 8 KiB that a peer takes as metadata.
std::string Shortened(absl::string_view message) { return std::string(message.substr(0, kMaxMessageSize)); }

const char* ReasonOfTransport(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:
      return base::reason::kUnavailable;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return base::reason::kDeadlineExceeded;
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return base::reason::kTooLarge;
    default:
      return base::reason::kInternal;
  }
}

}  // namespace

bool IsConcealed(const absl::Status& status) {
  return !status.ok() && FindConcealed(base::ReasonOf(status)) != nullptr;
}

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  if (const Concealed* row = FindConcealed(base::ReasonOf(status)); row != nullptr) {
    return grpc::Status(row->code, row->message);
  }
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), Shortened(status.message()));
}

absl::Status FromGrpc(const grpc::Status& status, const grpc::ClientContext& context) {
  if (status.ok()) return absl::OkStatus();
  // Codes of absl and gRPC have the same numbers; a peer may send any.
  const int number = status.error_code();
  const auto code =
      number >= 1 && number <= 16 ? static_cast<absl::StatusCode>(number) : absl::StatusCode::kUnknown;
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto found = trailing.find(kReasonKey);
  if (found != trailing.end()) {
    const absl::string_view reason(found->second.data(), found->second.size());
    if (IsReason(reason)) return base::Error(code, reason, Shortened(status.error_message()));
  }
  // None of our clients cancels, so a cancelled call is one that the other side or the network cut off.
  const auto shown = code == absl::StatusCode::kCancelled ? absl::StatusCode::kUnavailable : code;
  return base::Error(shown, ReasonOfTransport(status.error_code()), Shortened(status.error_message()));
}

}  // namespace raakvlak::rpc
