// Channels: how every client of ours connects. Deadlines are set by the typed clients (client/).
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rpc/tls.h"

namespace raakvlak::rpc {

// Largest message that a client of ours takes: what a server of ours sends at most.
inline constexpr int kMaxResponseBytes = 16 << 20;

// MakeChannel returns a lazily connecting channel to `address` ("127.0.0.1:7001") whose server must be
// `server_urn`. Reconnects by itself with a backoff of 0.1 to 0.2 s; keepalive 60 s; no proxy, no retries, no
// session cache. Errors as MakeChannelCredentials.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& address,
                                                           absl::string_view server_urn,
                                                           const TlsFiles& files);

}  // namespace raakvlak::rpc
