// MatchesService: the gRPC side of broker/matches.h. Thread safety: gRPC calls it from any thread.
#pragma once

#include "raakvlak/v1/matches.grpc.pb.h"
#include "rpc/call.h"
#include "server/broker/matches.h"

namespace raakvlak::broker {

class MatchesService final : public v1::Matches::CallbackService {
 public:
  // What `environment` points to, and `core`, outlive the service.
  MatchesService(const rpc::CallEnvironment& environment, Matches& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context, const v1::ListMatchesRequest* request,
                                 v1::ListMatchesResponse* response) override;
  grpc::ServerUnaryReactor* Open(grpc::CallbackServerContext* context, const v1::OpenMatchRequest* request,
                                 v1::OpenMatchResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  Matches& core_;
};

}  // namespace raakvlak::broker
