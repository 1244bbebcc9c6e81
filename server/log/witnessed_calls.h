// WitnessedCalls: while the log has been without its quorum of witnesses for too long, nothing is done that
// would have to be logged: calls are refused LOG_UNWITNESSED. Reading the log and witnessing the logs of
// others go on: without them nobody could find out why, and two processes could keep each other shut. So do
// covenants and rosters: a partner is suspended also then, and a covenant with other witnesses is a way out.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "rpc/call.h"

namespace raakvlak::log {

class WitnessedCalls final : public rpc::Condition {
 public:
  // `standing` is Cosigner::CheckStanding of the witnesses in force.
  explicit WitnessedCalls(std::function<absl::Status()> standing) : standing_(std::move(standing)) {}

  absl::Status Check(absl::string_view method) const override {
    const bool goes_on = absl::StartsWith(method, "/raakvlak.v1.Audit/") ||
                         absl::StartsWith(method, "/raakvlak.v1.Witness/") ||
                         absl::StartsWith(method, "/raakvlak.v1.Policy/");
    return goes_on ? absl::OkStatus() : standing_();
  }

 private:
  const std::function<absl::Status()> standing_;
};

}  // namespace raakvlak::log
