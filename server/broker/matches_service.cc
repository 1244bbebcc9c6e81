#include "server/broker/matches_service.h"

#include "server/broker/method_table.h"

namespace raakvlak::broker {

grpc::ServerUnaryReactor* MatchesService::List(grpc::CallbackServerContext* context,
                                               const v1::ListMatchesRequest* request,
                                               v1::ListMatchesResponse* response) {
  return rpc::Unary(environment_, context, kListMatchesMethod, request, response,
                    rpc::CoreOf(core_, &Matches::List));
}

grpc::ServerUnaryReactor* MatchesService::Open(grpc::CallbackServerContext* context,
                                               const v1::OpenMatchRequest* request,
                                               v1::OpenMatchResponse* response) {
  return rpc::Unary(environment_, context, kOpenMatchMethod, request, response,
                    rpc::CoreOf(core_, &Matches::Open));
}

}  // namespace raakvlak::broker
