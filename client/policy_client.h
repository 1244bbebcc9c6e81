// PolicyClient: the way to the notes that the broker keeps for all: covenants, rosters, withdrawn signatures.
// Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/channel_source.h"
#include "raakvlak/v1/policy.pb.h"

namespace raakvlak::client {

class PolicyClient {
 public:
  virtual ~PolicyClient() = default;
  // The broker's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  virtual absl::StatusOr<v1::PublishResponse> Publish(const v1::PublishRequest& request,
                                                      absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::FetchPolicyResponse> FetchPolicy(const v1::FetchPolicyRequest& request,
                                                              absl::Duration timeout) = 0;
};

std::unique_ptr<PolicyClient> MakePolicyClient(std::shared_ptr<grpc::Channel> channel);
std::unique_ptr<PolicyClient> MakePolicyClient(ChannelSource channel);

}  // namespace raakvlak::client
