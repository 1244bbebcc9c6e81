#include "server/storage/memory/node_store.h"

#include <algorithm>

#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::storage {
namespace {

bool IsLive(const NodeSignal& signal) {
  return signal.state == NodeSignalState::kQueued || signal.state == NodeSignalState::kSubmitted;
}

}  // namespace

struct MemoryNodeStore::State {
  uint64_t last_sequence = 0;
  std::map<uint64_t, NodeSignal> signals;
  std::vector<NodeWithdrawal> withdrawals;
  std::map<std::pair<std::string, std::string>, int64_t> requests;
  std::map<std::tuple<uint32_t, std::string, std::string, uint8_t>, uint64_t> quotas;
  std::vector<NodeCeremony> ceremonies;
  std::vector<SeenKeyset> seen_keysets;
  struct Allowance {
    uint64_t granted = 0;
    uint64_t used = 0;
  };
  // By purpose and epoch, then partner and class.
  std::map<std::pair<std::string, uint32_t>, std::map<std::pair<std::string, uint8_t>, Allowance>> allowances;
  MemoryLog log;
  policy::Newest newest;
  std::string key_check;

  NodeSignal* Find(absl::string_view signal_id) {
    for (auto& [sequence, signal] : signals) {
      if (signal.signal_id == signal_id) return &signal;
    }
    return nullptr;
  }
  const NodeSignal* FindReference(absl::string_view digest) const {
    for (const auto& [sequence, signal] : signals) {
      if (signal.reference_digest == digest) return &signal;
    }
    return nullptr;
  }
};

class MemoryNodeStore::Transaction final : public NodeTransaction {
 public:
  Transaction(State& state, const LogCodec& codec) : state_(state), codec_(codec) {}

  absl::StatusOr<std::optional<NodeSignal>> FindByReference(absl::string_view digest) override {
    const NodeSignal* found = state_.FindReference(digest);
    return found == nullptr ? std::nullopt : std::optional<NodeSignal>(*found);
  }

  absl::Status Insert(const NodeSignal& signal) override {
    if (state_.Find(signal.signal_id) != nullptr ||
        state_.FindReference(signal.reference_digest) != nullptr) {
      return base::Error(absl::StatusCode::kInternal, base::reason::kStorageFailed,
                         "the signal is there already");
    }
    const uint64_t sequence = ++state_.last_sequence;
    NodeSignal& stored = state_.signals[sequence];
    stored = signal;
    stored.sequence = sequence;
    return absl::OkStatus();
  }

  absl::Status Remove(absl::string_view signal_id) override {
    const NodeSignal* found = state_.Find(signal_id);
    if (found != nullptr && found->state == NodeSignalState::kRefused) state_.signals.erase(found->sequence);
    return absl::OkStatus();
  }

  absl::StatusOr<bool> PutEnvelope(absl::string_view signal_id, absl::string_view envelope,
                                   SignalDays days) override {
    NodeSignal* found = state_.Find(signal_id);
    if (found == nullptr || found->state != NodeSignalState::kQueued || !found->envelope.empty())
      return false;
    found->envelope = std::string(envelope);
    found->submitted_day = days.submitted;
    found->expiry_day = days.expiry;
    return true;
  }

  absl::StatusOr<bool> DropEnvelope(absl::string_view signal_id) override {
    NodeSignal* found = state_.Find(signal_id);
    if (found == nullptr || !IsLive(*found)) return false;
    found->envelope.clear();
    return true;
  }

  absl::StatusOr<bool> MarkSubmitted(absl::string_view signal_id, absl::string_view receipt, uint32_t epoch,
                                     int64_t now_ms) override {
    NodeSignal* found = state_.Find(signal_id);
    if (found == nullptr || found->state != NodeSignalState::kQueued) return false;
    found->state = NodeSignalState::kSubmitted;
    found->changed_ms = now_ms;
    found->envelope.clear();
    found->receipt = std::string(receipt);
    found->epoch = found->settled_epoch = epoch;
    return true;
  }

  absl::StatusOr<bool> PutRotation(absl::string_view signal_id, absl::string_view envelope) override {
    NodeSignal* found = FindSubmitted(signal_id);
    if (found == nullptr || !found->envelope.empty()) return false;
    found->envelope = std::string(envelope);
    return true;
  }

  absl::StatusOr<bool> MarkRotated(absl::string_view signal_id, uint32_t epoch,
                                   absl::string_view receipt) override {
    NodeSignal* found = FindSubmitted(signal_id);
    if (found == nullptr || found->epoch >= epoch) return false;
    found->epoch = epoch;
    found->settled_epoch = std::max(found->settled_epoch, epoch);
    found->reason.clear();
    found->envelope.clear();
    if (!receipt.empty()) found->receipt = std::string(receipt);
    return true;
  }

