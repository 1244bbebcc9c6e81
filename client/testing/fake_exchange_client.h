// FakeExchangeClient: an ExchangeClient that a test programs. A method that is not programmed answers
// UNAVAILABLE, as a server that is away. Thread safety: as the functions given; set them before other threads
// call.
#pragma once

#include <functional>

#include "client/exchange_client.h"
#include "client/testing/answer.h"

namespace raakvlak::client::testing {

class FakeExchangeClient final : public ExchangeClient {
 public:
  std::function<absl::StatusOr<v1::SubmitResponse>(const v1::SubmitRequest&)> on_submit;
  std::function<absl::StatusOr<v1::WithdrawSignalsResponse>(const v1::WithdrawSignalsRequest&)> on_withdraw;
  std::function<absl::StatusOr<v1::ProveEntryResponse>(const v1::ProveEntryRequest&)> on_prove_entry;
  std::function<absl::StatusOr<v1::ListAllowancesResponse>(const v1::ListAllowancesRequest&)>
      on_list_allowances;

  absl::StatusOr<v1::SubmitResponse> Submit(const v1::SubmitRequest& request, absl::Duration) override {
    return Answer(on_submit, request);
  }
  absl::StatusOr<v1::WithdrawSignalsResponse> Withdraw(const v1::WithdrawSignalsRequest& request,
                                                       absl::Duration) override {
    return Answer(on_withdraw, request);
  }
  absl::StatusOr<v1::ProveEntryResponse> ProveEntry(const v1::ProveEntryRequest& request,
                                                    absl::Duration) override {
    return Answer(on_prove_entry, request);
  }
  absl::StatusOr<v1::ListAllowancesResponse> ListAllowances(const v1::ListAllowancesRequest& request,
                                                            absl::Duration) override {
    return Answer(on_list_allowances, request);
  }
};

}  // namespace raakvlak::client::testing
