// What gRPC would refuse by itself, without a reason and without an entry in the audit log: methods that no
// service has, and requests that are not a message of their method. Both become refusals like any other.
//
// Still refused by gRPC alone: messages over the size limit (TOO_LARGE at a client of ours), compressed ones,
// and requests inside a stream that cannot be read, which end the stream.
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
