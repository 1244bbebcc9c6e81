// Handlers: the way from a gRPC callback to a core function and back.
//
// Every RPC of Raakvlak goes through Unary or ServeStream (rpc/stream.h): a deadline is required, no resumed
// TLS session, identity and table by the Gate, work on the Executor (a callback never blocks), errors by
// rpc/status.h. A refusal before the core runs is handed to the RefusalLog, so that it is in the audit log
// too; OVERLOADED is not, since no thread is free to write it.
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

// Where refusals go. `actor` is the peer's URN, or its address when it has none; `role` is empty then.
class RefusalLog {
 public:
  virtual ~RefusalLog() = default;
  // Durable when it returns; an error refuses the call as STORAGE_FAILED instead.
  virtual absl::Status Refused(absl::string_view actor, absl::string_view role, absl::string_view method,
                               const absl::Status& why) = 0;
};

// What a service needs to handle calls. All outlive the service.
struct CallEnvironment {
  const Gate* gate = nullptr;
  base::Executor* executor = nullptr;
  RefusalLog* refusals = nullptr;
};

// Admit runs the checks above for one call; on refusal it logs and returns why: DEADLINE_REQUIRED,
// UNAUTHENTICATED (also for a resumed session), errors of Gate::Check, STORAGE_FAILED.
absl::StatusOr<Gate::Pass> Admit(const CallEnvironment& environment, const grpc::ServerContextBase& context,
                                 absl::string_view method, absl::Duration max_deadline = kMaxDeadline);

// Finish adds the reason to the trailing metadata and returns the gRPC status; what the peer is not shown
// goes to the program's log. Once per call, before the reactor's Finish.
grpc::Status Finish(grpc::CallbackServerContext& context, absl::string_view method,
                    const absl::Status& status);

// The answer when the executor takes no more work. OVERLOADED.
absl::Status Overloaded();

// What answers one request: a function without gRPC in it.
template <typename Request, typename Response>
using Core = std::function<absl::Status(const Gate::Pass&, const Request&, Response&)>;

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
    const absl::Status status = pass.ok() ? core(*pass, *request, *response) : pass.status();
    if (!status.ok()) response->Clear();
    reactor->Finish(Finish(*context, name, status));
  };
  if (!environment.executor->Post(std::move(work))) reactor->Finish(Finish(*context, method, Overloaded()));
  return reactor;
}

}  // namespace raakvlak::rpc
