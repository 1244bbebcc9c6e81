// FakeCeremonyClient: a CeremonyClient that a test programs. A method that is not programmed answers
// UNAVAILABLE, as a server that is away. Thread safety: as the functions given; set them before other threads
// call.
#pragma once

#include <functional>

#include "client/ceremony_client.h"
#include "client/testing/answer.h"

namespace raakvlak::client::testing {

class FakeCeremonyClient final : public CeremonyClient {
 public:
  std::function<absl::StatusOr<v1::ProposeResponse>(const v1::ProposeRequest&)> on_propose;
  std::function<absl::StatusOr<v1::PostResponse>(const v1::PostRequest&)> on_post;
  std::function<absl::StatusOr<v1::FetchResponse>(const v1::FetchRequest&)> on_fetch;
  std::function<absl::StatusOr<v1::ListCeremoniesResponse>(const v1::ListCeremoniesRequest&)> on_list;
  std::function<absl::StatusOr<v1::KeysetsResponse>(const v1::KeysetsRequest&)> on_keysets;

  absl::StatusOr<v1::ProposeResponse> Propose(const v1::ProposeRequest& request, absl::Duration) override {
    return Answer(on_propose, request);
  }
  absl::StatusOr<v1::PostResponse> Post(const v1::PostRequest& request, absl::Duration) override {
    return Answer(on_post, request);
  }
  absl::StatusOr<v1::FetchResponse> Fetch(const v1::FetchRequest& request, absl::Duration) override {
    return Answer(on_fetch, request);
  }
  absl::StatusOr<v1::ListCeremoniesResponse> ListCeremonies(const v1::ListCeremoniesRequest& request,
                                                            absl::Duration) override {
    return Answer(on_list, request);
  }
  absl::StatusOr<v1::KeysetsResponse> Keysets(const v1::KeysetsRequest& request, absl::Duration) override {
    return Answer(on_keysets, request);
  }
};

}  // namespace raakvlak::client::testing
