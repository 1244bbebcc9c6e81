#include "server/broker/policy_service.h"

#include "base/status.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {

grpc::ServerUnaryReactor* PolicyService::Publish(grpc::CallbackServerContext* context,
                                                 const v1::PublishRequest* request,
                                                 v1::PublishResponse* response) {
  return rpc::Unary(environment_, context, kPublishMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::PublishRequest& in,
                           v1::PublishResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.Publish(pass, in));
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* PolicyService::FetchPolicy(grpc::CallbackServerContext* context,
                                                     const v1::FetchPolicyRequest* request,
                                                     v1::FetchPolicyResponse* response) {
  return rpc::Unary(environment_, context, kFetchPolicyMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::FetchPolicyRequest& in,
                           v1::FetchPolicyResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.FetchPolicy(pass, in));
                      return absl::OkStatus();
                    });
}

}  // namespace raakvlak::broker
