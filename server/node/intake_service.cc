#include "server/node/intake_service.h"

#include "base/status.h"
#include "rpc/stream.h"
#include "server/node/method_table.h"

namespace raakvlak::node {

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* IntakeService::Push(
    grpc::CallbackServerContext* context) {
  return rpc::ServeStream<v1::PushRequest, v1::PushResponse>(
      environment_, context, kPushMethod,
      [this](const rpc::Gate::Pass& pass, const v1::PushRequest& in, v1::PushResponse& out) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(out, core_.Push(pass, in));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* IntakeService::Withdraw(grpc::CallbackServerContext* context,
                                                  const v1::WithdrawRequest* request,
                                                  v1::WithdrawResponse* response) {
  return rpc::Unary(environment_, context, kWithdrawMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::WithdrawRequest& in,
                           v1::WithdrawResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.Withdraw(pass, in));
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* IntakeService::GetState(grpc::CallbackServerContext* context,
                                                  const v1::GetStateRequest* request,
                                                  v1::GetStateResponse* response) {
  return rpc::Unary(environment_, context, kGetStateMethod, request, response,
                    [this](const rpc::Gate::Pass&, const v1::GetStateRequest& in,
                           v1::GetStateResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.GetState(in));
                      return absl::OkStatus();
                    });
}

grpc::ServerUnaryReactor* IntakeService::ListSignals(grpc::CallbackServerContext* context,
                                                     const v1::ListSignalsRequest* request,
                                                     v1::ListSignalsResponse* response) {
  return rpc::Unary(environment_, context, kListSignalsMethod, request, response,
                    [this](const rpc::Gate::Pass&, const v1::ListSignalsRequest& in,
                           v1::ListSignalsResponse& out) -> absl::Status {
                      RAAKVLAK_ASSIGN_OR_RETURN(out, core_.ListSignals(in));
                      return absl::OkStatus();
                    });
}

}  // namespace raakvlak::node
