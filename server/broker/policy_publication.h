// PolicyPublication: keeps what the partners agreed on for all and hands it out
// (proto/raakvlak/v1/policy.proto): covenants, rosters, withdrawn signatures.
//
// What it keeps is the folder that the broker's own policy::Authority reads, so a note works here on the next
// call, and what Authority took from the broker's files is handed out too. Everyone verifies what it gets
// itself: this can hold a note back, and change nothing.
//
// The gate has admitted the caller. Refusals leave an entry. Thread safety: all methods may be called from
// any thread.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "policy/note_folder.h"
#include "raakvlak/v1/policy.pb.h"
#include "rpc/gate.h"
#include "server/program/policy_reading.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class PolicyPublication {
 public:
  static constexpr size_t kMaxNote = 1'000'000;

  // `folder` is the Authority's (policy::PolicyFiles). The references outlive this.
  PolicyPublication(storage::BrokerStore& store, std::string folder, const base::Clock& clock)
      : store_(store), folder_(std::move(folder)), clock_(clock), reading_(folder_) {}

  // The entry is durable before the note is kept, so nothing is in force without one. TOO_LARGE, errors of
  // policy::CheckNote, STORAGE_FAILED.
  absl::StatusOr<v1::PublishResponse> Publish(const rpc::Gate::Pass& pass, const v1::PublishRequest& request);
  // Errors of PolicyReading::Fetch; STORAGE_FAILED when the refusal cannot be logged.
  absl::StatusOr<v1::FetchPolicyResponse> FetchPolicy(const rpc::Gate::Pass& pass,
                                                      const v1::FetchPolicyRequest& request);

 private:
  storage::BrokerStore& store_;
  const std::string folder_;
  const base::Clock& clock_;
  server::PolicyReading reading_;
};

}  // namespace raakvlak::broker
