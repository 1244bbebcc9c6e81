// ExchangeClient: a node's way to the broker. Thread safety: all methods may be called from any thread.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/channel_source.h"
#include "raakvlak/v1/exchange.pb.h"

namespace raakvlak::client {

class ExchangeClient {
 public:
  virtual ~ExchangeClient() = default;
  // The broker's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  virtual absl::StatusOr<v1::SubmitResponse> Submit(const v1::SubmitRequest& request,
                                                    absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::WithdrawSignalsResponse> Withdraw(const v1::WithdrawSignalsRequest& request,
                                                               absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::ProveEntryResponse> ProveEntry(const v1::ProveEntryRequest& request,
                                                            absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::ListAllowancesResponse> ListAllowances(const v1::ListAllowancesRequest& request,
                                                                    absl::Duration timeout) = 0;
};

std::unique_ptr<ExchangeClient> MakeExchangeClient(std::shared_ptr<grpc::Channel> channel);
std::unique_ptr<ExchangeClient> MakeExchangeClient(ChannelSource channel);

}  // namespace raakvlak::client
