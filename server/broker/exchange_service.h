// ExchangeService: the gRPC side of broker/exchange.h. Thread safety: gRPC calls it from any thread.
#pragma once

#include "raakvlak/v1/exchange.grpc.pb.h"
#include "rpc/call.h"
#include "server/broker/exchange.h"

namespace raakvlak::broker {

class ExchangeService final : public v1::Exchange::CallbackService {
 public:
  // What `environment` points to, and `core`, outlive the service.
  ExchangeService(const rpc::CallEnvironment& environment, Exchange& core)
      : environment_(environment), core_(core) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context, const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override;
  grpc::ServerUnaryReactor* Withdraw(grpc::CallbackServerContext* context,
                                     const v1::WithdrawSignalsRequest* request,
                                     v1::WithdrawSignalsResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  Exchange& core_;
};

}  // namespace raakvlak::broker
