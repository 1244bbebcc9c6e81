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

absl::StatusOr<uint64_t> EpochEnd::Run(const std::set<PurposeEpoch>& served, const MatchTerms* terms,
                                       const std::string& policy) {
  std::vector<PurposeEpoch> live;
  RAAKVLAK_RETURN_IF_ERROR(store_.Read("epochs", [&](storage::BrokerReader& reader) -> absl::Status {
    RAAKVLAK_ASSIGN_OR_RETURN(live, reader.Epochs());
    return absl::OkStatus();
  }));
  std::vector<PurposeEpoch> over;
  std::set_difference(live.begin(), live.end(), served.begin(), served.end(), std::back_inserter(over));
  uint64_t ended = 0;
  for (const PurposeEpoch& epoch : over) {
    uint64_t done = batch_;
    while (done == batch_) {
      RAAKVLAK_ASSIGN_OR_RETURN(done, EndBatch(epoch, terms, policy));
      // A run on half an epoch would give parts of one match different ids.
      terms = nullptr;
      ended += done;
    }
  }
  return ended;
}

absl::StatusOr<uint64_t> EpochEnd::EndBatch(const PurposeEpoch& epoch, const MatchTerms* terms,
                                            const std::string& policy) {
  uint64_t ended = 0;
  const auto end = [&](storage::BrokerTransaction& transaction) -> absl::Status {
    if (terms != nullptr) RAAKVLAK_RETURN_IF_ERROR(matcher_.Update(transaction, *terms));
    RAAKVLAK_ASSIGN_OR_RETURN(ended, transaction.EndEpoch(epoch, batch_));
    if (ended == 0) return absl::OkStatus();
    storage::AuditEntry entry;
    entry.time_ms = absl::ToUnixMillis(clock_.Now());
    entry.actor = actor_;
    entry.role = "broker";
    entry.action = "tags_destroyed";
    entry.object = absl::StrCat("epoch ", epoch.epoch);
    entry.purpose = epoch.purpose;
    entry.count = ended;
    entry.policy = policy;
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
