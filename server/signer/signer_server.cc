#include "server/signer/signer_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/log/line_socket.h"
#include "server/log/signer_protocol.h"

namespace raakvlak::signer {
namespace {

constexpr int kMaxWaiting = 16;

absl::Status Failed(const std::string& path) {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable,
                     absl::StrCat(path, ": ", std::strerror(errno)));
}

}  // namespace

std::string Answer(Signer& signer, absl::string_view line) {
  const auto sign = [&]() -> absl::StatusOr<std::string> {
    RAAKVLAK_ASSIGN_OR_RETURN(const crypto::tlog::Checkpoint wanted, log::ParseSignRequest(line));
    return signer.Sign(wanted);
  };
  const absl::StatusOr<std::string> note = sign();
  if (!note.ok()) base::LogStatus(base::LogLevel::kError, "signer.refused", note.status());
  return log::FormatSignAnswer(note);
}

absl::StatusOr<std::unique_ptr<SignerServer>> SignerServer::Start(Signer& signer,
                                                                  SignerServerOptions options) {
  auto server = std::unique_ptr<SignerServer>(new SignerServer(signer, std::move(options)));
  RAAKVLAK_RETURN_IF_ERROR(server->Listen());
  server->thread_ = std::thread([raw = server.get()] { raw->Run(); });
  return server;
}

SignerServer::~SignerServer() {
  if (thread_.joinable()) {
    // Closing the writing end wakes the thread.
    close(stop_[1]);
    thread_.join();
    close(stop_[0]);
    unlink(options_.listen.c_str());
  }
  if (listening_ >= 0) close(listening_);
}

absl::Status SignerServer::Listen() {
  const std::string& path = options_.listen;
  RAAKVLAK_ASSIGN_OR_RETURN(const sockaddr_un address, log::UnixAddress(path));
  struct stat info = {};
  if (lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) {
      return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kConfigInvalid,
                         absl::StrCat(path, " is there and no socket"));
    }
    // Left by a signer that was killed: the state folder's lock says that no other runs.
    unlink(path.c_str());
  }
  listening_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listening_ < 0) return Failed(path);
  if (bind(listening_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Failed(path);
  // Who may ask is decided by SO_PEERCRED; the mode only lets another configured user connect at all.
  const bool others =
      std::any_of(options_.users.begin(), options_.users.end(), [](uid_t user) { return user != geteuid(); });
  if (chmod(path.c_str(), others ? 0666 : 0600) != 0 || listen(listening_, kMaxWaiting) != 0) {
    return Failed(path);
  }
  return pipe2(stop_, O_CLOEXEC) == 0 ? absl::OkStatus() : Failed(path);
}

void SignerServer::Run() {
  while (true) {
    pollfd wait[2] = {{listening_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    if (poll(wait, 2, -1) < 0) continue;
    if (wait[1].revents != 0) return;
    const int connection = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (connection < 0) continue;
    const auto closer = absl::MakeCleanup([&] { close(connection); });
    Serve(connection);
  }
}

void SignerServer::Serve(int connection) {
  ucred peer = {};
  socklen_t length = sizeof peer;
  const bool known = getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
                     std::count(options_.users.begin(), options_.users.end(), peer.uid) != 0;
  std::string answer;
  if (!known) {
    const absl::Status refused = base::Error(absl::StatusCode::kPermissionDenied, base::reason::kNotAllowed,
                                             absl::StrCat("user ", peer.uid, " may not ask this signer"));
    base::LogStatus(base::LogLevel::kError, "signer.refused", refused);
    answer = log::FormatSignAnswer(refused);
  } else {
    const auto line = log::ReceiveLine(connection, log::kMaxSignRequest, options_.timeout);
    answer = line.ok() ? Answer(signer_, *line) : log::FormatSignAnswer(line.status());
  }
  // A client that is gone asks again; the answer to the same question is the same.
  log::SendLine(connection, answer, options_.timeout).IgnoreError();
}

}  // namespace raakvlak::signer
