// Handlers: the way from a gRPC callback to a core function and back.
//
// Every RPC of Raakvlak goes through Unary or ServeStream (rpc/stream.h): a deadline is required, no resumed
// TLS session, identity and table by the Gate, the size of the request, work on the Executor (a callback
// never blocks), errors by rpc/status.h. A refusal before the core runs is handed to the RefusalLog, so that
// it is in the audit log too; what the core refuses, the core logs.
//
// Thread safety: all functions may be called from any thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/executor.h"
#include "rpc/gate.h"
#include "rpc/status.h"

namespace raakvlak::rpc {

// How far away the deadline of a call, and that of a stream, may be.
inline constexpr absl::Duration kMaxDeadline = absl::Minutes(10);
inline constexpr absl::Duration kMaxStreamDeadline = absl::Hours(24);

// How large a request, or a message of a stream, may be.
inline constexpr size_t kMaxRequestBytes = 4 << 20;

struct Refusal {
  // The URN of the peer's certificate; its network when it has none, and `role` is empty then.
  std::string actor;
  std::string role;
  std::string method;
  // The network that the call came from (NetworkOf).
  std::string origin;
  std::string trace_id;
  absl::Status why;
};

// Where refusals go.
class RefusalLog {
 public:
  virtual ~RefusalLog() = default;
  // An entry of its own, for callers whom covenant or roster know. Durable when it returns; an error refuses
  // the call as STORAGE_FAILED instead.
  virtual absl::Status Refused(const Refusal& refusal) = 0;
  // Counted with others like it, for what may come in floods: strangers, and OVERLOADED. Never blocks: it is
  // called in gRPC's own threads too.
  virtual void Count(const Refusal& refusal) = 0;
};

// A condition of the whole process on calls that the gate permits.
class Condition {
 public:
  virtual ~Condition() = default;
  // Why `method` is not served now, or OK.
  virtual absl::Status Check(absl::string_view method) const = 0;
};

// What a service needs to handle calls. All outlive the service.
struct CallEnvironment {
  const Gate* gate = nullptr;
  base::Executor* executor = nullptr;
  RefusalLog* refusals = nullptr;
  size_t max_request_bytes = kMaxRequestBytes;
  const Condition* condition = nullptr;
};

// Admit runs the checks above for one call; on refusal it logs and returns why: DEADLINE_REQUIRED,
// UNAUTHENTICATED (also for a resumed session), errors of Gate::Check and of the condition, STORAGE_FAILED.
absl::StatusOr<Gate::Pass> Admit(const CallEnvironment& environment, const grpc::ServerContextBase& context,
                                 absl::string_view method, absl::Duration max_deadline = kMaxDeadline);

// RefuseRequest logs that the request of an admitted caller is refused, and returns `why`, or STORAGE_FAILED.
// For cores that do not log their refusals themselves too.
absl::Status RefuseRequest(const CallEnvironment& environment, const Gate::Pass& pass,
                           absl::string_view method, const absl::Status& why);

// Whether it is this process that failed, not the request: STORAGE_FAILED, INTERNAL.
bool IsOwnFailure(const absl::Status& status);

// What a request is that is no message of its method: MALFORMED.
absl::Status MalformedRequest();

// CheckSize refuses (TOO_LARGE, RefuseRequest) a request of more bytes than the environment allows.
absl::Status CheckSize(const CallEnvironment& environment, const Gate::Pass& pass, absl::string_view method,
                       size_t request_bytes);

// Finish adds the reason to the trailing metadata and returns the gRPC status; what the peer is not shown
// goes to the program's log. Once per call, before the reactor's Finish.
grpc::Status Finish(grpc::CallbackServerContext& context, absl::string_view method,
                    const absl::Status& status);

// Overloaded counts the refusal of a call that the executor does not take, and returns it: OVERLOADED. Never
// blocks.
absl::Status Overloaded(const CallEnvironment& environment, const grpc::ServerContextBase& context,
                        absl::string_view method);

// What answers one request: a function without gRPC in it.
template <typename Request, typename Response>
using Core = std::function<absl::Status(const Gate::Pass&, const Request&, Response&)>;

// CoreOf makes one of a method of `server`, which outlives it.
template <typename Server, typename Request, typename Response>
Core<Request, Response> CoreOf(Server& server, absl::StatusOr<Response> (Server::*method)(const Gate::Pass&,
                                                                                          const Request&)) {
  return [&server, method](const Gate::Pass& pass, const Request& in, Response& out) -> absl::Status {
    absl::StatusOr<Response> answer = (server.*method)(pass, in);
    if (answer.ok()) out = *std::move(answer);
    return answer.status();
  };
}

// AnswerOrRefuse takes the answer of a core that has no entry of its own for what it refuses; a refusal goes
// to RefuseRequest, unless IsOwnFailure.
template <typename Response>
absl::Status AnswerOrRefuse(const CallEnvironment& environment, const Gate::Pass& pass,
                            absl::string_view method, absl::StatusOr<Response> answer,
                            Response& out_response) {
  if (answer.ok()) {
    out_response = *std::move(answer);
    return absl::OkStatus();
  }
  if (IsOwnFailure(answer.status())) return answer.status();
  return RefuseRequest(environment, pass, method, answer.status());
}

// RefusingCoreOf is CoreOf with AnswerOrRefuse; `method` may be const. `name` is the name of the method; all
// of them outlive what is returned.
template <typename Server, typename Method>
auto RefusingCoreOf(const CallEnvironment& environment, const char* name, Server& server, Method method) {
  return [&environment, name, &server, method](const Gate::Pass& pass, const auto& in, auto& out) {
    return AnswerOrRefuse(environment, pass, name, (server.*method)(pass, in), out);
  };
}

// Unary runs `core` on the executor; not at all when the caller is gone by then. Request and response belong
// to gRPC until the reactor finishes.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* Unary(const CallEnvironment& environment, grpc::CallbackServerContext* context,
                                absl::string_view method, const Request* request, Response* response,
                                std::type_identity_t<Core<Request, Response>> core) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  auto work = [environment, context, name = std::string(method), request, response, reactor,
               core = std::move(core)] {
    const absl::StatusOr<Gate::Pass> pass = Admit(environment, *context, name);
    if (context->IsCancelled()) {
      reactor->Finish(grpc::Status::CANCELLED);
      return;
    }
    absl::Status status = pass.status();
    if (status.ok()) status = CheckSize(environment, *pass, name, request->ByteSizeLong());
    if (status.ok()) status = core(*pass, *request, *response);
    if (!status.ok()) response->Clear();
    reactor->Finish(Finish(*context, name, status));
  };
  if (!environment.executor->Post(std::move(work))) {
    reactor->Finish(Finish(*context, method, Overloaded(environment, *context, method)));
  }
  return reactor;
}

}  // namespace raakvlak::rpc