  absl::StatusOr<bool> HoldRotation(absl::string_view signal_id, uint32_t epoch,
                                    absl::string_view reason) override {
    NodeSignal* found = FindSubmitted(signal_id);
    if (found == nullptr || found->settled_epoch >= epoch) return false;
    found->settled_epoch = epoch;
    found->reason = std::string(reason);
    found->envelope.clear();
    return true;
  }

  absl::StatusOr<bool> End(absl::string_view signal_id, NodeSignalState state, absl::string_view reason,
                           int64_t now_ms) override {
    NodeSignal* found = state_.Find(signal_id);
    if (found == nullptr || !IsLive(*found)) return false;
    if (state == NodeSignalState::kRefused && found->state != NodeSignalState::kQueued) return false;
    Finish(*found, state, reason, now_ms);
    return true;
  }

  absl::StatusOr<uint64_t> ExpireUntil(uint32_t day, int64_t now_ms, size_t limit) override {
    uint64_t count = 0;
    for (auto& [sequence, signal] : state_.signals) {
      if (count == limit) break;
      if (!IsLive(signal) || signal.expiry_day > day) continue;
      Finish(signal, NodeSignalState::kExpired, "", now_ms);
      ++count;
    }
    return count;
  }

  absl::StatusOr<uint64_t> EndPurpose(absl::string_view purpose, absl::string_view reason, int64_t now_ms,
                                      size_t limit) override {
    uint64_t count = 0;
    for (auto& [sequence, signal] : state_.signals) {
      if (count == limit) break;
      if (!IsLive(signal) || signal.purpose != purpose) continue;
      Finish(signal, NodeSignalState::kExpired, reason, now_ms);
      ++count;
    }
    return count;
  }

  absl::StatusOr<uint64_t> EndHeld(absl::string_view purpose, uint32_t epoch, int64_t now_ms,
                                   size_t limit) override {
    uint64_t count = 0;
    for (auto& [sequence, signal] : state_.signals) {
      if (count == limit) break;
      if (signal.state != NodeSignalState::kSubmitted || signal.purpose != purpose || signal.epoch >= epoch ||
          signal.settled_epoch < epoch) {
        continue;
      }
      Finish(signal, NodeSignalState::kExpired, std::string(signal.reason), now_ms);
      ++count;
    }
    return count;
  }

  absl::Status AddWithdrawal(const NodeWithdrawal& withdrawal) override {
    for (const NodeWithdrawal& known : state_.withdrawals) {
      if (known.signal_id == withdrawal.signal_id) return absl::OkStatus();
    }
    state_.withdrawals.push_back(withdrawal);
    return absl::OkStatus();
  }

  absl::Status RemoveWithdrawal(absl::string_view signal_id) override {
    std::erase_if(state_.withdrawals,
                  [&](const NodeWithdrawal& withdrawal) { return withdrawal.signal_id == signal_id; });
    return absl::OkStatus();
  }

  absl::StatusOr<bool> RememberRequest(absl::string_view partner, absl::string_view request_id,
                                       int64_t time_ms) override {
    return state_.requests.emplace(std::pair(std::string(partner), std::string(request_id)), time_ms).second;
  }

  absl::Status ForgetRequests(int64_t time_ms) override {
    std::erase_if(state_.requests, [&](const auto& request) { return request.second < time_ms; });
    return absl::OkStatus();
  }

  absl::StatusOr<bool> TakeQuota(const EvaluationQuota& key, uint64_t elements, uint64_t limit) override {
    uint64_t& used = state_.quotas[{key.day, key.partner, key.purpose, key.identifier_class}];
    if (used > limit || elements > limit - used) return false;
    used += elements;
    return true;
  }

  absl::Status ForgetQuotas(uint32_t day) override {
    std::erase_if(state_.quotas, [&](const auto& quota) { return std::get<0>(quota.first) < day; });
    return absl::OkStatus();
  }

  absl::StatusOr<bool> PutCeremony(const NodeCeremony& ceremony) override {
    for (NodeCeremony& known : state_.ceremonies) {
      if (known.ceremony_id != ceremony.ceremony_id) continue;
      if (known.state > ceremony.state) return false;
      NodeCeremony next = ceremony;
      next.parameters = known.parameters;
      next.proposed_by = known.proposed_by;
      next.approved_ms = known.approved_ms;
      known = std::move(next);
      return true;
    }
    state_.ceremonies.push_back(ceremony);
    return true;
  }

