#include "server/node/key_share_service.h"

#include "base/status.h"
#include "server/node/method_table.h"

namespace raakvlak::node {

grpc::ServerUnaryReactor* KeyShareService::Evaluate(grpc::CallbackServerContext* context,
                                                    const v1::EvaluateRequest* request,
                                                    v1::EvaluateResponse* response) {
  return rpc::Unary(environment_, context, kEvaluateMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::EvaluateRequest& in,
                           v1::EvaluateResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.Evaluate(pass.snapshot, pass.caller.id, in,
                                                                    {pass.origin, pass.trace_id}));
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* KeyShareService::Describe(grpc::CallbackServerContext* context,
                                                    const v1::DescribeRequest* request,
                                                    v1::DescribeResponse* response) {
  return rpc::Unary(environment_, context, kDescribeMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::DescribeRequest&,
                           v1::DescribeResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(
                          out, core_.Describe(pass.snapshot, pass.caller.id, {pass.origin, pass.trace_id}));
                      return absl::OkStatus();
                    });
}

}  // namespace raakvlak::node
