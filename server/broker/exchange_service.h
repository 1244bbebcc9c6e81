// ExchangeService: the gRPC side of broker/exchange.h, entry_prover.h and allowances.h. Thread safety: gRPC
// calls it from any thread.
#pragma once

#include "raakvlak/v1/exchange.grpc.pb.h"
#include "rpc/call.h"
#include "server/broker/allowances.h"
#include "server/broker/entry_prover.h"
#include "server/broker/exchange.h"

namespace raakvlak::broker {

class ExchangeService final : public v1::Exchange::CallbackService {
 public:
  // What `environment` points to, and the cores, outlive the service.
  ExchangeService(const rpc::CallEnvironment& environment, Exchange& core, EntryProver& prover,
                  Allowances& allowances)
      : environment_(environment), core_(core), prover_(prover), allowances_(allowances) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context, const v1::SubmitRequest* request,
                                   v1::SubmitResponse* response) override;
  grpc::ServerUnaryReactor* Withdraw(grpc::CallbackServerContext* context,
                                     const v1::WithdrawSignalsRequest* request,
                                     v1::WithdrawSignalsResponse* response) override;
  grpc::ServerUnaryReactor* ProveEntry(grpc::CallbackServerContext* context,
                                       const v1::ProveEntryRequest* request,
                                       v1::ProveEntryResponse* response) override;
  grpc::ServerUnaryReactor* ListAllowances(grpc::CallbackServerContext* context,
                                           const v1::ListAllowancesRequest* request,
                                           v1::ListAllowancesResponse* response) override;

 private:
  const rpc::CallEnvironment environment_;
  Exchange& core_;
  EntryProver& prover_;
  Allowances& allowances_;
};

}  // namespace raakvlak::broker