  absl::StatusOr<bool> SeeKeyset(const SeenKeyset& seen) override {
    for (SeenKeyset& known : state_.seen_keysets) {
      if (known.purpose != seen.purpose || known.identifier_class != seen.identifier_class ||
          known.epoch != seen.epoch) {
        continue;
      }
      if (known.keyset_id == seen.keyset_id) return true;
      if (known.generation >= seen.generation) return false;
      const int64_t made_ms = known.made_ms;
      known = seen;
      known.made_ms = made_ms;
      return true;
    }
    state_.seen_keysets.push_back(seen);
    state_.seen_keysets.back().made_ms = seen.time_ms;
    return true;
  }

  absl::StatusOr<bool> GrantAllowances(absl::string_view purpose, uint32_t epoch,
                                       const std::vector<EvaluationAllowance>& allowances) override {
    const auto [place, added] = state_.allowances.try_emplace({std::string(purpose), epoch});
    if (!added) return false;
    for (const EvaluationAllowance& allowance : allowances) {
      place->second.try_emplace({allowance.partner, allowance.identifier_class},
                                State::Allowance{allowance.granted});
    }
    return true;
  }

  absl::StatusOr<bool> TakeAllowance(absl::string_view purpose, uint32_t epoch, absl::string_view partner,
                                     uint8_t identifier_class, uint64_t elements) override {
    const auto place = state_.allowances.find({std::string(purpose), epoch});
    if (place == state_.allowances.end()) return false;
    const auto allowance = place->second.find({std::string(partner), identifier_class});
    if (allowance == place->second.end() || elements > allowance->second.granted - allowance->second.used) {
      return false;
    }
    allowance->second.used += elements;
    return true;
  }

  absl::Status ForgetAllowances(absl::string_view purpose, uint32_t epoch) override {
    std::erase_if(state_.allowances, [&](const auto& allowance) {
      return allowance.first.first == purpose && allowance.first.second < epoch;
    });
    return absl::OkStatus();
  }

  absl::StatusOr<Logged> AppendAudit(const AuditEntry& entry) override {
    return state_.log.Append(codec_, entry);
  }

 private:
  NodeSignal* FindSubmitted(absl::string_view signal_id) {
    NodeSignal* found = state_.Find(signal_id);
    return found != nullptr && found->state == NodeSignalState::kSubmitted ? found : nullptr;
  }

  static void Finish(NodeSignal& signal, NodeSignalState state, absl::string_view reason, int64_t now_ms) {
    signal.state = state;
    signal.reason = std::string(reason);
    signal.changed_ms = now_ms;
    signal.record_digest.clear();
    signal.record.clear();
    signal.envelope.clear();
  }

  State& state_;
  const LogCodec& codec_;
};

MemoryNodeStore::MemoryNodeStore(std::string urn)
    : state_(std::make_unique<State>()),
      log_(std::move(urn), [this](absl::FunctionRef<void(MemoryLog&)> use) {
        base::MutexLock lock(mutex_);
        use(state_->log);
      }) {}
MemoryNodeStore::~MemoryNodeStore() = default;

