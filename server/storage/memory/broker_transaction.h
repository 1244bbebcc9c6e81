// The state of MemoryBrokerStore and the operations on it. Only for MemoryBrokerStore. Thread safety: none of
// its own.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "server/storage/memory/broker_store.h"
#include "server/storage/memory/ceremonies.h"

namespace raakvlak::storage {

struct MemoryBrokerStore::State {
  using SignalKey = std::pair<std::string, std::string>;                       // partner, signal id
  using TagKey = std::tuple<std::string, std::string, uint32_t, std::string>;  // purpose, rule, epoch, tag
  struct Match {
    MatchRecord record;  // without members
    std::set<uint64_t> members;
    uint64_t merged_into = 0;
  };

  struct Batch {
    StoredBatch batch;
    uint32_t expiry_day = 0;
  };

  uint64_t last_signal = 0;
  uint64_t last_match = 0;
  std::map<uint64_t, std::shared_ptr<const StoredSignal>> signals;
  std::map<SignalKey, std::map<uint32_t, uint64_t>> live;  // number by epoch; never empty
  std::map<SignalKey, SignalStatus> tombstones;
  std::map<uint64_t, Batch> batches;                       // by first number
  std::map<TagKey, std::map<uint64_t, std::string>> tags;  // signal, commitments hash
  std::map<uint64_t, Match> matches;
  std::map<uint64_t, bool> dirty_signals;  // changed
  std::set<uint64_t> dirty_matches;
  std::set<std::string> partners_in_force;
  std::map<std::string, int64_t> orders;
  std::map<std::pair<uint32_t, std::string>, uint64_t> submit_counts;
  MemoryCeremonyRows ceremonies;
  MemoryLog log;
  policy::Newest newest;
};

class MemoryBrokerTransaction final : public BrokerTransaction {
 public:
  MemoryBrokerTransaction(MemoryBrokerStore::State& state, const LogCodec& codec)
      : state_(state), codec_(codec), ceremonies_(state.ceremonies) {}

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
  using State = MemoryBrokerStore::State;
  SignalStatus LiveStatus(uint64_t number) const;
  // Deletes one version with all that hangs on it and marks what is affected.
  void DeleteVersion(uint64_t number);
  // Deletes all versions and leaves the tombstone.
  void EndSignal(const State::SignalKey& key, SignalState end, absl::string_view reason, int64_t time_ms);
  MatchRecord RecordOf(const State::Match& match) const;

  State& state_;
  const LogCodec& codec_;
  MemoryCeremonies ceremonies_;
};

}  // namespace raakvlak::storage
