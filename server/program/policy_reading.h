// PolicyReading: the signed notes of the policy that a process has, for those who ask it with
// Policy.FetchPolicy (proto/raakvlak/v1/policy.proto). They verify each note themselves: this can hold one
// back, and change nothing.
//
// What it hands out is in the folder that the process's own policy::Authority reads. Thread safety: all
// methods may be called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "policy/authority.h"
#include "policy/note_folder.h"
#include "raakvlak/v1/policy.pb.h"

namespace raakvlak::server {

inline constexpr char kFetchPolicyMethod[] = "/raakvlak.v1.Policy/FetchPolicy";

class PolicyReading {
 public:
  static constexpr int kMaxKnown = 1'000;
  // Of the notes in one answer; what is left comes with the next.
  static constexpr size_t kMaxFetchBytes = 12 << 20;

  // `folder` is the Authority's (policy::PolicyFiles).
  explicit PolicyReading(std::string folder) : folder_(std::move(folder)) {}

  // Of what the caller does not name: the covenants of the chain, rosters from the one in force on, and
  // withdrawals, in this order. TOO_LARGE (over kMaxKnown), INVALID_ARGUMENT (not 32 bytes),
  // FILE_UNREADABLE.
  absl::StatusOr<v1::FetchPolicyResponse> Fetch(const policy::Snapshot& snapshot,
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

  const std::string folder_;
  base::Mutex mutex_;
  // By hash; nothing for what is no note.
  std::map<std::string, std::optional<Description>> described_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::server
