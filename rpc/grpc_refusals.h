// What gRPC would refuse by itself, without a reason and without an entry in the audit log: methods that no
// service has, and requests that are not a message of their method. Both become refusals like any other. So
// do two more, elsewhere: messages over the limit, since gRPC is given twice ours (rpc/server.h), and what
// cannot be read inside a stream (rpc/stream.h). Compressed messages are never decompressed: what arrives is
// not a message of its method, and MALFORMED.
//
// Still gRPC's alone, since gRPC 1.51 shows us nothing of it, so without an entry: a message over twice the
// limit (RESOURCE_EXHAUSTED; TOO_LARGE at a client of ours), headers over 8 KiB, more streams than a
// connection may have, what is not HTTP/2 or not gRPC, and a failed TLS handshake. grpc.health.v1 is gRPC's
// too and leaves no entries. Of all these the caller learns nothing.
//
// Thread safety: what is made here may be used from any thread; `environment` outlives it.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/server_interceptor.h>

#include <memory>

#include "rpc/call.h"

namespace raakvlak::rpc {

// How the audit log names a method that no service has: its real name is any text that a caller likes.
inline constexpr char kUnknownMethod[] = "unknown";

// MakeUnknownMethods returns a service for all methods that no other service has; the gate, which has no row
// for them, answers.
std::unique_ptr<grpc::CallbackGenericService> MakeUnknownMethods(const CallEnvironment& environment);

// MakeMalformedRequests returns an interceptor that answers MALFORMED for a request that gRPC could not read,
// when the caller may make the call; otherwise as Admit.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeMalformedRequests(
    const CallEnvironment& environment);

}  // namespace raakvlak::rpc
