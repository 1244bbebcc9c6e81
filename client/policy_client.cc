#include "client/policy_client.h"

#include "raakvlak/v1/policy.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcPolicyClient final : public PolicyClient {
 public:
  explicit GrpcPolicyClient(ChannelSource channel) : channel_(std::move(channel)) {}

  absl::StatusOr<v1::PublishResponse> Publish(const v1::PublishRequest& request,
                                              absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Policy::Stub::Publish, request, timeout);
  }
  absl::StatusOr<v1::FetchPolicyResponse> FetchPolicy(const v1::FetchPolicyRequest& request,
                                                      absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Policy::Stub::FetchPolicy, request, timeout);
  }

 private:
  std::unique_ptr<v1::Policy::Stub> stub() const { return v1::Policy::NewStub(channel_()); }
  const ChannelSource channel_;
};

}  // namespace

std::unique_ptr<PolicyClient> MakePolicyClient(std::shared_ptr<grpc::Channel> channel) {
  return MakePolicyClient([channel = std::move(channel)] { return channel; });
}

std::unique_ptr<PolicyClient> MakePolicyClient(ChannelSource channel) {
  return std::make_unique<GrpcPolicyClient>(std::move(channel));
}

}  // namespace raakvlak::client
