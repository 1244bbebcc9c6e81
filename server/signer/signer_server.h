// SignerServer: a Signer behind a Unix socket (server/log/signer_protocol.h). One request a connection, one
// connection at a time: its client is one process, and whoever connects and says nothing is cut off soon.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/signer/signer.h"

namespace raakvlak::signer {

// Answer does what a request line asks, and returns the answer line.
std::string Answer(Signer& signer, absl::string_view line);

struct SignerServerOptions {
  std::string listen;  // path of the socket; its folder exists. A socket that was left there is replaced
  // Users whose processes may ask (SO_PEERCRED); others get NOT_ALLOWED.
  std::vector<uid_t> users;
  // For a client to send its line, and to take the answer.
  absl::Duration timeout = absl::Seconds(2);
};

class SignerServer {
 public:
  // The signer outlives the server. CONFIG_INVALID for a path that no Unix socket can have, or where
  // something else than a socket is; UNAVAILABLE when it cannot listen.
  static absl::StatusOr<std::unique_ptr<SignerServer>> Start(Signer& signer, SignerServerOptions options);
  // Stops, and removes the socket.
  ~SignerServer();
  SignerServer(const SignerServer&) = delete;
  SignerServer& operator=(const SignerServer&) = delete;

 private:
  SignerServer(Signer& signer, SignerServerOptions options) : signer_(signer), options_(std::move(options)) {}
  absl::Status Listen();
  void Run();
  void Serve(int connection);

  Signer& signer_;
  const SignerServerOptions options_;
  int listening_ = -1;
  int stop_[2] = {-1, -1};
  std::thread thread_;
};

}  // namespace raakvlak::signer
