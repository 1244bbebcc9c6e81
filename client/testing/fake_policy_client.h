// FakePolicyClient: a PolicyClient that a test programs. A method that is not programmed answers UNAVAILABLE,
// as a server that is away. Thread safety: as the functions given; set them before other threads call.
#pragma once

#include <functional>

#include "client/policy_client.h"
#include "client/testing/answer.h"

namespace raakvlak::client::testing {

class FakePolicyClient final : public PolicyClient {
 public:
  std::function<absl::StatusOr<v1::PublishResponse>(const v1::PublishRequest&)> on_publish;
  std::function<absl::StatusOr<v1::FetchPolicyResponse>(const v1::FetchPolicyRequest&)> on_fetch;

  absl::StatusOr<v1::PublishResponse> Publish(const v1::PublishRequest& request, absl::Duration) override {
    return Answer(on_publish, request);
  }
  absl::StatusOr<v1::FetchPolicyResponse> FetchPolicy(const v1::FetchPolicyRequest& request,
                                                      absl::Duration) override {
    return Answer(on_fetch, request);
  }
};

}  // namespace raakvlak::client::testing
