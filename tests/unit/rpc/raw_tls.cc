#include "tests/unit/rpc/raw_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/status.h"

namespace raakvlak::rpc {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void SetVersions(SSL_CTX* context, int min_version, int max_version) {
  SSL_CTX_set_min_proto_version(context, min_version);
  SSL_CTX_set_max_proto_version(context, max_version);
}

void UseFiles(SSL_CTX* context, const TlsFiles& files) {
  RAAKVLAK_CHECK(SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) == 1 &&
                     SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) == 1,
                 "the test files are valid");
}

}  // namespace

RawResult ConnectRaw(int port, int min_version, int max_version, const TlsFiles* files) {
  signal(SIGPIPE, SIG_IGN);  // OpenSSL may write to a connection that the other side closed
  RawResult result;
  const int connection = socket(AF_INET, SOCK_STREAM, 0);
  const timeval timeout = {10, 0};
  setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  const sockaddr_in address = Loopback(port);
  result.connected = connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SetVersions(context, min_version, max_version);
  if (files != nullptr) UseFiles(context, *files);
  static constexpr unsigned char kH2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context, kH2, sizeof(kH2));
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, connection);
  if (SSL_connect(ssl) == 1) {
    // In TLS 1.3 the server's verdict comes after our handshake: its HTTP/2 settings, or an alert.
    char byte;
    result.handshake = SSL_read(ssl, &byte, 1) == 1;
    result.version = SSL_get_version(ssl);
  }
  ERR_clear_error();
  SSL_free(ssl);
  SSL_CTX_free(context);
  close(connection);
  return result;
}

RawServer::RawServer(const TlsFiles& files, int min_version, int max_version)
    : context_(SSL_CTX_new(TLS_server_method())), listener_(socket(AF_INET, SOCK_STREAM, 0)) {
  SetVersions(context_.get(), min_version, max_version);
  UseFiles(context_.get(), files);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  RAAKVLAK_CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     listen(listener_, 5) == 0 &&
                     getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0,
                 "a loopback port is free");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

RawServer::~RawServer() {
  shutdown(listener_, SHUT_RDWR);
  thread_.join();
  close(listener_);
}

void RawServer::Serve() {
  signal(SIGPIPE, SIG_IGN);
  while (true) {
    const int connection = accept(listener_, nullptr, nullptr);
    if (connection < 0) return;
    SSL* ssl = SSL_new(context_.get());
    SSL_set_fd(ssl, connection);
    SSL_accept(ssl);
    ERR_clear_error();
    SSL_free(ssl);
    close(connection);
  }
}

}  // namespace raakvlak::rpc
