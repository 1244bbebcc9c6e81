// WitnessService: the gRPC side of server/log/witness.h. Thread safety: gRPC calls it from any thread.
#pragma once

#include "raakvlak/v1/witness.grpc.pb.h"
#include "rpc/call.h"
#include "server/log/witness.h"

namespace raakvlak::log {

class WitnessService final : public v1::Witness::CallbackService {
 public:
  // What `environment` points to, and `core`, outlive the service.
  WitnessService(const rpc::CallEnvironment& environment, Witness& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* AddCheckpoint(grpc::CallbackServerContext* context,
                                          const v1::AddCheckpointRequest* request,
                                          v1::AddCheckpointResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  Witness& core_;
};

}  // namespace raakvlak::log
