#include "client/audit_client.h"

#include "raakvlak/v1/audit.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcAuditClient final : public AuditClient {
 public:
  explicit GrpcAuditClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::Audit::NewStub(std::move(channel))) {}

  absl::StatusOr<v1::ListEntriesResponse> ListEntries(const v1::ListEntriesRequest& request,
                                                      absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Audit::Stub::ListEntries, request, timeout);
  }

 private:
  const std::unique_ptr<v1::Audit::Stub> stub_;
};

}  // namespace

std::unique_ptr<AuditClient> MakeAuditClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcAuditClient>(std::move(channel));
}

}  // namespace raakvlak::client
