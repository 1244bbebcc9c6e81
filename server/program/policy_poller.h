// PolicyPoller: takes what the partners agreed on from the broker (proto/raakvlak/v1/policy.proto), so that a
// new covenant, roster or withdrawal is in force here within a second, without a restart.
//
// Each note is checked (policy::CheckNote) and then kept in the folder that policy::Authority reads, which
// verifies it again. One that is not good is logged once and asked for no more, until another one is taken:
// it may fit then. A broker that does not answer, or refuses, is one log line until it answers again.
//
// It does NOT make anything newer than what the broker hands out: who controls the broker, or the network,
// can hold back notes, and then the roster in force expires here.
//
// Thread safety: RunOnce from one thread at a time; Start and Stop from any.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/periodic_job.h"
#include "client/policy_client.h"
#include "policy/authority.h"

namespace raakvlak::server {

class PolicyPoller {
 public:
  // `folder` is the Authority's (policy::PolicyFiles); `in_force` is what is in force now. The references
  // outlive this.
  PolicyPoller(std::unique_ptr<client::PolicyClient> client, policy::Authority& authority, std::string folder,
               const base::Clock& clock, policy::Snapshot in_force)
      : client_(std::move(client)),
        authority_(authority),
        folder_(std::move(folder)),
        clock_(clock),
        last_known_(std::move(in_force)) {}

  // RunOnce asks, and returns how many notes were kept. UNAVAILABLE, DEADLINE_EXCEEDED, the broker's refusal;
  // FILE_UNREADABLE, STORAGE_FAILED.
  absl::StatusOr<int> RunOnce();

  // Begins to ask each second, the first time at once. REQUIRES: not started before.
  void Start();
  // Lets a run that is under way finish. May be called twice; the destructor does it too.
  void Stop();

 private:
  absl::StatusOr<int> Ask();
  absl::StatusOr<int> Take(const v1::FetchPolicyResponse& response);

  const std::unique_ptr<client::PolicyClient> client_;
  policy::Authority& authority_;
  const std::string folder_;
  const base::Clock& clock_;
  // Against which notes are checked while nothing is in force.
  policy::Snapshot last_known_;
  // Hashes of notes that were not good.
  std::set<std::string> refused_;
  bool failing_ = false;
  // Ends before what it uses.
  std::unique_ptr<base::PeriodicJob> job_;
};

}  // namespace raakvlak::server
