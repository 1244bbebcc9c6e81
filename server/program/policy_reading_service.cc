#include "server/program/policy_reading_service.h"

#include <utility>

namespace raakvlak::server {

grpc::ServerUnaryReactor* PolicyReadingService::FetchPolicy(grpc::CallbackServerContext* context,
                                                            const v1::FetchPolicyRequest* request,
                                                            v1::FetchPolicyResponse* response) {
  return rpc::Unary(environment_, context, kFetchPolicyMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::FetchPolicyRequest& in,
                           v1::FetchPolicyResponse& out) -> absl::Status {
                      return rpc::AnswerOrRefuse(environment_, pass, kFetchPolicyMethod,
                                                 core_.Fetch(pass.snapshot, in), out);
                    });
}

}  // namespace raakvlak::server
