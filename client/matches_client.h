// MatchesClient: the hub's way to the broker. Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/channel_source.h"
#include "raakvlak/v1/matches.pb.h"

namespace raakvlak::client {

class MatchesClient {
 public:
  virtual ~MatchesClient() = default;
  // The broker's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  // The broker's entry gets `trace_id`, of the call that this one is made for.
  virtual absl::StatusOr<v1::ListMatchesResponse> List(const v1::ListMatchesRequest& request,
                                                       absl::Duration timeout,
                                                       const std::string& trace_id) = 0;
  virtual absl::StatusOr<v1::OpenMatchResponse> Open(const v1::OpenMatchRequest& request,
                                                     absl::Duration timeout, const std::string& trace_id) = 0;
};

std::unique_ptr<MatchesClient> MakeMatchesClient(std::shared_ptr<grpc::Channel> channel);
std::unique_ptr<MatchesClient> MakeMatchesClient(ChannelSource channel);

}  // namespace raakvlak::client
