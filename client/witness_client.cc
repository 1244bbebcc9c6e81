#include "client/witness_client.h"

#include "base/reason.h"
#include "base/status.h"
#include "raakvlak/v1/witness.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcWitnessClient final : public WitnessClient {
 public:
  explicit GrpcWitnessClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::Witness::NewStub(std::move(channel))) {}

  absl::StatusOr<WitnessReply> AddCheckpoint(absl::string_view body, absl::Duration timeout) override {
    v1::AddCheckpointRequest request;
    request.set_body(std::string(body));
    RAAKVLAK_ASSIGN_OR_RETURN(v1::AddCheckpointResponse response,
                              rpc::CallUnary(*stub_, &v1::Witness::Stub::AddCheckpoint, request, timeout));
    if (response.body().size() > kMaxWitnessAnswer) {
      return base::Error(absl::StatusCode::kResourceExhausted, base::reason::kTooLarge,
                         "the witness's answer is too long");
    }
    return WitnessReply{response.status(), std::move(*response.mutable_body())};
  }

 private:
  const std::unique_ptr<v1::Witness::Stub> stub_;
};

}  // namespace

std::unique_ptr<WitnessClient> MakeWitnessClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcWitnessClient>(std::move(channel));
}

}  // namespace raakvlak::client
