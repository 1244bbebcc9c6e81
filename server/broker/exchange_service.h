// ExchangeService: the gRPC side of broker/exchange.h and entry_prover.h. Thread safety: gRPC calls it from
// any thread.
#pragma once

#include "raakvlak/v1/exchange.grpc.pb.h"
#include "rpc/call.h"
#include "server/broker/entry_prover.h"
#include "server/broker/exchange.h"

namespace raakvlak::broker {

class ExchangeService final : public v1::Exchange::CallbackService {
 public:
  // What `environment` points to, and the cores, outlive the service.
  ExchangeService(const rpc::CallEnvironment& environment, Exchange& core, EntryProver& prover)
      : environment_(environment), core_(core), prover_(prover) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context, const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override;
  grpc::ServerUnaryReactor* Withdraw(grpc::CallbackServerContext* context,
                                     const v1::WithdrawSignalsRequest* request,
                                     v1::WithdrawSignalsResponse* response) override;
  grpc::ServerUnaryReactor* ProveEntry(grpc::CallbackServerContext* context,
                                       const v1::ProveEntryRequest* request,
                                       v1::ProveEntryResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  Exchange& core_;
  EntryProver& prover_;
};

}  // namespace raakvlak::broker
