// The one table that maps our errors to gRPC and back. The code travels as the gRPC code, the reason as trailing metadata
// "raakvlak-reason", the message as the gRPC message. VERIFICATION_FAILED and SIGNATURE_INVALID carry one fixed message each, so that
// cryptographic failures look the same to a peer. INTERNAL and STORAGE_FAILED tell a peer nothing but that.
//
// Thread safety: all functions are pure.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "absl/status/status.h"

namespace raakvlak::rpc {

inline constexpr char kReasonKey[] = "raakvlak-reason";

grpc::Status ToGrpc(const absl::Status& status);

// FromGrpc reads the reason from the call's trailing metadata. A transport failure without one becomes UNAVAILABLE, a deadline
// DEADLINE_EXCEEDED, anything else INTERNAL.
absl::Status FromGrpc(const grpc::Status& status, const grpc::ClientContext& context);

}  // namespace raakvlak::rpc
