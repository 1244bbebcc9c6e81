#include "server/broker/exchange_service.h"

#include "server/broker/method_table.h"

namespace raakvlak::broker {

grpc::ServerUnaryReactor* ExchangeService::Submit(grpc::CallbackServerContext* context,
                                                  const v1::SubmitRequest* request,
                                                  v1::SubmitResponse* response) {
  return rpc::Unary(environment_, context, kSubmitMethod, request, response,
                    rpc::CoreOf(core_, &Exchange::Submit));
}

grpc::ServerUnaryReactor* ExchangeService::Withdraw(grpc::CallbackServerContext* context,
                                                    const v1::WithdrawSignalsRequest* request,
                                                    v1::WithdrawSignalsResponse* response) {
  return rpc::Unary(environment_, context, kWithdrawMethod, request, response,
                    rpc::CoreOf(core_, &Exchange::Withdraw));
}

grpc::ServerUnaryReactor* ExchangeService::ProveEntry(grpc::CallbackServerContext* context,
                                                      const v1::ProveEntryRequest* request,
                                                      v1::ProveEntryResponse* response) {
  return rpc::Unary(environment_, context, kProveEntryMethod, request, response,
                    rpc::CoreOf(prover_, &EntryProver::ProveEntry));
}

grpc::ServerUnaryReactor* ExchangeService::ListAllowances(grpc::CallbackServerContext* context,
                                                          const v1::ListAllowancesRequest* request,
                                                          v1::ListAllowancesResponse* response) {
  return rpc::Unary(environment_, context, kListAllowancesMethod, request, response,
                    rpc::CoreOf(allowances_, &Allowances::List));
}

}  // namespace raakvlak::broker
