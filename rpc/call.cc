#include "rpc/call.h"

#include <chrono>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/random.h"
#include "base/reason.h"
#include "base/status.h"
#include "rpc/trace.h"

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

std::string ReadTraceId(const grpc::ServerContextBase& context) {
  const auto header = context.client_metadata().find(kTraceParentKey);
  base::SystemRandom random;
  if (header == context.client_metadata().end()) return TraceIdOf("", random);
  return TraceIdOf(absl::string_view(header->second.data(), header->second.size()), random);
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
  absl::StatusOr<Gate::Pass> pass = environment.gate->Check(names, method);
  if (!pass.ok() || environment.condition == nullptr) return pass;
  RAAKVLAK_RETURN_IF_ERROR(environment.condition->Check(method));
  return pass;
}

Refusal RefusalOf(const grpc::ServerContextBase& context, const std::vector<std::string>& names,
                  absl::string_view method, const absl::Status& why) {
  const absl::StatusOr<Caller> caller = ParseNames(names);
  const std::string network = NetworkOf(context.peer());
  if (!caller.ok()) return {network, "", std::string(method), network, ReadTraceId(context), why};
  return {caller->urn,          std::string(RoleName(caller->role)),
          std::string(method),  network,
          ReadTraceId(context), why};
}

// Returns why the call is refused: for `refusal`, or because that cannot be logged.
absl::Status Log(const CallEnvironment& environment, const Refusal& refusal) {
  const absl::Status logged = environment.refusals->Refused(refusal);
  if (logged.ok()) return refusal.why;
  base::LogStatus(base::LogLevel::kError, "rpc.refusal_not_logged", logged, {{"method", refusal.method}});
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                     "the refusal cannot be logged");
}

}  // namespace

absl::StatusOr<Gate::Pass> Admit(const CallEnvironment& environment, const grpc::ServerContextBase& context,
                                 absl::string_view method, absl::Duration max_deadline) {
  const std::vector<std::string> names = PropertyValues(context, "peer_uri");
  absl::StatusOr<Gate::Pass> pass = Check(environment, context, method, max_deadline, names);
  if (pass.ok()) {
    pass->origin = NetworkOf(context.peer());
    pass->trace_id = ReadTraceId(context);
    pass->deadline = absl::FromChrono(context.deadline());
    return pass;
  }
  const Refusal refusal = RefusalOf(context, names, method, pass.status());
  // A resumed session proves no identity.
  const bool known =
      base::ReasonOf(refusal.why) != base::reason::kUnauthenticated && environment.gate->Knows(names);
  if (known) return Log(environment, refusal);
  environment.refusals->Count(refusal);
  return pass;
}

absl::Status RefuseRequest(const CallEnvironment& environment, const Gate::Pass& pass,
                           absl::string_view method, const absl::Status& why) {
  return Log(environment, {pass.caller.urn, std::string(RoleName(pass.caller.role)), std::string(method),
                           pass.origin, pass.trace_id, why});
}

bool IsOwnFailure(const absl::Status& status) {
  const std::string why = base::ReasonOf(status);
  return why == base::reason::kStorageFailed || why == base::reason::kInternal;
}

absl::Status MalformedRequest() {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                     "the request is not a message of this method; compressed ones are not taken");
}

absl::Status CheckSize(const CallEnvironment& environment, const Gate::Pass& pass, absl::string_view method,
                       size_t request_bytes) {
  if (request_bytes <= environment.max_request_bytes) return absl::OkStatus();
  const absl::Status too_large =
      base::Error(absl::StatusCode::kResourceExhausted, base::reason::kTooLarge,
                  absl::StrCat("the request is over ", environment.max_request_bytes, " bytes"));
  return RefuseRequest(environment, pass, method, too_large);
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

absl::Status Overloaded(const CallEnvironment& environment, const grpc::ServerContextBase& context,
                        absl::string_view method) {
  const absl::Status overloaded = base::Error(absl::StatusCode::kResourceExhausted, base::reason::kOverloaded,
                                              "the server is busy; try again later");
  environment.refusals->Count(RefusalOf(context, PropertyValues(context, "peer_uri"), method, overloaded));
  return overloaded;
}

}  // namespace raakvlak::rpc
