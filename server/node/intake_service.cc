#include "server/node/intake_service.h"

#include "rpc/stream.h"
#include "server/node/method_table.h"

namespace raakvlak::node {

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* IntakeService::Push(
    grpc::CallbackServerContext* context) {
  return rpc::ServeStream<v1::PushRequest, v1::PushResponse>(
      environment_, context, kPushMethod,
      rpc::RefusingCoreOf(environment_, kPushMethod, core_, &Intake::Push));
}

grpc::ServerUnaryReactor* IntakeService::Withdraw(grpc::CallbackServerContext* context,
                                                  const v1::WithdrawRequest* request,
                                                  v1::WithdrawResponse* response) {
  return rpc::Unary(environment_, context, kWithdrawMethod, request, response,
                    rpc::RefusingCoreOf(environment_, kWithdrawMethod, core_, &Intake::Withdraw));
}

grpc::ServerUnaryReactor* IntakeService::GetState(grpc::CallbackServerContext* context,
                                                  const v1::GetStateRequest* request,
                                                  v1::GetStateResponse* response) {
  return rpc::Unary(environment_, context, kGetStateMethod, request, response,
                    rpc::RefusingCoreOf(environment_, kGetStateMethod, core_, &Intake::GetState));
}

grpc::ServerUnaryReactor* IntakeService::ListSignals(grpc::CallbackServerContext* context,
                                                     const v1::ListSignalsRequest* request,
                                                     v1::ListSignalsResponse* response) {
  return rpc::Unary(environment_, context, kListSignalsMethod, request, response,
                    rpc::RefusingCoreOf(environment_, kListSignalsMethod, core_, &Intake::ListSignals));
}

grpc::ServerUnaryReactor* IntakeService::GetReceipt(grpc::CallbackServerContext* context,
                                                    const v1::GetReceiptRequest* request,
                                                    v1::GetReceiptResponse* response) {
  return rpc::Unary(environment_, context, kGetReceiptMethod, request, response,
                    rpc::RefusingCoreOf(environment_, kGetReceiptMethod, receipts_, &Receipts::GetReceipt));
}

}  // namespace raakvlak::node
