#include "client/intake_client.h"

#include <optional>

#include "base/reason.h"
#include "base/status.h"
#include "raakvlak/v1/intake.grpc.pb.h"
#include "rpc/client_call.h"

namespace raakvlak::client {
namespace {

class GrpcPushStream final : public PushStream {
 public:
  GrpcPushStream(v1::Intake::Stub& stub, absl::Duration timeout) {
    rpc::SetDeadline(context_, timeout);
    call_ = stub.Push(&context_);
  }
  ~GrpcPushStream() override {
    if (outcome_.has_value()) return;
    context_.TryCancel();
    Finish().IgnoreError();
  }

  absl::Status Send(const v1::PushRequest& batch) override {
    if (!outcome_.has_value() && call_->Write(batch)) return absl::OkStatus();
    return Ended();
  }

  absl::StatusOr<v1::PushResponse> Receive() override {
    v1::PushResponse response;
    if (!outcome_.has_value() && call_->Read(&response)) return response;
    return Ended();
  }

  absl::Status Close() override {
    if (outcome_.has_value()) return *outcome_;
    call_->WritesDone();
    return Finish();
  }

 private:
  absl::Status Finish() {
    // gRPC gives the outcome only after the last response.
    v1::PushResponse unread;
    while (call_->Read(&unread)) {
    }
    outcome_ = rpc::FromGrpc(call_->Finish(), context_);
    return *outcome_;
  }

  absl::Status Ended() {
    const absl::Status outcome = outcome_.has_value() ? *outcome_ : Finish();
    if (!outcome.ok()) return outcome;
    return base::Error(absl::StatusCode::kUnavailable, base::reason::kUnavailable, "the stream has ended");
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::PushRequest, v1::PushResponse>> call_;
  std::optional<absl::Status> outcome_;
};

class GrpcIntakeClient final : public IntakeClient {
 public:
  explicit GrpcIntakeClient(std::shared_ptr<grpc::Channel> channel)
      : stub_(v1::Intake::NewStub(std::move(channel))) {}

  std::unique_ptr<PushStream> Push(absl::Duration timeout) override {
    return std::make_unique<GrpcPushStream>(*stub_, timeout);
  }
  absl::StatusOr<v1::WithdrawResponse> Withdraw(const v1::WithdrawRequest& request,
                                                absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Intake::Stub::Withdraw, request, timeout);
  }
  absl::StatusOr<v1::GetStateResponse> GetState(const v1::GetStateRequest& request,
                                                absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Intake::Stub::GetState, request, timeout);
  }
  absl::StatusOr<v1::ListSignalsResponse> ListSignals(const v1::ListSignalsRequest& request,
                                                      absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Intake::Stub::ListSignals, request, timeout);
  }
  absl::StatusOr<v1::GetReceiptResponse> GetReceipt(const v1::GetReceiptRequest& request,
                                                    absl::Duration timeout) override {
    return rpc::CallUnary(*stub_, &v1::Intake::Stub::GetReceipt, request, timeout);
  }

 private:
  const std::unique_ptr<v1::Intake::Stub> stub_;
};

}  // namespace

std::unique_ptr<IntakeClient> MakeIntakeClient(std::shared_ptr<grpc::Channel> channel) {
  return std::make_unique<GrpcIntakeClient>(std::move(channel));
}

}  // namespace raakvlak::client
