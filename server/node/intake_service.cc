#include "server/node/intake_service.h"

#include <string>
#include <utility>

#include "base/reason.h"
#include "base/status.h"
#include "rpc/stream.h"
#include "server/node/method_table.h"

namespace raakvlak::node {
namespace {

// The core's entries are for what it answers; this adds those for what it refuses.
template <typename Response>
absl::Status Answer(const rpc::CallEnvironment& environment, const rpc::Gate::Pass& pass,
                    absl::string_view method, absl::StatusOr<Response> answer, Response& out_response) {
  if (answer.ok()) {
    out_response = *std::move(answer);
    return absl::OkStatus();
  }
  const std::string why = base::ReasonOf(answer.status());
  if (why == base::reason::kStorageFailed || why == base::reason::kInternal) return answer.status();
  return rpc::RefuseRequest(environment, pass, method, answer.status());
}

}  // namespace

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* IntakeService::Push(
    grpc::CallbackServerContext* context) {
  return rpc::ServeStream<v1::PushRequest, v1::PushResponse>(
      environment_, context, kPushMethod,
      [this](const rpc::Gate::Pass& pass, const v1::PushRequest& in, v1::PushResponse& out) -> absl::Status {
        return Answer(environment_, pass, kPushMethod, core_.Push(pass, in), out);
      });
}

grpc::ServerUnaryReactor* IntakeService::Withdraw(grpc::CallbackServerContext* context,
                                                  const v1::WithdrawRequest* request,
                                                  v1::WithdrawResponse* response) {
  return rpc::Unary(environment_, context, kWithdrawMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::WithdrawRequest& in,
                           v1::WithdrawResponse& out) -> absl::Status {
                      return Answer(environment_, pass, kWithdrawMethod, core_.Withdraw(pass, in), out);
                    });
}

grpc::ServerUnaryReactor* IntakeService::GetState(grpc::CallbackServerContext* context,
                                                  const v1::GetStateRequest* request,
                                                  v1::GetStateResponse* response) {
  return rpc::Unary(environment_, context, kGetStateMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::GetStateRequest& in,
                           v1::GetStateResponse& out) -> absl::Status {
                      return Answer(environment_, pass, kGetStateMethod, core_.GetState(pass, in), out);
                    });
}

grpc::ServerUnaryReactor* IntakeService::ListSignals(grpc::CallbackServerContext* context,
                                                     const v1::ListSignalsRequest* request,
                                                     v1::ListSignalsResponse* response) {
  return rpc::Unary(environment_, context, kListSignalsMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::ListSignalsRequest& in,
                           v1::ListSignalsResponse& out) -> absl::Status {
                      return Answer(environment_, pass, kListSignalsMethod, core_.ListSignals(pass, in), out);
                    });
}

grpc::ServerUnaryReactor* IntakeService::GetReceipt(grpc::CallbackServerContext* context,
                                                    const v1::GetReceiptRequest* request,
                                                    v1::GetReceiptResponse* response) {
  return rpc::Unary(environment_, context, kGetReceiptMethod, request, response,
                    [this](const rpc::Gate::Pass& pass, const v1::GetReceiptRequest& in,
                           v1::GetReceiptResponse& out) -> absl::Status {
                      return Answer(environment_, pass, kGetReceiptMethod, receipts_.GetReceipt(pass, in),
                                    out);
                    });
}

}  // namespace raakvlak::node
