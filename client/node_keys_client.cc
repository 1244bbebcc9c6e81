#include "client/node_keys_client.h"

#include "raakvlak/v1/node_keys.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcNodeKeysClient final : public NodeKeysClient {
 public:
  explicit GrpcNodeKeysClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::NodeKeys::NewStub(std::move(channel))) {}

  absl::StatusOr<v1::GetKeyStatusResponse> GetKeyStatus(const v1::GetKeyStatusRequest& request,
                                                        absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::NodeKeys::Stub::GetKeyStatus, request, timeout);
  }
  absl::StatusOr<v1::StartCeremonyResponse> StartCeremony(const v1::StartCeremonyRequest& request,
                                                          absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::NodeKeys::Stub::StartCeremony, request, timeout);
  }
  absl::StatusOr<v1::CeremonyResponse> ApproveCeremony(const v1::CeremonyRequest& request,
                                                       absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::NodeKeys::Stub::ApproveCeremony, request, timeout);
  }
  absl::StatusOr<v1::CeremonyResponse> ShowCeremony(const v1::CeremonyRequest& request,
                                                    absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::NodeKeys::Stub::ShowCeremony, request, timeout);
  }
  absl::StatusOr<v1::ListNodeCeremoniesResponse> ListCeremonies(const v1::ListNodeCeremoniesRequest& request,
                                                                absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::NodeKeys::Stub::ListCeremonies, request, timeout);
  }
  absl::StatusOr<v1::CeremonyResponse> GiveUpCeremony(const v1::CeremonyRequest& request,
                                                      absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::NodeKeys::Stub::GiveUpCeremony, request, timeout);
  }

 private:
  const std::unique_ptr<v1::NodeKeys::Stub> stub_;
};

}  // namespace

std::unique_ptr<NodeKeysClient> MakeNodeKeysClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcNodeKeysClient>(std::move(channel));
}

}  // namespace raakvlak::client
