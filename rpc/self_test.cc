#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "rpc/tls.h"

namespace raakvlak::rpc {
namespace {

constexpr timeval kSocketTimeout = {5, 0};

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class Socket {
 public:
  Socket() : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  bool Connect(const std::string& host, int port) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    if (descriptor_ < 0 || inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return false;
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &kSocketTimeout, sizeof(kSocketTimeout));
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &kSocketTimeout, sizeof(kSocketTimeout));
    return connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

// Notes in `seen` (a bool) that the server answered the offer, which it does before it asks for a
// certificate.
void NoteServerHello(int written, int, int content_type, const void* bytes, size_t size, SSL*, void* seen) {
  if (written == 0 && content_type == SSL3_RT_HANDSHAKE && size > 0 &&
      *static_cast<const uint8_t*>(bytes) == SSL3_MT_SERVER_HELLO) {
    *static_cast<bool*>(seen) = true;
  }
}

// Sends what OpenSSL has written so far. OpenSSL itself would raise SIGPIPE on a connection that the server
// closed.
bool SendOffer(int descriptor, BIO* offer) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(offer, &bytes);
  return size > 0 && send(descriptor, bytes, static_cast<size_t>(size), MSG_NOSIGNAL) == size;
}

// Whether the server answers an offer of exactly this version of TLS.
absl::StatusOr<bool> Answers(const std::string& host, int port, int version) {
  Socket connection;
  if (!connection.Connect(host, port)) {
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable,
                       absl::StrCat("cannot connect to ", host, ":", port));
  }
  const std::unique_ptr<SSL_CTX, ContextFree> context(SSL_CTX_new(TLS_client_method()));
  RAAKVLAK_CHECK(context != nullptr, "OpenSSL makes a context");
  SSL_CTX_set_min_proto_version(context.get(), version);
  SSL_CTX_set_max_proto_version(context.get(), version);
  // The widest offer, so that a refusal is due to the version.
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_cipher_list(context.get(), "ALL");
  const std::unique_ptr<SSL, SslFree> ssl(SSL_new(context.get()));
  BIO* received = BIO_new(BIO_s_mem());
  BIO* offer = BIO_new(BIO_s_mem());
  RAAKVLAK_CHECK(ssl != nullptr && received != nullptr && offer != nullptr, "OpenSSL makes a connection");
  SSL_set_bio(ssl.get(), received, offer);  // takes both over
  bool answered = false;
  SSL_set_msg_callback(ssl.get(), NoteServerHello);
  SSL_set_msg_callback_arg(ssl.get(), &answered);

  int result = SSL_connect(ssl.get());
  const bool waits = SendOffer(connection.descriptor(), offer);
  char buffer[4096];
  while (waits && !answered && SSL_get_error(ssl.get(), result) == SSL_ERROR_WANT_READ) {
    const ssize_t size = recv(connection.descriptor(), buffer, sizeof(buffer), 0);
    if (size <= 0) break;
    BIO_write(received, buffer, static_cast<int>(size));
    result = SSL_connect(ssl.get());
  }
  ERR_clear_error();
  return answered;
}

}  // namespace

absl::Status SelfTest(const std::string& host, int port) {
  RAAKVLAK_ASSIGN_OR_RETURN(const bool takes_tls13, Answers(host, port, TLS1_3_VERSION));
  RAAKVLAK_ASSIGN_OR_RETURN(const bool takes_tls12, Answers(host, port, TLS1_2_VERSION));
  if (takes_tls13 && !takes_tls12) return absl::OkStatus();
  return base::Error(absl::StatusCode::kInternal, base::reason::kInternal,
                     takes_tls12 ? "the listener takes TLS 1.2" : "the listener does not answer TLS 1.3");
}

}  // namespace raakvlak::rpc
