// Mutual TLS 1.3: credentials for servers and clients.
//
// gRPC 1.51 cannot be told to require TLS 1.3. PrepareProcess leaves TLS 1.2 without a usable cipher suite;
// SelfTest proves it on the running listener, and a server that fails it does not serve. Certificates may
// rotate: files are read when credentials are made, so a program takes new ones by a restart. It does NOT
// look at revocation lists: who is out is said by covenant and roster, on every call (rpc/gate.h).
//
// Thread safety: PrepareProcess before any other thread; the rest may be called from any thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::rpc {

// Call first in main(): sets the cipher suites by environment, the only way there is. It also sends gRPC's
// own log lines to base::Log (event "grpc"; a failed handshake of some peer is such a line, and each SelfTest
// makes two), and switches off the deadlock detector of Debian's Abseil, which aborts the process on a lock
// order it thinks wrong inside gRPC.
void PrepareProcess();

struct TlsFiles {
  std::string certificate;  // PEM chain, own certificate first
  std::string key;          // PEM, mode 0600
  std::string authority;    // PEM; every certificate in it is an anchor
};

// The server asks every client for a certificate of the authority. FILE_UNREADABLE, FILE_UNSAFE (the key),
// CONFIG_INVALID (a file does not parse, or key and certificate do not belong together).
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const TlsFiles& files);

// The client accepts only a server whose certificate has exactly one URI name, equal to `server_urn`; a
// matching host name is not enough. Errors as MakeServerCredentials.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeChannelCredentials(
    const TlsFiles& files, absl::string_view server_urn);

// SelfTest connects to `host`:`port` (an IPv4 address) twice: an offer of TLS 1.3 must be answered, one of
// TLS 1.2 refused before any certificate is asked. INTERNAL otherwise; UNAVAILABLE when it cannot connect.
// Takes at most 10 s.
absl::Status SelfTest(const std::string& host, int port);

}  // namespace raakvlak::rpc
