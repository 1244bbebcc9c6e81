#include "server/broker/policy_publication.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/note.h"
#include "policy/roster.h"
#include "server/broker/audit_entry.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {
namespace {

constexpr size_t kHashSize = 32;

absl::Status RefusedArgument(const char* reason, absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, reason, message);
}

absl::StatusOr<policy::CheckedNote> CheckPublished(const rpc::Gate::Pass& pass, const std::string& note,
                                                   absl::Time now) {
  if (note.size() > PolicyPublication::kMaxNote) {
    return RefusedArgument(base::reason::kTooLarge,
                           absl::StrCat("a note has at most ", PolicyPublication::kMaxNote, " bytes"));
  }
  return policy::CheckNote(note, pass.snapshot, now);
}

struct Useful {
  // In the order in which they are to be taken.
  std::tuple<policy::NoteKind, uint64_t, std::string> rank;
  std::string bytes;
};

}  // namespace

absl::StatusOr<v1::PublishResponse> PolicyPublication::Publish(const rpc::Gate::Pass& pass,
                                                               const v1::PublishRequest& request) {
  const absl::Time now = clock_.Now();
  const std::string hash = base::Sha256(request.note());
  storage::AuditEntry entry = EntryOf(pass, now, "policy_publish", base::Hex(hash));
  const absl::StatusOr<policy::CheckedNote> checked = CheckPublished(pass, request.note(), now);
  if (!checked.ok()) return RefuseDurably(store_, entry, kPublishMethod, checked.status());
  v1::PublishResponse response;
  response.set_kind(std::string(policy::NameOf(checked->kind)));
  response.set_note_hash(hash);
  entry.object = absl::StrCat(response.kind(), " ", entry.object);
  RAAKVLAK_RETURN_IF_ERROR(
      store_.Write("policy_publish", [&](storage::BrokerTransaction& transaction) -> absl::Status {
        return transaction.AppendAudit(entry).status();
      }));
  if (!checked->known) RAAKVLAK_RETURN_IF_ERROR(policy::AddNote(folder_, request.note()));
  return response;
}

const std::optional<PolicyPublication::Description>& PolicyPublication::Describe(const std::string& hash,
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

absl::StatusOr<v1::FetchPolicyResponse> PolicyPublication::FetchPolicy(
    const rpc::Gate::Pass& pass, const v1::FetchPolicyRequest& request) {
  std::set<std::string> known(request.known().begin(), request.known().end());
  absl::Status refused;
  if (request.known_size() > kMaxKnown)
    refused = RefusedArgument(base::reason::kTooLarge, absl::StrCat("at most ", kMaxKnown, " are named"));
  for (const std::string& hash : known) {
    if (hash.size() != kHashSize)
      refused = RefusedArgument(base::reason::kInvalidArgument, "a hash has 32 bytes");
  }
  if (!refused.ok())
    return RefuseDurably(store_, EntryOf(pass, clock_.Now(), "", ""), kFetchPolicyMethod, refused);

  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<policy::StoredNote> notes, policy::ReadNotes(folder_));
  const policy::Snapshot& snapshot = pass.snapshot;
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

}  // namespace raakvlak::broker
