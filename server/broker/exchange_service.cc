#include "server/broker/exchange_service.h"

#include "base/status.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {

grpc::ServerUnaryReactor* ExchangeService::Submit(grpc::CallbackServerContext* context,
                                                  const v1::SubmitRequest* request,
                                                  v1::SubmitResponse* response) {
  return rpc::Unary(environment_, context, kSubmitMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::SubmitRequest& in,
                           v1::SubmitResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.Submit(pass, in));
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* ExchangeService::Withdraw(grpc::CallbackServerContext* context,
                                                    const v1::WithdrawSignalsRequest* request,
                                                    v1::WithdrawSignalsResponse* response) {
  return rpc::Unary(environment_, context, kWithdrawMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::WithdrawSignalsRequest& in,
                           v1::WithdrawSignalsResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.Withdraw(pass, in));
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* ExchangeService::ProveEntry(grpc::CallbackServerContext* context,
                                                      const v1::ProveEntryRequest* request,
                                                      v1::ProveEntryResponse* response) {
  return rpc::Unary(environment_, context, kProveEntryMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::ProveEntryRequest& in,
                           v1::ProveEntryResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, prover_.ProveEntry(pass, in));
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* ExchangeService::ListAllowances(grpc::CallbackServerContext* context,
                                                          const v1::ListAllowancesRequest* request,
                                                          v1::ListAllowancesResponse* response) {
  return rpc::Unary(environment_, context, kListAllowancesMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::ListAllowancesRequest& in,
                           v1::ListAllowancesResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, allowances_.List(pass, in));
                      return absl::OkStatus();
                    });
}

}  // namespace raakvlak::broker
