// CeremonyClient: a node's, and the hub's, way to the broker's relay of ceremonies. Thread safety: all
// methods may be called from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/channel_source.h"
#include "raakvlak/v1/ceremony.pb.h"

namespace raakvlak::client {

class CeremonyClient {
 public:
  virtual ~CeremonyClient() = default;
  // The broker's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  virtual absl::StatusOr<v1::ProposeResponse> Propose(const v1::ProposeRequest& request,
                                                      absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::PostResponse> Post(const v1::PostRequest& request, absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::FetchResponse> Fetch(const v1::FetchRequest& request,
                                                  absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::ListCeremoniesResponse> ListCeremonies(const v1::ListCeremoniesRequest& request,
                                                                    absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::KeysetsResponse> Keysets(const v1::KeysetsRequest& request,
                                                      absl::Duration timeout) = 0;
};

std::unique_ptr<CeremonyClient> MakeCeremonyClient(std::shared_ptr<grpc::Channel> channel);
std::unique_ptr<CeremonyClient> MakeCeremonyClient(ChannelSource channel);

}  // namespace raakvlak::client
