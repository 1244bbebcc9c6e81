// SignerClient: asks a raakvlak-signer over its Unix socket, one connection for each request.
//
// It takes the answer as it comes: the caller verifies the signature, and so that it talks to the right one.
#pragma once

#include <string>
#include <utility>

#include "server/log/checkpoint_signer.h"

namespace raakvlak::log {

class SignerClient final : public CheckpointSigner {
 public:
  explicit SignerClient(std::string socket_path) : socket_path_(std::move(socket_path)) {}
  // Also CONFIG_INVALID for a path that no Unix socket can have; MALFORMED for an answer that does not parse.
  absl::StatusOr<std::string> Sign(const crypto::tlog::Checkpoint& checkpoint,
                                   absl::Duration timeout) override;

 private:
  const std::string socket_path_;
};

}  // namespace raakvlak::log
