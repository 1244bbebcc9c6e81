// SqliteBrokerTransaction: the operations of BrokerTransaction on one connection. Only for SqliteBrokerStore.
// Thread safety: as the connection.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "server/storage/broker_store.h"
#include "server/storage/sqlite/ceremonies.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/sqlite/sqlite_log.h"

namespace raakvlak::storage {

class SqliteBrokerTransaction final : public BrokerTransaction {
 public:
  SqliteBrokerTransaction(Connection& connection, const SqliteAuditLog& log)
      : connection_(connection), log_(log), ceremonies_(connection) {}

  absl::StatusOr<std::optional<SignalStatus>> FindSignal(absl::string_view partner,
                                                         absl::string_view signal_id) override;
  absl::StatusOr<std::optional<SignalStatus>> FindVersion(absl::string_view partner,
                                                          absl::string_view signal_id,
                                                          uint32_t epoch) override;
  absl::StatusOr<std::optional<StoredEnvelope>> FindEnvelope(uint64_t number) override;
  absl::StatusOr<std::optional<StoredBatch>> FindBatch(uint64_t number) override;
  absl::StatusOr<uint64_t> CountSignals(absl::string_view partner) override;
  absl::StatusOr<std::vector<PurposeEpoch>> Epochs() override;
  absl::StatusOr<std::vector<TokenCount>> CountTokens(const PurposeEpoch& epoch) override;
  absl::StatusOr<EpochProgress> CountRenewed(const PurposeEpoch& epoch) override;
  absl::StatusOr<std::vector<std::string>> MatchPurposes() override;
  absl::StatusOr<std::optional<MatchRecord>> FindMatch(absl::string_view match_id) override;
  absl::StatusOr<std::vector<MatchRecord>> ListMatches(const MatchQuery& query) override;
  absl::StatusOr<std::optional<SignalFacts>> FindFacts(uint64_t number) override;
  absl::StatusOr<std::vector<TaggedSignal>> SignalsWithTag(absl::string_view purpose, absl::string_view rule,
                                                           uint32_t epoch, absl::string_view tag) override;
  absl::StatusOr<std::vector<uint64_t>> MatchesOf(uint64_t number) override;
  absl::StatusOr<std::optional<MatchRecord>> FindMatchByNumber(uint64_t number) override;
  absl::StatusOr<std::vector<DirtySignal>> DirtySignals(size_t limit) override;
  absl::StatusOr<std::vector<uint64_t>> DirtyMatches(size_t limit) override;
  absl::StatusOr<std::set<std::string>> PartnersInForce() override;

  absl::Status InsertSignal(const StoredSignal& signal) override;
  absl::Status PutBatch(EntryId entry, const std::vector<std::string>& hashes, uint32_t expiry_day) override;
  absl::StatusOr<SignalStatus> MarkWithdrawn(const Withdrawal& withdrawal) override;
  absl::StatusOr<uint64_t> ExpireSignals(uint32_t today, int64_t now_ms, size_t limit) override;
  absl::StatusOr<uint64_t> EndEpoch(const PurposeEpoch& epoch, size_t limit) override;
  absl::StatusOr<uint64_t> DeleteMatches(absl::string_view purpose, size_t limit) override;
  absl::StatusOr<uint64_t> Prune(const PruneBounds& bounds, size_t limit) override;
  absl::StatusOr<uint64_t> CountSubmitted(absl::string_view partner, uint32_t day, uint64_t signals) override;
  absl::StatusOr<bool> RememberOrder(absl::string_view order_id, int64_t time_ms) override;
  absl::StatusOr<uint64_t> PutMatch(const MatchRecord& match) override;
  absl::Status CloseMatch(uint64_t number, int64_t time_ms) override;
  absl::Status MergeMatch(uint64_t number, uint64_t into, int64_t time_ms) override;
  absl::Status ClearDirty(const std::vector<DirtySignal>& signals,
                          const std::vector<uint64_t>& matches) override;
  absl::StatusOr<std::string> MarkPartnerDirty(absl::string_view partner, absl::string_view after_signal_id,
                                               size_t limit) override;
  absl::Status SetPartnersInForce(const std::set<std::string>& partners) override;
  CeremonyTable& ceremonies() override { return ceremonies_; }
  absl::StatusOr<Logged> AppendAudit(const AuditEntry& entry) override;

 private:
  // Runs `sql` for one number.
  absl::Status RunFor(const char* sql, uint64_t number);
  absl::StatusOr<std::vector<uint64_t>> Numbers(Statement query);
  absl::StatusOr<std::vector<uint64_t>> VersionsOf(absl::string_view partner, absl::string_view signal_id);
  // Deletes one version with all that hangs on it and marks what is affected.
  absl::Status DeleteVersion(uint64_t number);
  // Deletes all versions and leaves the tombstone. REQUIRES: the signal is live.
  absl::Status EndSignal(absl::string_view partner, absl::string_view signal_id, SignalState state,
                         absl::string_view reason, int64_t time_ms);
  absl::Status ReadMembers(MatchRecord& match);
  absl::Status DeleteMatch(uint64_t number);
  absl::StatusOr<uint64_t> PruneClosedMatches(int64_t before_ms, uint64_t limit);

  Connection& connection_;
  const SqliteAuditLog& log_;
  SqliteCeremonies ceremonies_;
};

}  // namespace raakvlak::storage
