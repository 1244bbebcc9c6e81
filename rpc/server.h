// Server: one listener with mutual TLS, the limits that gRPC leaves open, health, and an orderly end.
//
// Limits: 1 MiB a message in (4 MiB for the broker's Submit and a holder's Evaluate), 16 MiB out, 100 streams a connection, 8 KiB metadata, handshake 5 s,
// keepalive 60 s / 20 s, connection age 15 min. Binds loopback addresses only unless allowed otherwise. grpc.health.v1 is served to everyone with a
// certificate of the authority.
//
// Thread safety: Start once; Shutdown from one thread; the rest from any.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rpc/tls.h"

namespace raakvlak::rpc {

class Server {
 public:
  struct Options {
    std::string listen;  // "127.0.0.1:0" takes a free port
    TlsFiles tls;
    int max_receive_bytes = 4 << 20;
    int max_send_bytes = 16 << 20;
  };
  // Builds, starts and self-tests. CONFIG_INVALID for an address that is not loopback or cannot be bound; errors of MakeServerCredentials; INTERNAL when
  // TLS 1.2 is accepted. The services outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options,
                                                       const std::vector<grpc::Service*>& services);
  ~Server();

  int port() const { return port_; }
  // "127.0.0.1:<port>"
  std::string address() const;

  // Says NOT_SERVING, stops accepting, lets running calls finish for `grace`, then cancels them.
  void Shutdown(absl::Duration grace);

 private:
  Server(std::unique_ptr<grpc::Server> server, std::string host, int port)
      : server_(std::move(server)), host_(std::move(host)), port_(port) {}
  std::unique_ptr<grpc::Server> server_;
  std::string host_;
  int port_;
};

}  // namespace raakvlak::rpc
