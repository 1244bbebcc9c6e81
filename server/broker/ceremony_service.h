// CeremonyService: the gRPC side of broker/ceremony_relay.h. Thread safety: gRPC calls it from any thread.
#pragma once

#include "raakvlak/v1/ceremony.grpc.pb.h"
#include "rpc/call.h"
#include "server/broker/ceremony_relay.h"

namespace raakvlak::broker {

class CeremonyService final : public v1::Ceremony::CallbackService {
 public:
  // What `environment` points to, and the core, outlive the service.
  CeremonyService(const rpc::CallEnvironment& environment, CeremonyRelay& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* Propose(grpc::CallbackServerContext* context, const v1::ProposeRequest* request,
                                    v1::ProposeResponse* response) override;
  grpc::ServerUnaryReactor* Post(grpc::CallbackServerContext* context, const v1::PostRequest* request,
                                 v1::PostResponse* response) override;
  grpc::ServerUnaryReactor* Fetch(grpc::CallbackServerContext* context, const v1::FetchRequest* request,
                                  v1::FetchResponse* response) override;
  grpc::ServerUnaryReactor* ListCeremonies(grpc::CallbackServerContext* context,
                                           const v1::ListCeremoniesRequest* request,
                                           v1::ListCeremoniesResponse* response) override;
  grpc::ServerUnaryReactor* Keysets(grpc::CallbackServerContext* context, const v1::KeysetsRequest* request,
                                    v1::KeysetsResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  CeremonyRelay& core_;
};

}  // namespace raakvlak::broker
