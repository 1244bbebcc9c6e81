// AuditClient: an officer's way to the logs of one process. Thread safety: all methods may be called from any
// thread; one WatchStream is for one thread, and goes before its client.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "raakvlak/v1/audit.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace raakvlak::client {

// An open Watch call.
class WatchStream {
 public:
  // Cuts the call off.
  virtual ~WatchStream() = default;
  // Asks what came in since `position` (empty: the position of now) and waits for the answer. The call's
  // refusal with its reason, UNAVAILABLE, DEADLINE_EXCEEDED; after one, the stream has ended.
  virtual absl::StatusOr<v1::WatchResponse> Next(const std::string& position) = 0;
};

class AuditClient {
 public:
  virtual ~AuditClient() = default;
  // The server's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  virtual absl::StatusOr<v1::ListLogsResponse> ListLogs(const v1::ListLogsRequest& request,
                                                        absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::ListEntriesResponse> ListEntries(const v1::ListEntriesRequest& request,
                                                              absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::GetEntryResponse> GetEntry(const v1::GetEntryRequest& request,
                                                        absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::ReadFilesResponse> ReadFiles(const v1::ReadFilesRequest& request,
                                                          absl::Duration timeout) = 0;
  // `timeout` is for the whole stream, at most a day.
  virtual std::unique_ptr<WatchStream> Watch(absl::Duration timeout) = 0;
};

std::unique_ptr<AuditClient> MakeAuditClient(std::shared_ptr<grpc::Channel> channel);

}  // namespace raakvlak::client
