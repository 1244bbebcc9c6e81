// Raw TLS connections with OpenSSL, for what gRPC's own client and server would not do.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <thread>

#include "rpc/tls.h"

namespace raakvlak::rpc {

// What came of one connection to 127.0.0.1.
struct RawResult {
  bool connected = false;  // TCP
  bool handshake = false;  // TLS, including that the server took our certificate
  std::string version;     // "TLSv1.3"
};

// Connects with the versions of TLS given; `files` == nullptr offers no certificate. Does not check the
// server.
RawResult ConnectRaw(int port, int min_version, int max_version, const TlsFiles* files);

// Takes TLS of the versions given on a free port of 127.0.0.1, closes each connection after its handshake.
class RawServer {
 public:
  RawServer(const TlsFiles& files, int min_version, int max_version);
  ~RawServer();
  int port() const { return port_; }

 private:
  struct ContextFree {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  void Serve();
  std::unique_ptr<SSL_CTX, ContextFree> context_;
  int listener_;
  int port_ = 0;
  std::thread thread_;
};

}  // namespace raakvlak::rpc
