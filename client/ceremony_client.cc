#include "client/ceremony_client.h"

#include "raakvlak/v1/ceremony.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcCeremonyClient final : public CeremonyClient {
 public:
  explicit GrpcCeremonyClient(ChannelSource channel) : channel_(std::move(channel)) {}

  absl::StatusOr<v1::ProposeResponse> Propose(const v1::ProposeRequest& request,
                                              absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Ceremony::Stub::Propose, request, timeout);
  }
  absl::StatusOr<v1::PostResponse> Post(const v1::PostRequest& request, absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Ceremony::Stub::Post, request, timeout);
  }
  absl::StatusOr<v1::FetchResponse> Fetch(const v1::FetchRequest& request, absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Ceremony::Stub::Fetch, request, timeout);
  }
  absl::StatusOr<v1::ListCeremoniesResponse> ListCeremonies(const v1::ListCeremoniesRequest& request,
                                                            absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Ceremony::Stub::ListCeremonies, request, timeout);
  }
  absl::StatusOr<v1::KeysetsResponse> Keysets(const v1::KeysetsRequest& request,
                                              absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Ceremony::Stub::Keysets, request, timeout);
  }

 private:
  std::unique_ptr<v1::Ceremony::Stub> stub() const { return v1::Ceremony::NewStub(channel_()); }
  const ChannelSource channel_;
};

}  // namespace

std::unique_ptr<CeremonyClient> MakeCeremonyClient(std::shared_ptr<grpc::Channel> channel) {
  return MakeCeremonyClient([channel = std::move(channel)] { return channel; });
}

std::unique_ptr<CeremonyClient> MakeCeremonyClient(ChannelSource channel) {
  return std::make_unique<GrpcCeremonyClient>(std::move(channel));
}

}  // namespace raakvlak::client