absl::Status MemoryNodeStore::Write(absl::string_view,
                                    absl::FunctionRef<absl::Status(NodeTransaction&)> body) {
  base::MutexLock lock(mutex_);
  auto copy = std::make_unique<State>(*state_);
  Transaction transaction(*copy, log_.codec());
  RAAKVLAK_RETURN_IF_ERROR(body(transaction));
  state_ = std::move(copy);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<NodeSignal>> MemoryNodeStore::FindByReference(
    absl::string_view reference_digest) {
  base::MutexLock lock(mutex_);
  return Transaction(*state_, log_.codec()).FindByReference(reference_digest);
}

absl::StatusOr<std::vector<NodeSignal>> MemoryNodeStore::List(uint64_t after, size_t limit,
                                                              std::optional<NodeSignalState> state) {
  base::MutexLock lock(mutex_);
  std::vector<NodeSignal> out;
  for (auto it = state_->signals.upper_bound(after); it != state_->signals.end() && out.size() < limit;
       ++it) {
    if (state.has_value() && it->second.state != *state) continue;
    out.push_back(it->second);
    out.back().record_digest.clear();
    out.back().record.clear();
    out.back().envelope.clear();
    out.back().receipt.clear();
  }
  return out;
}

absl::StatusOr<std::vector<std::string>> MemoryNodeStore::QueuedPurposes() {
  base::MutexLock lock(mutex_);
  std::set<std::string> purposes;
  for (const auto& [sequence, signal] : state_->signals) {
    if (signal.state == NodeSignalState::kQueued) purposes.insert(signal.purpose);
  }
  return std::vector<std::string>(purposes.begin(), purposes.end());
}

absl::StatusOr<std::vector<NodeSignal>> MemoryNodeStore::Queued(absl::string_view purpose, uint64_t after,
                                                                size_t limit) {
  base::MutexLock lock(mutex_);
  std::vector<NodeSignal> out;
  for (auto it = state_->signals.upper_bound(after); it != state_->signals.end() && out.size() < limit;
       ++it) {
    if (it->second.state == NodeSignalState::kQueued && it->second.purpose == purpose)
      out.push_back(it->second);
  }
  return out;
}

absl::StatusOr<std::vector<NodeCeremony>> MemoryNodeStore::Ceremonies() {
  base::MutexLock lock(mutex_);
  return state_->ceremonies;
}

absl::StatusOr<std::vector<SeenKeyset>> MemoryNodeStore::SeenKeysets() {
  base::MutexLock lock(mutex_);
  return state_->seen_keysets;
}

absl::StatusOr<uint64_t> MemoryNodeStore::UsedQuota(const EvaluationQuota& key) {
  base::MutexLock lock(mutex_);
  const auto found = state_->quotas.find({key.day, key.partner, key.purpose, key.identifier_class});
  return found == state_->quotas.end() ? 0 : found->second;
}

absl::StatusOr<std::vector<std::string>> MemoryNodeStore::LivePurposes() {
  base::MutexLock lock(mutex_);
  std::set<std::string> purposes;
  for (const auto& [sequence, signal] : state_->signals) {
    if (IsLive(signal)) purposes.insert(signal.purpose);
  }
  return std::vector<std::string>(purposes.begin(), purposes.end());
}

absl::StatusOr<std::vector<NodeSignal>> MemoryNodeStore::RotationDue(absl::string_view purpose,
                                                                     uint32_t epoch, RotationPlace after,
                                                                     size_t limit) {
  base::MutexLock lock(mutex_);
  std::map<std::pair<uint32_t, uint64_t>, const NodeSignal*> due;
  for (const auto& [sequence, signal] : state_->signals) {
    if (signal.state == NodeSignalState::kSubmitted && signal.purpose == purpose &&
        signal.settled_epoch < epoch) {
      due[{signal.settled_epoch, sequence}] = &signal;
    }
  }
  std::vector<NodeSignal> out;
  for (auto it = due.upper_bound({after.settled_epoch, after.sequence});
       it != due.end() && out.size() < limit; ++it) {
    out.push_back(*it->second);
  }
  return out;
}

absl::StatusOr<RotationProgress> MemoryNodeStore::Progress(absl::string_view purpose, uint32_t epoch) {
  base::MutexLock lock(mutex_);
  RotationProgress progress;
  for (const auto& [sequence, signal] : state_->signals) {
    if (signal.state != NodeSignalState::kSubmitted || signal.purpose != purpose) continue;
    ++progress.live;
    if (signal.epoch >= epoch) ++progress.rotated;
  }
  return progress;
}

absl::StatusOr<bool> MemoryNodeStore::IsAllowanceGranted(absl::string_view purpose, uint32_t epoch) {
  base::MutexLock lock(mutex_);
  return state_->allowances.count({std::string(purpose), epoch}) != 0;
}

absl::StatusOr<std::vector<NodeWithdrawal>> MemoryNodeStore::Withdrawals(size_t limit) {
  base::MutexLock lock(mutex_);
  const auto& all = state_->withdrawals;
  return std::vector<NodeWithdrawal>(all.begin(),
                                     all.begin() + static_cast<long>(std::min(limit, all.size())));
}

absl::StatusOr<std::string> MemoryNodeStore::KeyCheck(absl::string_view check) {
  base::MutexLock lock(mutex_);
  if (state_->key_check.empty()) state_->key_check = std::string(check);
  return state_->key_check;
}

absl::StatusOr<policy::Newest> MemoryNodeStore::Load() {
  base::MutexLock lock(mutex_);
  return state_->newest;
}

absl::Status MemoryNodeStore::Store(const policy::Newest& newest) {
  base::MutexLock lock(mutex_);
  if (!policy::MayFollow(state_->newest, newest)) {
    return base::Error(absl::StatusCode::kInternal, base::reason::kStorageFailed,
                       "an older policy than stored");
  }
  state_->newest = newest;
  return absl::OkStatus();
}

}  // namespace raakvlak::storage
