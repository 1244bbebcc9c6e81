#include "client/exchange_client.h"

#include "raakvlak/v1/exchange.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcExchangeClient final : public ExchangeClient {
 public:
  explicit GrpcExchangeClient(ChannelSource channel) : channel_(std::move(channel)) {}

  absl::StatusOr<v1::SubmitResponse> Submit(const v1::SubmitRequest& request,
                                            absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Exchange::Stub::Submit, request, timeout);
  }
  absl::StatusOr<v1::WithdrawSignalsResponse> Withdraw(const v1::WithdrawSignalsRequest& request,
                                                       absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Exchange::Stub::Withdraw, request, timeout);
  }
  absl::StatusOr<v1::ProveEntryResponse> ProveEntry(const v1::ProveEntryRequest& request,
                                                    absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Exchange::Stub::ProveEntry, request, timeout);
  }
  absl::StatusOr<v1::ListAllowancesResponse> ListAllowances(const v1::ListAllowancesRequest& request,
                                                            absl::Duration timeout) override {
    return rpc::CallUnary(*stub(), &v1::Exchange::Stub::ListAllowances, request, timeout);
  }

 private:
  std::unique_ptr<v1::Exchange::Stub> stub() const { return v1::Exchange::NewStub(channel_()); }
  const ChannelSource channel_;
};

}  // namespace

std::unique_ptr<ExchangeClient> MakeExchangeClient(std::shared_ptr<grpc::Channel> channel) {
  return MakeExchangeClient([channel = std::move(channel)] { return channel; });
}

std::unique_ptr<ExchangeClient> MakeExchangeClient(ChannelSource channel) {
  return std::make_unique<GrpcExchangeClient>(std::move(channel));
}

}  // namespace raakvlak::client
