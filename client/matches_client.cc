#include "client/matches_client.h"

#include "raakvlak/v1/matches.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcMatchesClient final : public MatchesClient {
 public:
  explicit GrpcMatchesClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::Matches::NewStub(std::move(channel))) {}

  absl::StatusOr<v1::ListMatchesResponse> List(const v1::ListMatchesRequest& request, absl::Duration timeout,
                                               const std::string& trace_id) override {
    return rpc::CallUnary(*stub_, &v1::Matches::Stub::List, request, timeout, trace_id);
  }
  absl::StatusOr<v1::OpenMatchResponse> Open(const v1::OpenMatchRequest& request, absl::Duration timeout,
                                             const std::string& trace_id) override {
    return rpc::CallUnary(*stub_, &v1::Matches::Stub::Open, request, timeout, trace_id);
  }

 private:
  const std::unique_ptr<v1::Matches::Stub> stub_;
};

}  // namespace

std::unique_ptr<MatchesClient> MakeMatchesClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcMatchesClient>(std::move(channel));
}

}  // namespace raakvlak::client
