// NodeKeysClient: an operator looks after the keys of its partner's own node. Thread safety: all methods may
// be called from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "raakvlak/v1/node_keys.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace raakvlak::client {

class NodeKeysClient {
 public:
  virtual ~NodeKeysClient() = default;
  // The node's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  virtual absl::StatusOr<v1::GetKeyStatusResponse> GetKeyStatus(const v1::GetKeyStatusRequest& request,
                                                                absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::StartCeremonyResponse> StartCeremony(const v1::StartCeremonyRequest& request,
                                                                  absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::CeremonyResponse> ApproveCeremony(const v1::CeremonyRequest& request,
                                                               absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::CeremonyResponse> ShowCeremony(const v1::CeremonyRequest& request,
                                                            absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::ListNodeCeremoniesResponse> ListCeremonies(
      const v1::ListNodeCeremoniesRequest& request, absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::CeremonyResponse> GiveUpCeremony(const v1::CeremonyRequest& request,
                                                              absl::Duration timeout) = 0;
};

std::unique_ptr<NodeKeysClient> MakeNodeKeysClient(std::shared_ptr<grpc::Channel> channel);

}  // namespace raakvlak::client
