#include "client/matches_client.h"

#include "raakvlak/v1/matches.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcMatchesClient final : public MatchesClient {
 public:
  explicit GrpcMatchesClient(ChannelSource channel) : channel_(std::move(channel)) {}

  absl::StatusOr<v1::ListMatchesResponse> List(const v1::ListMatchesRequest& request, absl::Duration timeout,
                                               const std::string& trace_id) override {
    return rpc::CallUnary(*stub(), &v1::Matches::Stub::List, request, timeout, trace_id);
  }
  absl::StatusOr<v1::OpenMatchResponse> Open(const v1::OpenMatchRequest& request, absl::Duration timeout,
                                             const std::string& trace_id) override {
    return rpc::CallUnary(*stub(), &v1::Matches::Stub::Open, request, timeout, trace_id);
  }

 private:
  std::unique_ptr<v1::Matches::Stub> stub() const { return v1::Matches::NewStub(channel_()); }
  const ChannelSource channel_;
};

}  // namespace

std::unique_ptr<MatchesClient> MakeMatchesClient(std::shared_ptr<grpc::Channel> channel) {
  return MakeMatchesClient([channel = std::move(channel)] { return channel; });
}

std::unique_ptr<MatchesClient> MakeMatchesClient(ChannelSource channel) {
  return std::make_unique<GrpcMatchesClient>(std::move(channel));
}

}  // namespace raakvlak::client
