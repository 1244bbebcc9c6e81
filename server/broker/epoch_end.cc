#include "server/broker/epoch_end.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "policy/epochs.h"

namespace raakvlak::broker {

using storage::PurposeEpoch;

std::set<PurposeEpoch> ServedEpochs(const policy::Snapshot& snapshot, absl::Time now) {
  std::set<PurposeEpoch> served;
  for (const v1::Purpose& purpose : snapshot.covenant->text().purposes()) {
    for (const uint32_t epoch : policy::EpochsServed(purpose, now)) served.insert({purpose.id(), epoch});
  }
  return served;
}

absl::StatusOr<EpochEnd::Over> EpochEnd::FindOver(const std::set<PurposeEpoch>& served) {
  std::vector<PurposeEpoch> live;
  std::vector<std::string> matched;
  RAAKVLAK_RETURN_IF_ERROR(store_.Read("epochs", [&](storage::BrokerReader& reader) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(live, reader.Epochs());
    RAAKVLAK_ASSIGN_OR_RETURN(matched, reader.MatchPurposes());
    return absl::OkStatus();
  }));
  Over over;
  std::set_difference(live.begin(), live.end(), served.begin(), served.end(),
                      std::back_inserter(over.epochs));
  for (const std::string& purpose : matched) {
    const auto found = served.lower_bound({purpose, 0});
    if (found == served.end() || found->purpose != purpose) over.match_purposes.push_back(purpose);
  }
  return over;
}

absl::StatusOr<bool> EpochEnd::IsDue(const std::set<PurposeEpoch>& served) {
  RAAKVLAK_ASSIGN_OR_RETURN(const Over over, FindOver(served));
  return !over.epochs.empty() || !over.match_purposes.empty();
}

absl::StatusOr<uint64_t> EpochEnd::Run(const std::set<PurposeEpoch>& served, const MatchTerms* terms,
                                       const std::string& policy) {
  RAAKVLAK_ASSIGN_OR_RETURN(const Over over, FindOver(served));
  uint64_t ended = 0;
  for (const PurposeEpoch& epoch : over.epochs) {
    uint64_t done = batch_;
    while (done == batch_) {
      RAAKVLAK_ASSIGN_OR_RETURN(done, EndBatch(epoch, terms, policy));
      // A run on half an epoch would give parts of one match different ids.
      terms = nullptr;
      ended += done;
    }
  }
  for (const std::string& purpose : over.match_purposes) {
    RAAKVLAK_RETURN_IF_ERROR(DeleteMatches(purpose, policy));
  }
  return ended;
}

absl::Status EpochEnd::DeleteMatches(const std::string& purpose, const std::string& policy) {
  uint64_t deleted = batch_;
  while (deleted == batch_) {
    RAAKVLAK_RETURN_IF_ERROR(
        store_.Write("delete_matches", [&](storage::BrokerTransaction& transaction) -> absl::Status {
          RAAKVLAK_ASSIGN_OR_RETURN(deleted, transaction.DeleteMatches(purpose, batch_));
          if (deleted == 0) return absl::OkStatus();
          return transaction.AppendAudit(EntryOf("matches_destroyed", purpose, deleted, policy)).status();
        }));
  }
  return absl::OkStatus();
}

storage::AuditEntry EpochEnd::EntryOf(const std::string& action, const std::string& purpose, uint64_t count,
                                      const std::string& policy) const {
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(clock_.Now());
  entry.actor = actor_;
  entry.role = "broker";
  entry.action = action;
  entry.purpose = purpose;
  entry.count = count;
  entry.policy = policy;
  return entry;
}

absl::StatusOr<uint64_t> EpochEnd::EndBatch(const PurposeEpoch& epoch, const MatchTerms* terms,
                                            const std::string& policy) {
  uint64_t ended = 0;
  const auto end = [&](storage::BrokerTransaction& transaction) -> absl::Status {
    if (terms != nullptr) RAAKVLAK_RETURN_IF_ERROR(matcher_.Update(transaction, *terms));
    RAAKVLAK_ASSIGN_OR_RETURN(ended, transaction.EndEpoch(epoch, batch_));
    if (ended == 0) return absl::OkStatus();
    storage::AuditEntry entry = EntryOf("tags_destroyed", epoch.purpose, ended, policy);
    entry.object = absl::StrCat("epoch ", epoch.epoch);
    return transaction.AppendAudit(entry).status();
  };
  RAAKVLAK_RETURN_IF_ERROR(store_.Write("end_epoch", end));
  return ended;
}

absl::StatusOr<std::vector<Renewal>> EpochEnd::Progress(const std::set<PurposeEpoch>& served) {
  std::vector<Renewal> renewals;
  for (const PurposeEpoch& epoch : served) {
    if (!served.contains({epoch.purpose, epoch.epoch + 1})) continue;
    Renewal renewal{epoch, {}};
    RAAKVLAK_RETURN_IF_ERROR(
        store_.Read("epoch_progress", [&](storage::BrokerReader& reader) -> absl::Status {
          RAAKVLAK_ASSIGN_OR_RETURN(renewal.progress, reader.CountRenewed(epoch));
          return absl::OkStatus();
        }));
    renewals.push_back(std::move(renewal));
  }
  return renewals;
}

}  // namespace raakvlak::broker
