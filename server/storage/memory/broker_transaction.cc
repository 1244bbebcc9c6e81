#include "server/storage/memory/broker_transaction.h"

#include <algorithm>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::storage {
namespace {

std::string Copy(absl::string_view text) { return std::string(text); }

}  // namespace

SignalStatus MemoryBrokerTransaction::LiveStatus(uint64_t number) const {
  const StoredSignal& signal = *state_.signals.at(number);
  SignalStatus status;
  status.number = number;
  status.epoch = signal.epoch;
  status.purpose = signal.purpose;
  status.kind = signal.kind;
  status.submitted_day = signal.submitted_day;
  status.envelope_hash = signal.envelope_hash;
  status.accepted_ms = signal.accepted_ms;
  status.expiry_day = signal.expiry_day;
  return status;
}

absl::StatusOr<std::optional<SignalStatus>> MemoryBrokerTransaction::FindSignal(absl::string_view partner,
                                                                                absl::string_view signal_id) {
  const State::SignalKey key(partner, signal_id);
  if (const auto live = state_.live.find(key); live != state_.live.end()) {
    return std::optional<SignalStatus>(LiveStatus(live->second.rbegin()->second));
  }
  const auto ended = state_.tombstones.find(key);
  if (ended == state_.tombstones.end()) return std::optional<SignalStatus>();
  return std::optional<SignalStatus>(ended->second);
}

absl::StatusOr<std::optional<SignalStatus>> MemoryBrokerTransaction::FindVersion(absl::string_view partner,
                                                                                 absl::string_view signal_id,
                                                                                 uint32_t epoch) {
  const auto live = state_.live.find(State::SignalKey(partner, signal_id));
  if (live == state_.live.end()) return std::optional<SignalStatus>();
  const auto version = live->second.find(epoch);
  if (version == live->second.end()) return std::optional<SignalStatus>();
  return std::optional<SignalStatus>(LiveStatus(version->second));
}

absl::StatusOr<std::optional<StoredEnvelope>> MemoryBrokerTransaction::FindEnvelope(uint64_t number) {
  const auto found = state_.signals.find(number);
  if (found == state_.signals.end()) return std::optional<StoredEnvelope>();
  return std::optional<StoredEnvelope>(StoredEnvelope{found->second->body, found->second->signature});
}

absl::StatusOr<std::optional<StoredBatch>> MemoryBrokerTransaction::FindBatch(uint64_t number) {
  for (const auto& [first, stored] : state_.batches) {
    if (first <= number && number - first < stored.batch.hashes.size()) {
      return std::optional<StoredBatch>(stored.batch);
    }
  }
  return std::optional<StoredBatch>();
}

absl::StatusOr<uint64_t> MemoryBrokerTransaction::CountSignals(absl::string_view partner) {
  return static_cast<uint64_t>(std::count_if(state_.live.begin(), state_.live.end(), [&](const auto& live) {
    return partner.empty() || partner == live.first.first;
  }));
}

absl::StatusOr<std::vector<PurposeEpoch>> MemoryBrokerTransaction::Epochs() {
  std::set<PurposeEpoch> epochs;
  for (const auto& [number, signal] : state_.signals) epochs.insert({signal->purpose, signal->epoch});
  return std::vector<PurposeEpoch>(epochs.begin(), epochs.end());
}

absl::StatusOr<std::vector<TokenCount>> MemoryBrokerTransaction::CountTokens(const PurposeEpoch& epoch) {
  std::map<std::pair<std::string, std::string>, uint64_t> counts;
  for (const auto& [number, signal] : state_.signals) {
    if (signal->purpose != epoch.purpose || signal->epoch != epoch.epoch) continue;
    for (const StoredToken& token : signal->tokens) ++counts[{signal->partner, token.rule}];
  }
  std::vector<TokenCount> result;
  for (const auto& [key, tokens] : counts) result.push_back({key.first, key.second, tokens});
  return result;
}

absl::StatusOr<EpochProgress> MemoryBrokerTransaction::CountRenewed(const PurposeEpoch& epoch) {
  EpochProgress progress;
  for (const auto& [number, signal] : state_.signals) {
    if (signal->purpose != epoch.purpose || signal->epoch != epoch.epoch) continue;
    ++progress.versions;
    const auto& versions = state_.live.at({signal->partner, signal->signal_id});
    if (versions.rbegin()->first > epoch.epoch) ++progress.renewed;
  }
  return progress;
}

