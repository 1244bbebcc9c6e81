// The part of SqliteBrokerTransaction about epochs: which are live, how much stands in one, and its end.
#include <utility>

#include "base/status.h"
#include "server/storage/sqlite/broker_transaction.h"

namespace raakvlak::storage {

absl::StatusOr<std::vector<PurposeEpoch>> SqliteBrokerTransaction::Epochs() {
  std::vector<PurposeEpoch> epochs;
  PurposeEpoch last;
  // From one to the next on the index: DISTINCT would walk over every signal.
  while (true) {
    Statement query = connection_.Query(
        "SELECT purpose, epoch FROM signals WHERE (purpose, epoch) > (?, ?) ORDER BY purpose, epoch LIMIT 1");
    query.BindText(last.purpose).Bind(last.epoch);
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return epochs;
    last = {query.Bytes(0), query.Uint32(1)};
    epochs.push_back(last);
  }
}

absl::StatusOr<std::vector<TokenCount>> SqliteBrokerTransaction::CountTokens(const PurposeEpoch& epoch) {
  Statement query = connection_.Query(
      "SELECT partner, rule, tokens FROM token_counts WHERE purpose = ? AND epoch = ? "
      "ORDER BY partner, rule");
  query.BindText(epoch.purpose).Bind(epoch.epoch);
  std::vector<TokenCount> counts;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return counts;
    counts.push_back({query.Bytes(0), query.Bytes(1), static_cast<uint64_t>(query.Int(2))});
  }
}

absl::StatusOr<EpochProgress> SqliteBrokerTransaction::CountRenewed(const PurposeEpoch& epoch) {
  Statement query = connection_.Query(
      "SELECT count(*), count(CASE WHEN EXISTS (SELECT 1 FROM signals AS newer "
      "  WHERE newer.partner = older.partner AND newer.signal_id = older.signal_id "
      "  AND newer.epoch > older.epoch) THEN 1 END) "
      "FROM signals AS older WHERE purpose = ? AND epoch = ?");
  query.BindText(epoch.purpose).Bind(epoch.epoch);
  RAAKVLAK_RETURN_IF_ERROR(query.Step().status());
  return EpochProgress{static_cast<uint64_t>(query.Int(0)), static_cast<uint64_t>(query.Int(1))};
}

absl::StatusOr<uint64_t> SqliteBrokerTransaction::EndEpoch(const PurposeEpoch& epoch, size_t limit) {
  std::vector<uint64_t> versions;
  {
    Statement query = connection_.Query("SELECT number FROM signals WHERE purpose = ? AND epoch = ? LIMIT ?");
    query.BindText(epoch.purpose).Bind(epoch.epoch).Bind(limit);
    RAAKVLAK_ASSIGN_OR_RETURN(versions, Numbers(std::move(query)));
  }
  for (const uint64_t number : versions) RAAKVLAK_RETURN_IF_ERROR(DeleteVersion(number));
  return versions.size();
}

}  // namespace raakvlak::storage
