#include "server/log/witness_service.h"

namespace raakvlak::log {

grpc::ServerUnaryReactor* WitnessService::AddCheckpoint(grpc::CallbackServerContext* context,
                                                        const v1::AddCheckpointRequest* request,
                                                        v1::AddCheckpointResponse* response) {
  return rpc::Unary(environment_, context, kAddCheckpointMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::AddCheckpointRequest& in,
                           v1::AddCheckpointResponse& out) -> absl::Status {
                      WitnessAnswer answer = core_.AddCheckpoint(in.body(), pass.caller.urn);
                      out.set_status(static_cast<uint32_t>(answer.status));
                      out.set_body(std::move(answer.body));
                      return absl::OkStatus();
                    });
}

}  // namespace raakvlak::log
