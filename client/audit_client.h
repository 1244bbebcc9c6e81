// AuditClient: an officer's way to the log. Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "raakvlak/v1/audit.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace raakvlak::client {

class AuditClient {
 public:
  virtual ~AuditClient() = default;
  // The server's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  virtual absl::StatusOr<v1::ListEntriesResponse> ListEntries(const v1::ListEntriesRequest& request,
                                                              absl::Duration timeout) = 0;
};

std::unique_ptr<AuditClient> MakeAuditClient(std::shared_ptr<grpc::Channel> channel);

}  // namespace raakvlak::client
