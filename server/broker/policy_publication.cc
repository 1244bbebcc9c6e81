#include "server/broker/policy_publication.h"

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/broker/audit_entry.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {
namespace {

absl::StatusOr<policy::CheckedNote> CheckPublished(const rpc::Gate::Pass& pass, const std::string& note,
                                                   absl::Time now) {
  if (note.size() > PolicyPublication::kMaxNote) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kTooLarge,
                       absl::StrCat("a note has at most ", PolicyPublication::kMaxNote, " bytes"));
  }
  return policy::CheckNote(note, pass.snapshot, now);
}

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

absl::StatusOr<v1::FetchPolicyResponse> PolicyPublication::FetchPolicy(
    const rpc::Gate::Pass& pass, const v1::FetchPolicyRequest& request) {
  auto response = reading_.Fetch(pass.snapshot, request);
  if (response.ok()) return response;
  return RefuseDurably(store_, EntryOf(pass, clock_.Now(), "", ""), server::kFetchPolicyMethod,
                       response.status());
}

}  // namespace raakvlak::broker
