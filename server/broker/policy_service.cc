#include "server/broker/policy_service.h"

#include "server/broker/method_table.h"

namespace raakvlak::broker {

grpc::ServerUnaryReactor* PolicyService::Publish(grpc::CallbackServerContext* context,
                                                 const v1::PublishRequest* request,
                                                 v1::PublishResponse* response) {
  return rpc::Unary(environment_, context, kPublishMethod, request, response,
                    rpc::CoreOf(core_, &PolicyPublication::Publish));
}

grpc::ServerUnaryReactor* PolicyService::FetchPolicy(grpc::CallbackServerContext* context,
                                                     const v1::FetchPolicyRequest* request,
                                                     v1::FetchPolicyResponse* response) {
  return rpc::Unary(environment_, context, server::kFetchPolicyMethod, request, response,
                    rpc::CoreOf(core_, &PolicyPublication::FetchPolicy));
}

}  // namespace raakvlak::broker
