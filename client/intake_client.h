// IntakeClient: a partner's IT system hands signals to its own node. Thread safety: all methods may be called
// from any thread; one Push stream is for one thread, and goes before its client.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "raakvlak/v1/intake.pb.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace raakvlak::client {

// An open Push call: send a batch, get its receipts. Send at most two batches ahead of Receive: the node
// takes no more while its receipts are not received, and a thread that goes on sending would wait until the
// call's deadline.
class PushStream {
 public:
  // Cuts the call off when it was not closed.
  virtual ~PushStream() = default;
  // Errors of the call: its refusal with the reason, UNAVAILABLE, DEADLINE_EXCEEDED. Once the call has ended,
  // all methods return its outcome, and UNAVAILABLE when the node ended it without an error.
  virtual absl::Status Send(const v1::PushRequest& batch) = 0;
  virtual absl::StatusOr<v1::PushResponse> Receive() = 0;
  // Says that no more batches come, passes over receipts that were not received, and returns the call's
  // outcome.
  virtual absl::Status Close() = 0;
};

class IntakeClient {
 public:
  virtual ~IntakeClient() = default;
  // `timeout` is for the whole stream, at most a day.
  virtual std::unique_ptr<PushStream> Push(absl::Duration timeout) = 0;
  // The node's refusal with its reason, UNAVAILABLE, or DEADLINE_EXCEEDED.
  virtual absl::StatusOr<v1::WithdrawResponse> Withdraw(const v1::WithdrawRequest& request,
                                                        absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::GetStateResponse> GetState(const v1::GetStateRequest& request,
                                                        absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::ListSignalsResponse> ListSignals(const v1::ListSignalsRequest& request,
                                                              absl::Duration timeout) = 0;
  virtual absl::StatusOr<v1::GetReceiptResponse> GetReceipt(const v1::GetReceiptRequest& request,
                                                            absl::Duration timeout) = 0;
};

std::unique_ptr<IntakeClient> MakeIntakeClient(std::shared_ptr<grpc::Channel> channel);

}  // namespace raakvlak::client
