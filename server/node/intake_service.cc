#include "server/node/intake_service.h"

#include "rpc/stream.h"
#include "server/node/method_table.h"

namespace raakvlak::node {

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* IntakeService::Push(
    grpc::CallbackServerContext* context) {
  return rpc::ServeStream<v1::PushRequest, v1::PushResponse>(
      environment_, context, kPushMethod,
      [this](const rpc::Gate::Pass& pass, const v1::PushRequest& in, v1::PushResponse& out) -> absl::Status {
        return rpc::AnswerOrRefuse(environment_, pass, kPushMethod, core_.Push(pass, in), out);
      });
}

grpc::ServerUnaryReactor* IntakeService::Withdraw(grpc::CallbackServerContext* context,
                                                  const v1::WithdrawRequest* request,
                                                  v1::WithdrawResponse* response) {
  return rpc::Unary(environment_, context, kWithdrawMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::WithdrawRequest& in,
                           v1::WithdrawResponse& out) -> absl::Status {
                      return rpc::AnswerOrRefuse(environment_, pass, kWithdrawMethod,
                                                 core_.Withdraw(pass, in), out);
                    });
}

grpc::ServerUnaryReactor* IntakeService::GetState(grpc::CallbackServerContext* context,
                                                  const v1::GetStateRequest* request,
                                                  v1::GetStateResponse* response) {
  return rpc::Unary(environment_, context, kGetStateMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::GetStateRequest& in,
                           v1::GetStateResponse& out) -> absl::Status {
                      return rpc::AnswerOrRefuse(environment_, pass, kGetStateMethod,
                                                 core_.GetState(pass, in), out);
                    });
}

grpc::ServerUnaryReactor* IntakeService::ListSignals(grpc::CallbackServerContext* context,
                                                     const v1::ListSignalsRequest* request,
                                                     v1::ListSignalsResponse* response) {
  return rpc::Unary(environment_, context, kListSignalsMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::ListSignalsRequest& in,
                           v1::ListSignalsResponse& out) -> absl::Status {
                      return rpc::AnswerOrRefuse(environment_, pass, kListSignalsMethod,
                                                 core_.ListSignals(pass, in), out);
                    });
}

grpc::ServerUnaryReactor* IntakeService::GetReceipt(grpc::CallbackServerContext* context,
                                                    const v1::GetReceiptRequest* request,
                                                    v1::GetReceiptResponse* response) {
  return rpc::Unary(environment_, context, kGetReceiptMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::GetReceiptRequest& in,
                           v1::GetReceiptResponse& out) -> absl::Status {
                      return rpc::AnswerOrRefuse(environment_, pass, kGetReceiptMethod,
                                                 receipts_.GetReceipt(pass, in), out);
                    });
}

}  // namespace raakvlak::node
