#include "server/program/policy_poller.h"

#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "base/status.h"
#include "policy/note_folder.h"

namespace raakvlak::server {
namespace {

constexpr absl::Duration kPollEvery = absl::Seconds(1);
constexpr absl::Duration kPollTimeout = absl::Seconds(5);
// As the .proto says.
constexpr size_t kMaxKnownNotes = 1'000;

}  // namespace

absl::StatusOr<int> PolicyPoller::RunOnce() {
  absl::StatusOr<int> kept = Ask();
  if (!kept.ok() && !failing_) base::LogStatus(base::LogLevel::kWarning, "policy.not_fetched", kept.status());
  if (kept.ok() && failing_) base::Log(base::LogLevel::kInfo, "policy.fetched_again");
  failing_ = !kept.ok();
  return kept;
}

absl::StatusOr<int> PolicyPoller::Ask() {
  if (auto current = authority_.Current(); current.ok()) last_known_ = *std::move(current);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<policy::StoredNote> notes, policy::ReadNotes(folder_));
  v1::FetchPolicyRequest request;
  for (const std::string& hash : refused_) {
    if (static_cast<size_t>(request.known_size()) < kMaxKnownNotes) request.add_known(hash);
  }
  for (const policy::StoredNote& note : notes) {
    if (static_cast<size_t>(request.known_size()) < kMaxKnownNotes)
      request.add_known(base::Sha256(note.bytes));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::FetchPolicyResponse response,
                            client_->FetchPolicy(request, kPollTimeout));
  return Take(response);
}

absl::StatusOr<int> PolicyPoller::Take(const v1::FetchPolicyResponse& response) {
  std::vector<const std::string*> left;
  for (const std::string& note : response.notes()) left.push_back(&note);
  int kept = 0;
  std::vector<absl::Status> reasons;
  // One may need another one first, whatever the order in which they came.
  while (true) {
    const size_t before = left.size();
    std::vector<const std::string*> not_good;
    reasons.clear();
    for (const std::string* note : left) {
      const auto checked = policy::CheckNote(*note, last_known_, clock_.Now());
      if (!checked.ok()) {
        not_good.push_back(note);
        reasons.push_back(checked.status());
        continue;
      }
      RAAKVLAK_RETURN_IF_ERROR(policy::AddNote(folder_, *note));
      ++kept;
      base::Log(base::LogLevel::kInfo, "policy.note_taken",
                {{"kind", std::string(policy::NameOf(checked->kind))}});
      if (auto current = authority_.Current(); current.ok()) last_known_ = *std::move(current);
    }
    left = std::move(not_good);
    if (left.size() == before) break;
  }
  if (kept > 0) refused_.clear();
  for (size_t i = 0; i < left.size(); ++i) {
    // A broker that makes up notes without end fills neither memory nor the log.
    if (refused_.size() >= kMaxKnownNotes || !refused_.insert(base::Sha256(*left[i])).second) continue;
    base::LogStatus(base::LogLevel::kWarning, "policy.note_refused", reasons[i]);
  }
  return kept;
}

void PolicyPoller::Start() {
  job_ = std::make_unique<base::PeriodicJob>([] { return kPollEvery; }, [this] { RunOnce().IgnoreError(); });
}

void PolicyPoller::Stop() {
  if (job_ != nullptr) job_->Stop();
}

}  // namespace raakvlak::server
