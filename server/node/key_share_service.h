// KeyShareService: the gRPC side of node/key_share.h. Thread safety: gRPC calls it from any thread.
#pragma once

#include "raakvlak/v1/key_share.grpc.pb.h"
#include "rpc/call.h"
#include "server/node/key_share.h"

namespace raakvlak::node {

class KeyShareService final : public v1::KeyShare::CallbackService {
 public:
  // What `environment` points to, and `core`, outlive the service.
  KeyShareService(const rpc::CallEnvironment& environment, KeyShare& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* Evaluate(grpc::CallbackServerContext* context, const v1::EvaluateRequest* request,
                                     v1::EvaluateResponse* response) override;
  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context, const v1::DescribeRequest* request,
                                     v1::DescribeResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  KeyShare& core_;
};

}  // namespace raakvlak::node
