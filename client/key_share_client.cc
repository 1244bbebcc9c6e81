#include "client/key_share_client.h"

#include "raakvlak/v1/key_share.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcKeyShareClient final : public KeyShareClient {
 public:
  explicit GrpcKeyShareClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::KeyShare::NewStub(std::move(channel))) {}

  absl::StatusOr<v1::EvaluateResponse> Evaluate(const v1::EvaluateRequest& request,
                                                absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::KeyShare::Stub::Evaluate, request, timeout);
  }
  absl::StatusOr<v1::DescribeResponse> Describe(const v1::DescribeRequest& request,
                                                absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::KeyShare::Stub::Describe, request, timeout);
  }

 private:
  const std::unique_ptr<v1::KeyShare::Stub> stub_;
};

}  // namespace

std::unique_ptr<KeyShareClient> MakeKeyShareClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcKeyShareClient>(std::move(channel));
}

}  // namespace raakvlak::client
