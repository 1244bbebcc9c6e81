// Mutual TLS 1.3: credentials for servers and clients.
//
// gRPC 1.51 cannot be told to require TLS 1.3. RequireTls13 leaves TLS 1.2 without a usable cipher suite; SelfTest proves it on the
// running listener, and a server that fails it does not serve (docs/adr/). Session resumption is refused. Certificates may rotate: files are
// read when credentials are made; servers re-read them on SIGHUP by making new listeners' credentials.
//
// Thread safety: RequireTls13 before any other thread; the rest may be called from any thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::rpc {

// Call first in main(): sets the cipher suites, and switches off proxies and gRPC's own retries by environment where that is the only way.
void RequireTls13();

struct TlsFiles {
  std::string certificate;  // PEM chain, own certificate first
  std::string key;          // PEM, mode 0600
  std::string authority;    // PEM; every certificate in it is an anchor
};

// FILE_UNREADABLE, FILE_UNSAFE (the key), CONFIG_INVALID (key and certificate do not belong together).
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsFiles& files);

// The client accepts only a server whose certificate has exactly one URI name, equal to `server_urn`; a matching host name is not enough.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(const TlsFiles& files,
                                                                                 absl::string_view server_urn);

// SelfTest connects to 127.0.0.1:`port` with TLS 1.2 only and returns INTERNAL when the handshake succeeds.
absl::Status SelfTest(int port);

}  // namespace raakvlak::rpc
