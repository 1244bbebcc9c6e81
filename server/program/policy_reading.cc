#include "server/program/policy_reading.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/roster.h"

namespace raakvlak::server {
namespace {

constexpr size_t kHashSize = 32;

absl::Status RefusedArgument(const char* reason, absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, reason, message);
}

struct Useful {
  // In the order in which they are to be taken.
  std::tuple<policy::NoteKind, uint64_t, std::string> rank;
  std::string bytes;
};

}  // namespace

const std::optional<PolicyReading::Description>& PolicyReading::Describe(const std::string& hash,
                                                                         const std::string& bytes) {
  const auto known = described_.find(hash);
  if (known != described_.end()) return known->second;
  std::optional<Description>& described = described_[hash];
  const auto kind = policy::ClassifyNote(bytes);
  const auto note = crypto::note::Parse(bytes);
  if (!kind.ok() || !note.ok()) return described;
  described = Description{*kind, "", 0};
  if (*kind == policy::NoteKind::kCovenant) {
    described->covenant_id = base::Sha256(note->text);
  } else if (*kind == policy::NoteKind::kRoster) {
    const auto roster = policy::ParseRosterText(note->text);
    RAAKVLAK_CHECK(roster.ok(), "it was classified by that");
    described->covenant_id = base::ParseHex(roster->covenant_id()).value_or("");
    described->number = roster->number();
  }
  return described;
}

absl::StatusOr<v1::FetchPolicyResponse> PolicyReading::Fetch(const policy::Snapshot& snapshot,
                                                             const v1::FetchPolicyRequest& request) {
  if (request.known_size() > kMaxKnown)
    return RefusedArgument(base::reason::kTooLarge, absl::StrCat("at most ", kMaxKnown, " are named"));
  const std::set<std::string> known(request.known().begin(), request.known().end());
  for (const std::string& hash : known) {
    if (hash.size() != kHashSize)
      return RefusedArgument(base::reason::kInvalidArgument, "a hash has 32 bytes");
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<policy::StoredNote> notes, policy::ReadNotes(folder_));
  std::vector<Useful> useful;
  {
    base::MutexLock lock(mutex_);
    for (const policy::StoredNote& note : notes) {
      const std::string hash = base::Sha256(note.bytes);
      if (known.count(hash) > 0) continue;
      const std::optional<Description>& described = Describe(hash, note.bytes);
      if (!described) continue;
      uint64_t number = 0;
      if (described->kind != policy::NoteKind::kWithdrawal) {
        const auto covenant = snapshot.FindCovenant(described->covenant_id);
        if (covenant == nullptr) continue;
        number = covenant->text().version();
      }
      if (described->kind == policy::NoteKind::kRoster) {
        // Older ones would be refused by everyone.
        if (number < snapshot.covenant->text().version() || described->number < snapshot.roster->number())
          continue;
        number = described->number;
      }
      useful.push_back({{described->kind, number, hash}, note.bytes});
    }
  }
  std::sort(useful.begin(), useful.end(), [](const Useful& a, const Useful& b) { return a.rank < b.rank; });
  v1::FetchPolicyResponse response;
  size_t bytes = 0;
  for (Useful& note : useful) {
    bytes += note.bytes.size();
    if (bytes > kMaxFetchBytes) break;
    response.add_notes(std::move(note.bytes));
  }
  return response;
}

}  // namespace raakvlak::server
