// Intake: takes signals from the partner's own IT system (proto intake.proto). A receipt is given only when
// the signal is durable; from then on it goes out without further help.
//
// Idempotent on client_ref: the same record again is KNOWN, whatever the covenant or the day say by then;
// another one is CLIENT_REF_CONFLICT. What was withdrawn or has expired does not come back under its
// client_ref; what the broker refused may be pushed anew, as a new signal.
//
// Records are encrypted before they reach the store (server/node/vault.h). Thread safety: all methods may be
// called from any thread.
#pragma once

#include "absl/status/statusor.h"
#include "raakvlak/v1/intake.pb.h"
#include "rpc/gate.h"
#include "server/node/environment.h"
#include "server/node/outbox.h"

namespace raakvlak::node {

inline constexpr int kMaxPushBatch = 512;
inline constexpr uint32_t kMaxPage = 1000;
inline constexpr uint32_t kDefaultPage = 200;

class Intake {
 public:
  // `outbox` outlives this.
  Intake(const Environment& environment, Outbox& outbox) : environment_(environment), outbox_(outbox) {}

  // Push answers each record by itself: ACCEPTED, KNOWN, or REJECTED with a reason of ValidateRecord,
  // ADDRESS_EXCLUDED, CLIENT_REF_CONFLICT or CLIENT_REF_ENDED. The batch as a whole fails, and may be sent
  // again: INVALID_ARGUMENT (empty), TOO_LARGE, STORAGE_FAILED.
  absl::StatusOr<v1::PushResponse> Push(const rpc::Gate::Pass& pass, const v1::PushRequest& request);

  // NOT_FOUND, INVALID_ARGUMENT (no such reason), STORAGE_FAILED. A signal that has ended stays as it is.
  absl::StatusOr<v1::WithdrawResponse> Withdraw(const rpc::Gate::Pass& pass,
                                                const v1::WithdrawRequest& request);

  // NOT_FOUND, STORAGE_FAILED.
  absl::StatusOr<v1::GetStateResponse> GetState(const rpc::Gate::Pass& pass,
                                                const v1::GetStateRequest& request) const;

  // INVALID_ARGUMENT (page size, page token), STORAGE_FAILED.
  absl::StatusOr<v1::ListSignalsResponse> ListSignals(const rpc::Gate::Pass& pass,
                                                      const v1::ListSignalsRequest& request) const;

 private:
  // Writes the entry "intake_read" of an answer; without it there is none.
  absl::Status LogRead(const rpc::Gate::Pass& pass, absl::string_view object, absl::string_view purpose,
                       uint64_t count) const;
  absl::StatusOr<v1::SignalStatus> StatusOf(const storage::NodeSignal& signal) const;

  const Environment environment_;
  Outbox& outbox_;
};

}  // namespace raakvlak::node
