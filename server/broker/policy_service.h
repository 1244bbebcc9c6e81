// PolicyService: the gRPC side of broker/policy_publication.h. Thread safety: gRPC calls it from any thread.
#pragma once

#include "raakvlak/v1/policy.grpc.pb.h"
#include "rpc/call.h"
#include "server/broker/policy_publication.h"

namespace raakvlak::broker {

class PolicyService final : public v1::Policy::CallbackService {
 public:
  // What `environment` points to, and the core, outlive the service.
  PolicyService(const rpc::CallEnvironment& environment, PolicyPublication& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context, const v1::PublishRequest* request,
                                    v1::PublishResponse* response) override;
  grpc::ServerUnaryReactor* FetchPolicy(grpc::CallbackServerContext* context,
                                        const v1::FetchPolicyRequest* request,
                                        v1::FetchPolicyResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  PolicyPublication& core_;
};

}  // namespace raakvlak::broker
