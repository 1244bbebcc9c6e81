#include "rpc/call.h"

#include <chrono>
#include <vector>

#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::rpc {
namespace {

// gRPC rounds timeouts up on the wire.
constexpr absl::Duration kDeadlineSlack = absl::Seconds(2);

std::vector<std::string> PropertyValues(const grpc::ServerContextBase& context, const char* name) {
  std::vector<std::string> values;
  for (const grpc::string_ref& value : context.auth_context()->FindPropertyValues(name)) {
    values.emplace_back(value.data(), value.size());
  }
  return values;
}

absl::Status CheckDeadline(const grpc::ServerContextBase& context, absl::Duration max_deadline) {
  const std::chrono::system_clock::time_point deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max() ||
      absl::FromChrono(deadline) > absl::Now() + max_deadline + kDeadlineSlack) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kDeadlineRequired,
                       "the call needs a deadline that is not too far away");
  }
  return absl::OkStatus();
}

// Someone who holds a session ticket only was once a client; a full handshake shows the key.
absl::Status CheckSession(const grpc::ServerContextBase& context) {
  const std::vector<std::string> reused = PropertyValues(context, "ssl_session_reused");
  if (reused == std::vector<std::string>{"false"}) return absl::OkStatus();
  return base::Error(absl::StatusCode::kUnauthenticated, base::reason::kUnauthenticated,
                     "resumed TLS sessions are not taken");
}

absl::StatusOr<Gate::Pass> Check(const CallEnvironment& environment, const grpc::ServerContextBase& context,
                                 absl::string_view method, absl::Duration max_deadline,
                                 const std::vector<std::string>& names) {
  RAAKVLAK_RETURN_IF_ERROR(CheckDeadline(context, max_deadline));
  RAAKVLAK_RETURN_IF_ERROR(CheckSession(context));
  return environment.gate->Check(names, method);
}

}  // namespace

absl::StatusOr<Gate::Pass> Admit(const CallEnvironment& environment, const grpc::ServerContextBase& context,
                                 absl::string_view method, absl::Duration max_deadline) {
  const std::vector<std::string> names = PropertyValues(context, "peer_uri");
  absl::StatusOr<Gate::Pass> pass = Check(environment, context, method, max_deadline, names);
  if (pass.ok()) return pass;
  const absl::StatusOr<Caller> caller = ParseNames(names);
  const std::string actor = caller.ok() ? caller->urn : context.peer();
  const absl::string_view role = caller.ok() ? RoleName(caller->role) : "";
  const absl::Status logged = environment.refusals->Refused(actor, role, method, pass.status());
  if (logged.ok()) return pass;
  base::LogStatus(base::LogLevel::kError, "rpc.refusal_not_logged", logged,
                  {{"method", std::string(method)}});
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                     "the refusal cannot be logged");
}

grpc::Status Finish(grpc::CallbackServerContext& context, absl::string_view method,
                    const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  if (IsConcealed(status)) {
    base::LogStatus(base::LogLevel::kWarning, "rpc.failed", status, {{"method", std::string(method)}});
  }
  context.AddTrailingMetadata(kReasonKey, base::ReasonOf(status));
  return ToGrpc(status);
}

absl::Status Overloaded() {
  return base::Error(absl::StatusCode::kResourceExhausted, base::reason::kOverloaded,
                     "the server is busy; try again later");
}

}  // namespace raakvlak::rpc