absl::StatusOr<std::optional<SignalFacts>> MemoryBrokerTransaction::FindFacts(uint64_t number) {
  const auto found = state_.signals.find(number);
  if (found == state_.signals.end()) return std::optional<SignalFacts>();
  const StoredSignal& signal = *found->second;
  SignalFacts facts{number,         {},           signal.partner,        signal.organisation,
                    signal.purpose, signal.epoch, signal.counts_as_case, signal.tokens};
  for (const auto& [epoch, version] : state_.live.at({signal.partner, signal.signal_id})) {
    facts.versions.push_back(version);
  }
  std::sort(facts.versions.begin(), facts.versions.end());
  std::sort(facts.tokens.begin(), facts.tokens.end(),
            [](const StoredToken& a, const StoredToken& b) { return a.rule < b.rule; });
  return std::optional<SignalFacts>(std::move(facts));
}

absl::StatusOr<std::vector<TaggedSignal>> MemoryBrokerTransaction::SignalsWithTag(absl::string_view purpose,
                                                                                  absl::string_view rule,
                                                                                  uint32_t epoch,
                                                                                  absl::string_view tag) {
  std::vector<TaggedSignal> signals;
  const auto found = state_.tags.find(State::TagKey(Copy(purpose), Copy(rule), epoch, Copy(tag)));
  if (found == state_.tags.end()) return signals;
  for (const auto& [number, commitments_hash] : found->second) signals.push_back({number, commitments_hash});
  return signals;
}

absl::Status MemoryBrokerTransaction::InsertSignal(const StoredSignal& signal) {
  const State::SignalKey key(signal.partner, signal.signal_id);
  const auto live = state_.live.find(key);
  if (live != state_.live.end() && live->second.rbegin()->first >= signal.epoch) {
    return base::Error(absl::StatusCode::kAlreadyExists, base::reason::kEnvelopeConflict,
                       "this signal id is live in this epoch or a newer one");
  }
  if (state_.tombstones.count(key) > 0) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kSignalEnded,
                       "this signal has ended");
  }
  const uint64_t number = ++state_.last_signal;
  state_.signals[number] = std::make_shared<const StoredSignal>(signal);
  state_.live[key][signal.epoch] = number;
  for (const StoredToken& token : signal.tokens) {
    state_.tags[State::TagKey(signal.purpose, token.rule, signal.epoch, token.tag)][number] =
        token.commitments_hash;
  }
  state_.dirty_signals[number] = true;
  return absl::OkStatus();
}

absl::Status MemoryBrokerTransaction::PutBatch(EntryId entry, const std::vector<std::string>& hashes,
                                               uint32_t expiry_day) {
  const uint64_t first = state_.last_signal - hashes.size() + 1;
  state_.batches[first] = {{entry, first, hashes}, expiry_day};
  return absl::OkStatus();
}

void MemoryBrokerTransaction::DeleteVersion(uint64_t number) {
  const std::shared_ptr<const StoredSignal> signal = state_.signals.at(number);
  for (const StoredToken& token : signal->tokens) {
    const auto tagged =
        state_.tags.find(State::TagKey(signal->purpose, token.rule, signal->epoch, token.tag));
    tagged->second.erase(number);
    if (tagged->second.empty()) {
      state_.tags.erase(tagged);
    } else if (token.quality != v1::SUPPORTING) {
      // One signal beside it is enough: the matcher looks at all that share a tag with a dirty one.
      state_.dirty_signals.emplace(tagged->second.begin()->first, false);
    }
  }
  for (auto& [match_number, match] : state_.matches) {
    if (match.members.erase(number) > 0) state_.dirty_matches.insert(match_number);
  }
  const auto live = state_.live.find(State::SignalKey(signal->partner, signal->signal_id));
  live->second.erase(signal->epoch);
  if (live->second.empty()) state_.live.erase(live);
  state_.signals.erase(number);
  state_.dirty_signals[number] = true;
}

