#include "server/broker/matcher.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "base/status.h"
#include "server/broker/match_update.h"

namespace raakvlak::broker {

MatchTerms TermsOf(const policy::Snapshot& snapshot) {
  MatchTerms terms;
  for (const v1::Purpose& purpose : snapshot.covenant->text().purposes()) {
    terms.purposes[purpose.id()] = {purpose.disclosure_threshold(), purpose.mode()};
  }
  for (const v1::Partner& partner : snapshot.covenant->text().partners()) {
    if (!snapshot.IsOut(partner.id())) terms.partners_in_force.insert(partner.id());
  }
  for (const std::shared_ptr<const policy::Covenant>& covenant : snapshot.UpToInForce()) {
    for (const v1::Purpose& purpose : covenant->text().purposes()) {
      const auto known = terms.purposes.find(purpose.id());
      if (known == terms.purposes.end()) continue;
      uint32_t& threshold = known->second.threshold_of[purpose.epoch()];
      threshold = std::max(threshold, purpose.disclosure_threshold());
    }
  }
  terms.policy = snapshot.Name();
  return terms;
}

absl::StatusOr<MatchRun> Matcher::Run(const MatchTerms& terms) {
  RAAKVLAK_RETURN_IF_ERROR(MarkChangedPartners(terms));
  MatchRun run;
  while (true) {
    std::optional<uint64_t> changed;
    RAAKVLAK_RETURN_IF_ERROR(
        store_.Write("match_run", [&](storage::BrokerTransaction& transaction) -> absl::Status {
          RAAKVLAK_ASSIGN_OR_RETURN(changed, UpdateBatch(transaction, terms));
          return absl::OkStatus();
        }));
    if (!changed.has_value()) return run;
    run.signals += *changed;
    ++run.transactions;
  }
}

absl::Status Matcher::Update(storage::BrokerTransaction& transaction, const MatchTerms& terms) {
  std::optional<uint64_t> changed = 0;
  while (changed.has_value()) {
    RAAKVLAK_ASSIGN_OR_RETURN(changed, UpdateBatch(transaction, terms));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<uint64_t>> Matcher::UpdateBatch(storage::BrokerTransaction& transaction,
                                                             const MatchTerms& terms) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<storage::DirtySignal> signals,
                            transaction.DirtySignals(batch_));
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<uint64_t> matches, transaction.DirtyMatches(batch_));
  if (signals.empty() && matches.empty()) return std::optional<uint64_t>();
  storage::AuditEntry entry;
  entry.time_ms = absl::ToUnixMillis(clock_.Now());
  MatchUpdate update(transaction, terms, random_, entry.time_ms);
  RAAKVLAK_RETURN_IF_ERROR(update.Run(signals, matches));
  RAAKVLAK_RETURN_IF_ERROR(transaction.ClearDirty(signals, matches));
  entry.actor = actor_;
  entry.role = "broker";
  entry.action = "match_run";
  entry.count = static_cast<uint64_t>(std::count_if(
      signals.begin(), signals.end(), [](const storage::DirtySignal& signal) { return signal.changed; }));
  entry.policy = terms.policy;
  RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(entry).status());
  return std::optional<uint64_t>(entry.count);
}

absl::Status Matcher::MarkChangedPartners(const MatchTerms& terms) {
  std::set<std::string> before;
  RAAKVLAK_RETURN_IF_ERROR(
      store_.Read("partners_in_force", [&](storage::BrokerReader& reader) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(before, reader.PartnersInForce());
        return absl::OkStatus();
      }));
  if (before == terms.partners_in_force) return absl::OkStatus();
  std::vector<std::string> changed;
  std::set_symmetric_difference(before.begin(), before.end(), terms.partners_in_force.begin(),
                                terms.partners_in_force.end(), std::back_inserter(changed));
  for (const std::string& partner : changed) {
    std::string last;
    do {
      RAAKVLAK_RETURN_IF_ERROR(
          store_.Write("mark_partner_dirty", [&](storage::BrokerTransaction& transaction) -> absl::Status {
            RAAKVLAK_ASSIGN_OR_RETURN(last, transaction.MarkPartnerDirty(partner, last, batch_));
            return absl::OkStatus();
          }));
    } while (!last.empty());
  }
  // After the marks: a crash in between marks again, which is harmless.
  return store_.Write("set_partners_in_force", [&](storage::BrokerTransaction& transaction) {
    return transaction.SetPartnersInForce(terms.partners_in_force);
  });
}

}  // namespace raakvlak::broker
