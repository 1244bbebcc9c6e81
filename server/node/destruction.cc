#include "server/node/destruction.h"

#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/epochs.h"
#include "server/node/key_ring.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using storage::NodeTransaction;

}  // namespace

void Destruction::Look() {
  const absl::StatusOr<policy::Snapshot> snapshot = environment_.authority->Current();
  if (!snapshot.ok()) return;
  for (const absl::Status& status :
       {DestroyKeys(*snapshot), EndPurposes(*snapshot), EndHeldBack(*snapshot)}) {
    if (!status.ok()) base::LogStatus(base::LogLevel::kError, "node.destruction_failed", status);
  }
}

absl::Status Destruction::DestroyKeys(const policy::Snapshot& snapshot) {
  const absl::Time now = environment_.clock->Now();
  std::set<std::pair<std::string, uint32_t>> unwanted;
  for (const auto& keyset : environment_.keys->Now()->keysets().all()) {
    const policy::KeysetText& text = keyset->text();
    if (!policy::IsEpochWanted(snapshot, text.purpose, text.epoch, now))
      unwanted.emplace(text.purpose, text.epoch);
  }
  for (const auto& [purpose, epoch] : unwanted) {
    RAAKVLAK_RETURN_IF_ERROR(DestroyEpoch(snapshot, purpose, epoch));
  }
  return absl::OkStatus();
}

absl::Status Destruction::DestroyEpoch(const policy::Snapshot& snapshot, const std::string& purpose,
                                       uint32_t epoch) {
  std::vector<std::string> keysets;
  for (const auto& keyset : environment_.keys->Now()->keysets().all()) {
    if (keyset->text().purpose == purpose && keyset->text().epoch == epoch) keysets.push_back(keyset->id());
  }
  RAAKVLAK_RETURN_IF_ERROR(LogDestroyed(snapshot, purpose, epoch, keysets));
  RAAKVLAK_ASSIGN_OR_RETURN(keysets, environment_.keys->Drop(purpose, epoch));
  // A ceremony may have brought one in between.
  RAAKVLAK_RETURN_IF_ERROR(LogDestroyed(snapshot, purpose, epoch, keysets));
  base::Log(base::LogLevel::kInfo, "node.key_destroyed",
            {{"purpose", purpose}, {"epoch", absl::StrCat(epoch)}});
  return absl::OkStatus();
}

absl::Status Destruction::LogDestroyed(const policy::Snapshot& snapshot, const std::string& purpose,
                                       uint32_t epoch, std::vector<std::string> keysets) {
  std::erase_if(keysets, [this](const std::string& id) { return logged_.contains(id); });
  if (keysets.empty()) return absl::OkStatus();
  const absl::Status written =
      environment_.store->Write("key_destroyed", [&](NodeTransaction& transaction) -> absl::Status {
        for (const std::string& keyset_id : keysets) {
          storage::AuditEntry entry =
              NewEntry(environment_, snapshot, OwnUrn(environment_, snapshot), "node", "key_destroyed");
          entry.object = base::Hex(keyset_id);
          entry.purpose = purpose;
          entry.reason = absl::StrCat("epoch ", epoch);
          RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(entry).status());
        }
        // That of the epoch after it was for the overlap of the two.
        return transaction.ForgetAllowances(purpose, epoch + 2);
      });
  RAAKVLAK_RETURN_IF_ERROR(written);
  logged_.insert(keysets.begin(), keysets.end());
  return absl::OkStatus();
}

absl::Status Destruction::EndPurposes(const policy::Snapshot& snapshot) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> purposes, environment_.store->LivePurposes());
  for (const std::string& purpose : purposes) {
    if (snapshot.covenant->FindPurpose(purpose) != nullptr) continue;
    RAAKVLAK_RETURN_IF_ERROR(
        EndAll(snapshot, purpose, reason::kPurposeEnded, [&](NodeTransaction& transaction) {
          return transaction.EndPurpose(purpose, reason::kPurposeEnded, environment_.NowMs(), end_at_once_);
        }));
  }
  return absl::OkStatus();
}

absl::Status Destruction::EndHeldBack(const policy::Snapshot& snapshot) {
  for (const v1::Purpose& purpose : snapshot.covenant->text().purposes()) {
    const uint32_t epoch = purpose.epoch();
    if (environment_.clock->Now() < policy::PreviousEpochUntil(purpose) ||
        ended_.count({purpose.id(), epoch}) != 0) {
      continue;
    }
    RAAKVLAK_RETURN_IF_ERROR(
        EndAll(snapshot, purpose.id(), "not in the new epoch", [&](NodeTransaction& transaction) {
          return transaction.EndHeld(purpose.id(), epoch, environment_.NowMs(), end_at_once_);
        }));
    ended_.emplace(purpose.id(), epoch);
  }
  return absl::OkStatus();
}

absl::Status Destruction::EndAll(const policy::Snapshot& snapshot, const std::string& purpose,
                                 const std::string& why,
                                 absl::FunctionRef<absl::StatusOr<uint64_t>(NodeTransaction&)> end) {
  uint64_t count = end_at_once_;
  while (count == end_at_once_) {
    const absl::Status written =
        environment_.store->Write("end_signals", [&](NodeTransaction& transaction) -> absl::Status {
          RAAKVLAK_ASSIGN_OR_RETURN(count, end(transaction));
          if (count == 0) return absl::OkStatus();
          storage::AuditEntry entry =
              NewEntry(environment_, snapshot, OwnUrn(environment_, snapshot), "node", "expire");
          entry.purpose = purpose;
          entry.reason = why;
          entry.count = count;
          return transaction.AppendAudit(entry).status();
        });
    if (!written.ok()) return written;
  }
  return absl::OkStatus();
}

}  // namespace raakvlak::node