void MemoryBrokerTransaction::EndSignal(const State::SignalKey& key, SignalState end,
                                        absl::string_view reason, int64_t time_ms) {
  const std::map<uint32_t, uint64_t> versions = state_.live.at(key);
  const StoredSignal& newest = *state_.signals.at(versions.rbegin()->second);
  SignalStatus status;
  status.state = end;
  status.envelope_hash = newest.envelope_hash;
  status.accepted_ms = newest.accepted_ms;
  status.ended_ms = time_ms;
  status.reason = Copy(reason);
  status.expiry_day = newest.expiry_day;
  state_.tombstones[key] = std::move(status);
  for (const auto& [epoch, number] : versions) DeleteVersion(number);
}

absl::StatusOr<SignalStatus> MemoryBrokerTransaction::MarkWithdrawn(const Withdrawal& withdrawal) {
  const State::SignalKey key(withdrawal.partner, withdrawal.signal_id);
  if (state_.live.count(key) > 0) {
    EndSignal(key, SignalState::kWithdrawn, withdrawal.reason, withdrawal.time_ms);
  }
  SignalStatus unknown;
  unknown.state = SignalState::kWithdrawn;
  unknown.ended_ms = withdrawal.time_ms;
  unknown.reason = withdrawal.reason;
  unknown.expiry_day = withdrawal.remember_until_day;
  return state_.tombstones.emplace(key, unknown).first->second;
}

absl::StatusOr<uint64_t> MemoryBrokerTransaction::ExpireSignals(uint32_t today, int64_t now_ms,
                                                                size_t limit) {
  std::set<State::SignalKey> ended;
  for (const auto& [number, signal] : state_.signals) {
    if (ended.size() == limit) break;
    if (signal->expiry_day <= today) ended.emplace(signal->partner, signal->signal_id);
  }
  for (const State::SignalKey& key : ended) EndSignal(key, SignalState::kExpired, "", now_ms);
  return ended.size();
}

absl::StatusOr<uint64_t> MemoryBrokerTransaction::EndEpoch(const PurposeEpoch& epoch, size_t limit) {
  std::vector<uint64_t> versions;
  for (const auto& [number, signal] : state_.signals) {
    if (versions.size() == limit) break;
    if (signal->purpose == epoch.purpose && signal->epoch == epoch.epoch) versions.push_back(number);
  }
  for (const uint64_t number : versions) DeleteVersion(number);
  return versions.size();
}

absl::StatusOr<uint64_t> MemoryBrokerTransaction::Prune(const PruneBounds& bounds, size_t limit) {
  uint64_t deleted = 0;
  const auto prune = [&](auto& rows, const auto& past) {
    for (auto row = rows.begin(); row != rows.end() && deleted < limit;) {
      if (past(*row)) {
        row = rows.erase(row);
        ++deleted;
      } else {
        ++row;
      }
    }
  };
  prune(state_.tombstones,
        [&](const auto& row) { return row.second.expiry_day < bounds.tombstones_before_day; });
  prune(state_.batches,
        [&](const auto& row) { return row.second.expiry_day < bounds.tombstones_before_day; });
  prune(state_.orders, [&](const auto& row) { return row.second < bounds.orders_before_ms; });
  prune(state_.submit_counts, [&](const auto& row) { return row.first.first < bounds.counters_before_day; });
  std::set<uint64_t> gone;
  prune(state_.matches, [&](const auto& row) {
    const MatchRecord& record = row.second.record;
    const bool past =
        record.state == MatchState::kClosed && record.changed_ms < bounds.closed_matches_before_ms;
    if (past) gone.insert(row.first);
    return past;
  });
  std::erase_if(state_.matches, [&](const auto& row) { return gone.count(row.second.merged_into) > 0; });
  return deleted;
}

absl::StatusOr<uint64_t> MemoryBrokerTransaction::CountSubmitted(absl::string_view partner, uint32_t day,
                                                                 uint64_t signals) {
  return state_.submit_counts[{day, Copy(partner)}] += signals;
}

absl::StatusOr<bool> MemoryBrokerTransaction::RememberOrder(absl::string_view order_id, int64_t time_ms) {
  return state_.orders.emplace(Copy(order_id), time_ms).second;
}

absl::StatusOr<Logged> MemoryBrokerTransaction::AppendAudit(const AuditEntry& entry) {
  return state_.log.Append(codec_, entry);
}

}  // namespace raakvlak::storage
