// KeyShareClient: asks one key holder for evaluations. It carries bytes only; signing, checking proofs and
// signatures is the caller's. Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "raakvlak/v1/key_share.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace raakvlak::client {

class KeyShareClient {
 public:
  virtual ~KeyShareClient() = default;
  // The holder's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED after `timeout`.
  virtual absl::StatusOr<v1::EvaluateResponse> Evaluate(const v1::EvaluateRequest& request,
                                                        absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::DescribeResponse> Describe(const v1::DescribeRequest& request,
                                                        absl::Duration timeout) = 0;
};

std::unique_ptr<KeyShareClient> MakeKeyShareClient(std::shared_ptr<grpc::Channel> channel);

}  // namespace raakvlak::client
