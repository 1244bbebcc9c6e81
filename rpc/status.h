// The one table that maps our errors to gRPC and back. The code travels as the gRPC code, the reason as
// trailing metadata "raakvlak-reason", the message as the gRPC message (at most kMaxMessageSize bytes).
//
// VERIFICATION_FAILED and SIGNATURE_INVALID carry one fixed code and message each, so that cryptographic
// failures look the same to a peer. INTERNAL and STORAGE_FAILED tell a peer nothing but that.
//
// Thread safety: all functions are pure.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "absl/status/status.h"

namespace raakvlak::rpc {

inline constexpr char kReasonKey[] = "raakvlak-reason";
inline constexpr size_t kMaxMessageSize = 512;

// IsConcealed says whether a peer is shown a fixed text instead of the message, so that the log must keep it.
bool IsConcealed(const absl::Status& status);

grpc::Status ToGrpc(const absl::Status& status);

// FromGrpc reads the reason from the call's trailing metadata. Failures that gRPC made itself have none: a
// transport failure, or a call cut off, becomes UNAVAILABLE, a deadline DEADLINE_EXCEEDED, a message over a
// limit TOO_LARGE, anything else INTERNAL.
absl::Status FromGrpc(const grpc::Status& status, const grpc::ClientContext& context);

}  // namespace raakvlak::rpc
