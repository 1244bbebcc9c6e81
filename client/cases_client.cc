#include "client/cases_client.h"

#include "raakvlak/v1/cases.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcCasesClient final : public CasesClient {
 public:
  explicit GrpcCasesClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::Cases::NewStub(std::move(channel))) {}

  absl::StatusOr<v1::ListMatchesResponse> List(const v1::ListMatchesRequest& request,
                                               absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Cases::Stub::List, request, timeout);
  }
  absl::StatusOr<v1::OpenCaseResponse> Open(const v1::OpenCaseRequest& request,
                                            absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Cases::Stub::Open, request, timeout);
  }

 private:
  const std::unique_ptr<v1::Cases::Stub> stub_;
};

}  // namespace

std::unique_ptr<CasesClient> MakeCasesClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcCasesClient>(std::move(channel));
}

}  // namespace raakvlak::client
