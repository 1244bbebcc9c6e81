// WitnessClient: hands one checkpoint to one witness, over gRPC or over the HTTP form of the C2SP protocol.
//
// It carries bytes only: what the statuses mean and whether a cosignature is right is the caller's affair.
// Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace raakvlak::client {

// Nothing that a witness answers is longer.
inline constexpr size_t kMaxWitnessAnswer = 65536;

struct WitnessReply {
  uint32_t status = 0;  // as in HTTP
  std::string body;
};

class WitnessClient {
 public:
  virtual ~WitnessClient() = default;
  // Sends the body of an add-checkpoint request. Whatever the witness answered is a reply; errors are those
  // of the way: UNAVAILABLE, DEADLINE_EXCEEDED after `timeout`, a refusal by the server's gate, TOO_LARGE.
  virtual absl::StatusOr<WitnessReply> AddCheckpoint(absl::string_view body, absl::Duration timeout) = 0;
};

std::unique_ptr<WitnessClient> MakeWitnessClient(std::shared_ptr<grpc::Channel> channel);

// To `url`, the submission prefix: "http://host[:port][/path]" or "https://...", whose certificate must come
// from an authority of the system. Follows no redirections. CONFIG_INVALID for another URL.
absl::StatusOr<std::unique_ptr<WitnessClient>> MakeHttpWitnessClient(const std::string& url);

}  // namespace raakvlak::client
