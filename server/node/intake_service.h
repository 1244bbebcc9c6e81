// IntakeService: the gRPC side of node/intake.h and receipts.h. Thread safety: gRPC calls it from any thread.
#pragma once

#include "raakvlak/v1/intake.grpc.pb.h"
#include "rpc/call.h"
#include "server/node/intake.h"
#include "server/node/receipts.h"

namespace raakvlak::node {

// v1::Intake::CallbackService, with the bytes of Push for rpc/stream.h.
using IntakeMethods = v1::Intake::WithRawCallbackMethod_Push<v1::Intake::WithCallbackMethod_Withdraw<
    v1::Intake::WithCallbackMethod_GetState<v1::Intake::WithCallbackMethod_ListSignals<
        v1::Intake::WithCallbackMethod_GetReceipt<v1::Intake::Service>>>>>;

class IntakeService final : public IntakeMethods {
 public:
  // What `environment` points to, and the cores, outlive the service.
  IntakeService(const rpc::CallEnvironment& environment, Intake& core, Receipts& receipts)
      : environment_(environment), core_(core), receipts_(receipts) {}

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Push(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Withdraw(grpc::CallbackServerContext* context, const v1::WithdrawRequest* request,
                                     v1::WithdrawResponse* response) override;
  grpc::ServerUnaryReactor* GetState(grpc::CallbackServerContext* context, const v1::GetStateRequest* request,
                                     v1::GetStateResponse* response) override;
  grpc::ServerUnaryReactor* ListSignals(grpc::CallbackServerContext* context,
                                        const v1::ListSignalsRequest* request,
                                        v1::ListSignalsResponse* response) override;
  grpc::ServerUnaryReactor* GetReceipt(grpc::CallbackServerContext* context,
                                       const v1::GetReceiptRequest* request,
                                       v1::GetReceiptResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  Intake& core_;
  Receipts& receipts_;
};

}  // namespace raakvlak::node
