// FakeKeyShareClient: a KeyShareClient that a test programs. A method that is not programmed answers
// UNAVAILABLE, as a server that is away. Thread safety: as the functions given; set them before other threads
// call.
#pragma once

#include <functional>

#include "client/key_share_client.h"
#include "client/testing/answer.h"

namespace raakvlak::client::testing {

class FakeKeyShareClient final : public KeyShareClient {
 public:
  std::function<absl::StatusOr<v1::EvaluateResponse>(const v1::EvaluateRequest&)> on_evaluate;
  std::function<absl::StatusOr<v1::DescribeResponse>(const v1::DescribeRequest&)> on_describe;

  absl::StatusOr<v1::EvaluateResponse> Evaluate(const v1::EvaluateRequest& request, absl::Duration) override {
    return Answer(on_evaluate, request);
  }
  absl::StatusOr<v1::DescribeResponse> Describe(const v1::DescribeRequest& request, absl::Duration) override {
    return Answer(on_describe, request);
  }
};

}  // namespace raakvlak::client::testing
