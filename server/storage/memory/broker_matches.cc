// The part of MemoryBrokerTransaction about matches and what the matcher has yet to look at.
#include "base/status.h"
#include "server/storage/memory/broker_transaction.h"

namespace raakvlak::storage {

MatchRecord MemoryBrokerTransaction::RecordOf(const State::Match& match) const {
  MatchRecord record = match.record;
  for (const uint64_t number : match.members) {
    const StoredSignal& signal = *state_.signals.at(number);
    record.members.push_back({number, signal.partner, signal.organisation, signal.signal_id,
                              signal.envelope_hash, signal.submitted_day, signal.expiry_day,
                              signal.counts_as_case});
  }
  for (const auto& [number, other] : state_.matches) {
    if (other.merged_into == record.number) record.merged_ids.push_back(other.record.id);
  }
  return record;
}

absl::StatusOr<std::optional<MatchRecord>> MemoryBrokerTransaction::FindMatch(absl::string_view match_id) {
  for (const auto& [number, match] : state_.matches) {
    if (match.record.id == match_id) {
      return FindMatchByNumber(match.merged_into == 0 ? number : match.merged_into);
    }
  }
  return std::optional<MatchRecord>();
}

absl::StatusOr<std::optional<MatchRecord>> MemoryBrokerTransaction::FindMatchByNumber(uint64_t number) {
  const auto found = state_.matches.find(number);
  if (found == state_.matches.end()) return std::optional<MatchRecord>();
  return std::optional<MatchRecord>(RecordOf(found->second));
}

absl::StatusOr<std::vector<MatchRecord>> MemoryBrokerTransaction::ListMatches(const MatchQuery& query) {
  std::vector<MatchRecord> matches;
  for (auto it = state_.matches.upper_bound(query.after_number);
       it != state_.matches.end() && matches.size() < query.limit; ++it) {
    const MatchRecord& record = it->second.record;
    const bool listed =
        record.state == MatchState::kOpen || (record.state == MatchState::kClosed && query.include_closed);
    if (listed && record.purpose == query.purpose) matches.push_back(RecordOf(it->second));
  }
  return matches;
}

absl::StatusOr<std::vector<uint64_t>> MemoryBrokerTransaction::MatchesOf(uint64_t number) {
  std::vector<uint64_t> numbers;
  for (const auto& [match_number, match] : state_.matches) {
    if (match.members.count(number) > 0) numbers.push_back(match_number);
  }
  return numbers;
}

absl::StatusOr<std::vector<DirtySignal>> MemoryBrokerTransaction::DirtySignals(size_t limit) {
  std::vector<DirtySignal> signals;
  size_t left[] = {limit * kMaxBeside, limit};
  for (const auto& [number, changed] : state_.dirty_signals) {
    if (left[changed] == 0) continue;
    --left[changed];
    signals.push_back({number, changed});
  }
  return signals;
}

absl::StatusOr<std::vector<uint64_t>> MemoryBrokerTransaction::DirtyMatches(size_t limit) {
  std::vector<uint64_t> matches;
  for (const uint64_t number : state_.dirty_matches) {
    if (matches.size() == limit * kMaxBeside) break;
    matches.push_back(number);
  }
  return matches;
}

absl::Status MemoryBrokerTransaction::ClearDirty(const std::vector<DirtySignal>& signals,
                                                 const std::vector<uint64_t>& matches) {
  for (const DirtySignal& signal : signals) state_.dirty_signals.erase(signal.number);
  for (const uint64_t match : matches) state_.dirty_matches.erase(match);
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> MemoryBrokerTransaction::PutMatch(const MatchRecord& match) {
  const uint64_t number = match.number == 0 ? ++state_.last_match : match.number;
  State::Match& stored = state_.matches[number];
  RAAKVLAK_CHECK(stored.record.state == MatchState::kOpen, "only an open match is changed");
  if (match.number == 0) {
    stored.record.number = number;
    stored.record.id = match.id;
    stored.record.purpose = match.purpose;
    stored.record.subject = match.subject;
  }
  stored.record.quality = match.quality;
  stored.record.rules = match.rules;
  stored.record.conflict = match.conflict;
  stored.record.changed_ms = match.changed_ms;
  stored.members.clear();
  for (const MatchMember& member : match.members) stored.members.insert(member.number);
  return number;
}

absl::Status MemoryBrokerTransaction::CloseMatch(uint64_t number, int64_t time_ms) {
  State::Match& match = state_.matches.at(number);
  match.members.clear();
  match.record.state = MatchState::kClosed;
  match.record.changed_ms = time_ms;
  return absl::OkStatus();
}

absl::Status MemoryBrokerTransaction::MergeMatch(uint64_t number, uint64_t into, int64_t time_ms) {
  for (auto& [other_number, other] : state_.matches) {
    if (other.merged_into == number) other.merged_into = into;
  }
  State::Match& match = state_.matches.at(number);
  match.members.clear();
  match.merged_into = into;
  match.record.state = MatchState::kMerged;
  match.record.changed_ms = time_ms;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> MemoryBrokerTransaction::MatchPurposes() {
  std::set<std::string> purposes;
  for (const auto& [number, match] : state_.matches) purposes.insert(match.record.purpose);
  return std::vector<std::string>(purposes.begin(), purposes.end());
}

absl::StatusOr<uint64_t> MemoryBrokerTransaction::DeleteMatches(absl::string_view purpose, size_t limit) {
  std::set<uint64_t> gone;
  for (const auto& [number, match] : state_.matches) {
    if (gone.size() == limit) break;
    if (match.record.purpose == purpose && match.merged_into == 0) gone.insert(number);
  }
  std::erase_if(state_.matches, [&](const auto& row) {
    return gone.count(row.first) > 0 || gone.count(row.second.merged_into) > 0;
  });
  return gone.size();
}

absl::StatusOr<std::string> MemoryBrokerTransaction::MarkPartnerDirty(absl::string_view partner,
                                                                      absl::string_view after_signal_id,
                                                                      size_t limit) {
  std::string last;
  const State::SignalKey after(partner, after_signal_id);
  for (auto it = state_.live.upper_bound(after);
       it != state_.live.end() && it->first.first == partner && limit > 0; ++it, --limit) {
    for (const auto& [epoch, number] : it->second) state_.dirty_signals[number] = true;
    last = it->first.second;
  }
  return last;
}

absl::StatusOr<std::set<std::string>> MemoryBrokerTransaction::PartnersInForce() {
  return state_.partners_in_force;
}

absl::Status MemoryBrokerTransaction::SetPartnersInForce(const std::set<std::string>& partners) {
  state_.partners_in_force = partners;
  return absl::OkStatus();
}

}  // namespace raakvlak::storage
