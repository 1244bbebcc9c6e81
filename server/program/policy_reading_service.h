// PolicyReadingService: Policy.FetchPolicy at the hub and at nodes, for the people and systems that they
// serve. Publish is the broker's alone. Thread safety: gRPC's.
#pragma once

#include "raakvlak/v1/policy.grpc.pb.h"
#include "rpc/call.h"
#include "server/program/policy_reading.h"

namespace raakvlak::server {

// Publish is as unknown here as any method that no service has (rpc/grpc_refusals.h).
using PolicyReadingMethods =
    v1::Policy::WithCallbackMethod_FetchPolicy<v1::Policy::WithGenericMethod_Publish<v1::Policy::Service>>;

class PolicyReadingService final : public PolicyReadingMethods {
 public:
  // `core` and what `environment` points to outlive this.
  PolicyReadingService(const rpc::CallEnvironment& environment, PolicyReading& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* FetchPolicy(grpc::CallbackServerContext* context,
                                        const v1::FetchPolicyRequest* request,
                                        v1::FetchPolicyResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  PolicyReading& core_;
};

}  // namespace raakvlak::server
