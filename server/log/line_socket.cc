#include "server/log/line_socket.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::log {
namespace {

using SteadyClock = std::chrono::steady_clock;

absl::Status Failed(absl::string_view what) {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable,
                     absl::StrCat(what, ": ", std::strerror(errno)));
}

// Waits until `events` can be done, or `deadline`.
absl::Status Await(int socket, short events, SteadyClock::time_point deadline) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    pollfd one = {socket, events, 0};
    const int ready = poll(&one, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 60'000)));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Failed("poll");
    if (ready == 0 && left <= 60'000) {
      return base::Error(absl::StatusCode::kDeadlineExceeded, base::reason::kDeadlineExceeded,
                         "no answer over the socket in time");
    }
  }
}

SteadyClock::time_point After(absl::Duration timeout) {
  return SteadyClock::now() +
         absl::ToChronoMilliseconds(std::clamp(timeout, absl::ZeroDuration(), absl::Hours(1)));
}

}  // namespace

absl::StatusOr<sockaddr_un> UnixAddress(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kConfigInvalid,
                       absl::StrCat("the path of a Unix socket has 1 to ", sizeof address.sun_path - 1,
                                    " bytes: \"", path, "\""));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

absl::Status SendLine(int socket, absl::string_view line, absl::Duration timeout) {
  const SteadyClock::time_point deadline = After(timeout);
  const std::string bytes = absl::StrCat(line, "\n");
  for (size_t done = 0; done < bytes.size();) {
    RAAKVLAK_RETURN_IF_ERROR(Await(socket, POLLOUT, deadline));
    const ssize_t sent = send(socket, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return Failed("send");
    done += static_cast<size_t>(sent);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReceiveLine(int socket, size_t limit, absl::Duration timeout) {
  const SteadyClock::time_point deadline = After(timeout);
  std::string bytes;
  while (true) {
    RAAKVLAK_RETURN_IF_ERROR(Await(socket, POLLIN, deadline));
    char buffer[4096];
    const ssize_t got = recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return Failed("recv");
    if (got == 0) {
      return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable,
                         "the other side closed the socket");
    }
    bytes.append(buffer, static_cast<size_t>(got));
    const size_t end = bytes.find('\n');
    if (std::min(end, bytes.size()) > limit) {
      return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kTooLarge,
                         absl::StrCat("a line over ", limit, " bytes"));
    }
    if (end == std::string::npos) continue;
    if (end + 1 != bytes.size()) {
      return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, "more than one line");
    }
    bytes.pop_back();
    return bytes;
  }
}

}  // namespace raakvlak::log
