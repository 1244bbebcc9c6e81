// WitnessHttp: the HTTP form of the C2SP witness protocol, so that logs and monitors that know nothing of
// Raakvlak can use this witness.
//
//   POST /add-checkpoint                            as Witness::AddCheckpoint
//   GET  /<hex SHA-256 of the origin>/checkpoint    the newest checkpoint cosigned
//
// It listens on loopback only, without TLS: whoever wants to be reached puts a proxy in front. Requests carry
// no identity and need none, because a log's signature is what counts. Bodies are limited to
// kMaxAddCheckpointSize and 10 s, connections to 8 at a time (others wait), each to 100 requests. It does NOT
// limit how slowly a client sends its headers, but for 5 s between two pieces: that is the proxy's.
//
// Thread safety: Start and Stop from one thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "server/log/witness.h"

namespace raakvlak::log {

class WitnessHttp {
 public:
  // `address` is "127.0.0.1:<port>", port 0 takes a free one. CONFIG_INVALID for an address that is not
  // loopback or cannot be bound. `witness` outlives this.
  static absl::StatusOr<std::unique_ptr<WitnessHttp>> Start(const std::string& address, Witness& witness);
  // Stops accepting and waits for running requests.
  ~WitnessHttp();
  WitnessHttp(const WitnessHttp&) = delete;
  WitnessHttp& operator=(const WitnessHttp&) = delete;

  int port() const;

 private:
  class Listener;
  explicit WitnessHttp(std::unique_ptr<Listener> listener);
  const std::unique_ptr<Listener> listener_;
};

}  // namespace raakvlak::log
