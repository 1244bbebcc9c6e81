#include "server/broker/matches_service.h"

#include "base/status.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {

grpc::ServerUnaryReactor* MatchesService::List(grpc::CallbackServerContext* context,
                                               const v1::ListMatchesRequest* request,
                                               v1::ListMatchesResponse* response) {
  return rpc::Unary(environment_, context, kListMatchesMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::ListMatchesRequest& in,
                           v1::ListMatchesResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.List(pass, in));
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* MatchesService::Open(grpc::CallbackServerContext* context,
                                               const v1::OpenMatchRequest* request,
                                               v1::OpenMatchResponse* response) {
  return rpc::Unary(environment_, context, kOpenMatchMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::OpenMatchRequest& in,
                           v1::OpenMatchResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.Open(pass, in));
                      return absl::OkStatus();
                    });
}

}  // namespace raakvlak::broker
