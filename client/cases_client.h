// CasesClient: staff's way to the hub. Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "raakvlak/v1/cases.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace raakvlak::client {

class CasesClient {
 public:
  virtual ~CasesClient() = default;
  // The hub's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  virtual absl::StatusOr<v1::ListMatchesResponse> List(const v1::ListMatchesRequest& request,
                                                       absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::OpenCaseResponse> Open(const v1::OpenCaseRequest& request,
                                                    absl::Duration timeout) = 0;
};

std::unique_ptr<CasesClient> MakeCasesClient(std::shared_ptr<grpc::Channel> channel);

}  // namespace raakvlak::client
