#include "server/log/signer_client.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/log/line_socket.h"
#include "server/log/signer_protocol.h"

namespace raakvlak::log {

absl::StatusOr<std::string> SignerClient::Sign(const crypto::tlog::Checkpoint& checkpoint,
                                               absl::Duration timeout) {
  RAAKVLAK_ASSIGN_OR_RETURN(const sockaddr_un address, UnixAddress(socket_path_));
  // Connecting does not wait: a signer whose queue is full counts as away.
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto closer = absl::MakeCleanup([&] {
    if (descriptor >= 0) close(descriptor);
  });
  if (descriptor < 0 ||
      connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return base::Error(
        absl::StatusCode::kUnavailable, base::reason::kUnavailable,
        absl::StrCat("the signer does not answer: ", socket_path_, ": ", std::strerror(errno)));
  }
  RAAKVLAK_RETURN_IF_ERROR(SendLine(descriptor, FormatSignRequest(checkpoint), timeout));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string line, ReceiveLine(descriptor, kMaxSignAnswer, timeout));
  return ParseSignAnswer(line);
}

}  // namespace raakvlak::log
