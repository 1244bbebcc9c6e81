// FakeMatchesClient: a MatchesClient that a test programs. A method that is not programmed answers
// UNAVAILABLE, as a server that is away. Thread safety: as the functions given; set them before other threads
// call.
#pragma once

#include <functional>
#include <string>

#include "client/matches_client.h"
#include "client/testing/answer.h"

namespace raakvlak::client::testing {

class FakeMatchesClient final : public MatchesClient {
 public:
  std::function<absl::StatusOr<v1::ListMatchesResponse>(const v1::ListMatchesRequest&)> on_list;
  std::function<absl::StatusOr<v1::OpenMatchResponse>(const v1::OpenMatchRequest&)> on_open;

  // Of the call before.
  std::string trace_id;

  absl::StatusOr<v1::ListMatchesResponse> List(const v1::ListMatchesRequest& request, absl::Duration,
                                               const std::string& trace) override {
    trace_id = trace;
    return Answer(on_list, request);
  }
  absl::StatusOr<v1::OpenMatchResponse> Open(const v1::OpenMatchRequest& request, absl::Duration,
                                             const std::string& trace) override {
    trace_id = trace;
    return Answer(on_open, request);
  }
};

}  // namespace raakvlak::client::testing
