#include "server/broker/entry_prover.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "server/broker/audit_entry.h"
#include "server/broker/method_table.h"

namespace raakvlak::broker {
namespace {

// A node waits longer (client/exchange_client.h).
constexpr absl::Duration kProofTimeout = absl::Seconds(10);

}  // namespace

absl::StatusOr<v1::ProveEntryResponse> EntryProver::ProveEntry(const rpc::Gate::Pass& pass,
                                                               const v1::ProveEntryRequest& request) {
  const storage::EntryId id = {request.year(), request.index()};
  storage::AuditEntry entry = EntryOf(pass, clock_.Now(), "prove", absl::StrCat(id.year, "/", id.index));
  absl::StatusOr<v1::ProveEntryResponse> proven = DoProve(pass, id);
  if (!proven.ok()) return RefuseDurably(store_, entry, kProveEntryMethod, proven.status());
  entry.count = 1;
  RAAKVLAK_RETURN_IF_ERROR(store_.AppendAudit(entry).status());
  return proven;
}

absl::StatusOr<v1::ProveEntryResponse> EntryProver::DoProve(const rpc::Gate::Pass& pass,
                                                            storage::EntryId id) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<storage::StoredEntry> stored, store_.audit_log().Find(id));
  if (!stored.has_value() || stored->entry.action != "submit" || stored->entry.actor != pass.caller.urn) {
    return base::Error(absl::StatusCode::kNotFound, base::reason::kNotFound,
                       "this is no entry of a submit of yours");
  }
  v1::ProveEntryResponse response;
  RAAKVLAK_ASSIGN_OR_RETURN(
      *response.mutable_proof(),
      prover_.Prove({id, stored->time_ms, stored->salt, stored->details}, clock_.Now() + kProofTimeout));
  return response;
}

}  // namespace raakvlak::broker
