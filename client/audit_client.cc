#include "client/audit_client.h"

#include <optional>

#include "base/reason.h"
#include "base/status.h"
#include "raakvlak/v1/audit.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcWatchStream final : public WatchStream {
 public:
  GrpcWatchStream(v1::Audit::Stub& stub, absl::Duration timeout) {
    rpc::SetDeadline(context_, timeout);
    call_ = stub.Watch(&context_);
  }
  ~GrpcWatchStream() override {
    if (outcome_.has_value()) return;
    context_.TryCancel();
    call_->Finish();
  }

  absl::StatusOr<v1::WatchResponse> Next(const std::string& position) override {
    v1::WatchRequest request;
    request.set_position(position);
    v1::WatchResponse response;
    if (!outcome_.has_value()) {
      if (call_->Write(request) && call_->Read(&response)) return response;
      outcome_ = rpc::FromGrpc(call_->Finish(), context_);
    }
    if (!outcome_->ok()) return *outcome_;
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "the stream has ended");
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::WatchRequest, v1::WatchResponse>> call_;
  std::optional<absl::Status> outcome_;
};

class GrpcAuditClient final : public AuditClient {
 public:
  explicit GrpcAuditClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::Audit::NewStub(std::move(channel))) {}

  absl::StatusOr<v1::ListLogsResponse> ListLogs(const v1::ListLogsRequest& request,
                                                absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Audit::Stub::ListLogs, request, timeout);
  }
  absl::StatusOr<v1::ListEntriesResponse> ListEntries(const v1::ListEntriesRequest& request,
                                                      absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Audit::Stub::ListEntries, request, timeout);
  }
  absl::StatusOr<v1::GetEntryResponse> GetEntry(const v1::GetEntryRequest& request,
                                                absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Audit::Stub::GetEntry, request, timeout);
  }
  absl::StatusOr<v1::ReadFilesResponse> ReadFiles(const v1::ReadFilesRequest& request,
                                                  absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Audit::Stub::ReadFiles, request, timeout);
  }
  std::unique_ptr<WatchStream> Watch(absl::Duration timeout) override {
    return std::make_unique<GrpcWatchStream>(*stub_, timeout);
  }

 private:
  const std::unique_ptr<v1::Audit::Stub> stub_;
};

}  // namespace

std::unique_ptr<AuditClient> MakeAuditClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcAuditClient>(std::move(channel));
}

}  // namespace raakvlak::client
