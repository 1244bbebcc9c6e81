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

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "policy/note_folder.h"
#include "raakvlak/v1/policy.pb.h"
#include "rpc/gate.h"
#include "server/storage/broker_store.h"

namespace raakvlak::broker {

class PolicyPublication {
 public:
  static constexpr size_t kMaxNote = 1'000'000;
  static constexpr int kMaxKnown = 1'000;
  // Of the notes in one answer; what is left comes with the next.
  static constexpr size_t kMaxFetchBytes = 12 << 20;

  // `folder` is the Authority's (policy::PolicyFiles). The references outlive this.
  PolicyPublication(storage::BrokerStore& store, std::string folder, const base::Clock& clock)
      : store_(store), folder_(std::move(folder)), clock_(clock) {}

  // The entry is durable before the note is kept, so nothing is in force without one. TOO_LARGE, errors of
  // policy::CheckNote, STORAGE_FAILED.
  absl::StatusOr<v1::PublishResponse> Publish(const rpc::Gate::Pass& pass, const v1::PublishRequest& request);
  // TOO_LARGE (over kMaxKnown), INVALID_ARGUMENT (not 32 bytes), STORAGE_FAILED.
  absl::StatusOr<v1::FetchPolicyResponse> FetchPolicy(const rpc::Gate::Pass& pass,
                                                      const v1::FetchPolicyRequest& request);

 private:
  // What of a note does not change with time.
  struct Description {
    policy::NoteKind kind = policy::NoteKind::kCovenant;
    std::string covenant_id;  // of the covenant itself, or of that which it is about
    uint64_t number = 0;      // of a roster
  };
  const std::optional<Description>& Describe(const std::string& hash, const std::string& bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  storage::BrokerStore& store_;
  const std::string folder_;
  const base::Clock& clock_;
  base::Mutex mutex_;
  // By hash; nothing for what is no note.
  std::map<std::string, std::optional<Description>> described_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::broker
