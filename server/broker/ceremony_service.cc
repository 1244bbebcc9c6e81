#include "server/broker/ceremony_service.h"

#include "base/status.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {

grpc::ServerUnaryReactor* CeremonyService::Propose(grpc::CallbackServerContext* context,
                                                   const v1::ProposeRequest* request,
                                                   v1::ProposeResponse* response) {
  return rpc::Unary(environment_, context, kProposeMethod, request, response,
                    rpc::CoreOf(core_, &CeremonyRelay::Propose));
}

grpc::ServerUnaryReactor* CeremonyService::Post(grpc::CallbackServerContext* context,
                                                const v1::PostRequest* request, v1::PostResponse* response) {
  return rpc::Unary(environment_, context, kPostMethod, request, response,
                    rpc::CoreOf(core_, &CeremonyRelay::Post));
}

grpc::ServerUnaryReactor* CeremonyService::Fetch(grpc::CallbackServerContext* context,
                                                 const v1::FetchRequest* request,
                                                 v1::FetchResponse* response) {
  return rpc::Unary(environment_, context, kFetchMethod, request, response,
                    rpc::CoreOf(core_, &CeremonyRelay::Fetch));
}

grpc::ServerUnaryReactor* CeremonyService::ListCeremonies(grpc::CallbackServerContext* context,
                                                          const v1::ListCeremoniesRequest* request,
                                                          v1::ListCeremoniesResponse* response) {
  return rpc::Unary(environment_, context, kListCeremoniesMethod, request, response,
                    [this](const rpc::Gate::Pass&, const v1::ListCeremoniesRequest&,
                           v1::ListCeremoniesResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.ListCeremonies());
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* CeremonyService::Keysets(grpc::CallbackServerContext* context,
                                                   const v1::KeysetsRequest* request,
                                                   v1::KeysetsResponse* response) {
  return rpc::Unary(
      environment_, context, kKeysetsMethod, request, response,
      [this](const rpc::Gate::Pass&, const v1::KeysetsRequest&, v1::KeysetsResponse& out) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(out, core_.Keysets());
        return absl::OkStatus();
      });
}

}  // namespace raakvlak::broker
