// One line each way over a Unix socket: what a process and its signer talk with.
//
// Thread safety: all functions may be called from any thread; a descriptor is used by one at a time.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace raakvlak::log {

// CONFIG_INVALID for a path over 107 bytes, the limit of Unix sockets, or an empty one.
absl::StatusOr<sockaddr_un> UnixAddress(const std::string& path);

// SendLine sends `line` and a newline within `timeout`. UNAVAILABLE; DEADLINE_EXCEEDED.
absl::Status SendLine(int socket, absl::string_view line, absl::Duration timeout);

// ReceiveLine returns the first line, without its newline. UNAVAILABLE when the other side closes before;
// TOO_LARGE over `limit` bytes; MALFORMED when anything follows the line; DEADLINE_EXCEEDED.
absl::StatusOr<std::string> ReceiveLine(int socket, size_t limit, absl::Duration timeout);

}  // namespace raakvlak::log
