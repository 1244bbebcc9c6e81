// CallUnary: what every method of every typed client (client/) does. Thread safety: may be called from any
// thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "rpc/status.h"

namespace raakvlak::rpc {

// SetDeadline gives the call `timeout` from now. It fails at once when the server cannot be reached: waiting
// is the caller's affair.
void SetDeadline(grpc::ClientContext& context, absl::Duration timeout);

// SetTraceId makes the call part of the trace of another, if `trace_id` is one (rpc/trace.h).
void SetTraceId(grpc::ClientContext& context, absl::string_view trace_id);

// Calls `method` of `stub` and waits. Errors as FromGrpc.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> CallUnary(
    Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
    const Request& request, absl::Duration timeout, absl::string_view trace_id = "") {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  SetTraceId(context, trace_id);
  Response response;
  const absl::Status status = FromGrpc((stub.*method)(&context, request, &response), context);
  if (!status.ok()) return status;
  return response;
}

}  // namespace raakvlak::rpc
