// Server: one listener with mutual TLS, the limits that gRPC leaves open, health, and an orderly end.
//
// Limits: 4 MiB a message in (or as the environment says; gRPC itself cuts off at twice that), 16 MiB out,
// 100 streams a connection, 8 KiB metadata, handshake 5 s, keepalive 60 s / 20 s, connection age 15 min, idle
// 5 min; compressed messages are never decompressed, because 4 MiB of them can hold gigabytes, and so
// MALFORMED. Binds loopback addresses only unless allowed otherwise. grpc.health.v1 is served to everyone
// with a certificate of the authority, and leaves no entry in the log.
//
// It does NOT survive every malicious peer with a valid certificate: see the defects of gRPC 1.51 in
// SECURITY.md.
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

namespace grpc {
class CallbackGenericService;
}  // namespace grpc

namespace raakvlak::rpc {

struct CallEnvironment;

class Server {
 public:
  struct Options {
    // An IPv4 address and a port; "127.0.0.1:0" takes a free port.
    std::string listen;
    TlsFiles tls;
    int max_send_bytes = 16 << 20;
    // Allows an address that is not loopback.
    bool reachable_from_network = false;
    // Refuses, with a reason and an entry, what gRPC would refuse silently (rpc/grpc_refusals.h); gives the
    // limit of a message. Required; outlives the server.
    const CallEnvironment* environment = nullptr;
  };
  // Builds, starts and self-tests. CONFIG_INVALID for an address that is not loopback or cannot be bound;
  // errors of MakeServerCredentials; INTERNAL when TLS 1.2 is accepted. REQUIRES: an environment, and at
  // least one service; they outlive the server.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options,
                                                       const std::vector<grpc::Service*>& services);
  // Shuts down without grace if that was not done.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const { return port_; }
  // "127.0.0.1:<port>"
  std::string address() const;

  // What grpc.health.v1 answers from now on for the service `name`; of a name that was never set it knows
  // nothing. The server as a whole, the empty name, is served until Shutdown.
  void SetHealth(const std::string& name, bool serving);

  // Says NOT_SERVING, stops accepting, lets running calls finish for `grace`, then cancels them. Returns when
  // all handlers are done, so the services' executor must still run: drain it afterwards. May be called
  // twice.
  void Shutdown(absl::Duration grace);

 private:
  Server(std::unique_ptr<grpc::CallbackGenericService> unknown_methods, std::unique_ptr<grpc::Server> server,
         std::string host, int port);
  // Outlives server_.
  std::unique_ptr<grpc::CallbackGenericService> unknown_methods_;
  std::unique_ptr<grpc::Server> server_;
  std::string host_;
  int port_;
  bool shut_down_ = false;
};

}  // namespace raakvlak::rpc
