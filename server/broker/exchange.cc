#include "server/broker/exchange.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/reason.h"
#include "base/status.h"
#include "policy/envelope.h"
#include "server/broker/audit_entry.h"
#include "server/broker/method_table.h"
#include "server/broker/submit_receipts.h"

namespace raakvlak::broker {
namespace {

namespace reason = base::reason;
using policy::CheckedEnvelope;
using policy::CheckedWithdrawal;
using storage::BrokerTransaction;

// How many of a batch were refused, by reason.
using Refusals = std::map<std::string, uint64_t>;

absl::Status CheckBatch(const rpc::Gate::Pass& pass, int size) {
  if (size == 0) {
    return base::Error(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument, "the batch is empty");
  }
  if (size > kMaxBatch) {
    return base::Error(absl::StatusCode::kInvalidArgument, reason::kTooLarge,
                       absl::StrCat("a batch has at most ", kMaxBatch));
  }
  return policy::Authority::CheckPartner(pass.snapshot, pass.caller.id);
}

// The purpose that all readable envelopes name; empty when none is readable or the covenant has no such
// purpose.
absl::StatusOr<std::string> PurposeOf(const std::vector<CheckedEnvelope>& envelopes,
                                      const policy::Covenant& covenant) {
  const std::string* purpose = nullptr;
  for (const CheckedEnvelope& envelope : envelopes) {
    if (envelope.header.purpose().empty()) continue;
    if (purpose != nullptr && *purpose != envelope.header.purpose()) {
      return base::Error(absl::StatusCode::kInvalidArgument, reason::kInvalidArgument,
                         "a batch holds envelopes of one purpose");
    }
    purpose = &envelope.header.purpose();
  }
  return purpose != nullptr && covenant.FindPurpose(*purpose) != nullptr ? *purpose : std::string();
}

storage::StoredSignal ToStored(const v1::Envelope& envelope, const CheckedEnvelope& checked, int64_t now_ms) {
  const v1::SignalHeader& header = checked.header;
  storage::StoredSignal signal;
  signal.partner = header.partner();
  signal.organisation = header.index();
  signal.signal_id = header.signal_id();
  signal.envelope_hash = checked.hash;
  signal.purpose = header.purpose();
  signal.epoch = header.epoch();
  signal.kind = header.kind();
  signal.counts_as_case = header.kind() == v1::CASE_REPORT;
  signal.submitted_day = header.submitted_day();
  signal.expiry_day = header.expiry_day();
  signal.accepted_ms = now_ms;
  signal.body = envelope.body();
  signal.signature = envelope.signature();
  for (size_t i = 0; i < checked.rules.size(); ++i) {
    const v1::LinkageRule& rule = *checked.rules[i];
    const v1::Token& token = checked.body.tokens(static_cast<int>(i));
    signal.tokens.push_back({rule.id(), rule.subject(), rule.quality(), token.tag(),
                             token.commitments().empty() ? "" : base::Sha256(token.commitments())});
  }
  return signal;
}

// Tokens that one partner may still submit today, per purpose and class. Lives inside one transaction.
class DayQuota {
 public:
  DayQuota(BrokerTransaction& transaction, const policy::Covenant& covenant, std::string partner,
           uint32_t today)
      : transaction_(transaction), covenant_(covenant), partner_(std::move(partner)), today_(today) {}

  // Spend: QUOTA_EXCEEDED, and nothing spent, when the envelope's tokens do not fit; STORAGE_FAILED.
  absl::Status Spend(const CheckedEnvelope& envelope) {
    std::map<Key, uint64_t> wanted;
    for (const v1::LinkageRule* rule : envelope.rules)
      ++wanted[{envelope.purpose->id(), rule->identifier_class()}];
    for (const auto& [key, tokens] : wanted) {
      RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t spent, SpentOf(key));
      const uint64_t quota = covenant_.QuotaFor(partner_, key.second);
      if (spent > quota || tokens > quota - spent) {
        return base::Error(absl::StatusCode::kResourceExhausted, reason::kQuotaExceeded,
                           "the day's quota of this class is spent");
      }
    }
    for (const auto& [key, tokens] : wanted) added_[key] += tokens;
    return absl::OkStatus();
  }

  // Store: STORAGE_FAILED. Once, at the end.
  absl::Status Store() {
    for (const auto& [key, tokens] : added_) {
      RAAKVLAK_RETURN_IF_ERROR(transaction_.CountSubmitted(CounterOf(key), today_, tokens).status());
    }
    return absl::OkStatus();
  }

 private:
  using Key = std::pair<std::string, v1::IdentifierClass>;

  // Ids hold no slash, so no two keys share a counter.
  std::string CounterOf(const Key& key) const {
    return absl::StrCat(partner_, "/", key.first, "/", v1::IdentifierClass_Name(key.second));
  }
  absl::StatusOr<uint64_t> SpentOf(const Key& key) {
    auto found = stored_.find(key);
    if (found == stored_.end()) {
      RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t spent, transaction_.CountSubmitted(CounterOf(key), today_, 0));
      found = stored_.emplace(key, spent).first;
    }
    return found->second + added_[key];
  }

  BrokerTransaction& transaction_;
  const policy::Covenant& covenant_;
  const std::string partner_;
  const uint32_t today_;
  std::map<Key, uint64_t> stored_;
  std::map<Key, uint64_t> added_;
};

// Withdrawals of ids that the broker does not know: each leaves a row until its time, so one partner may have
// as many a day as its largest quota of a class. Lives inside one transaction.
class UnknownIdQuota {
 public:
  UnknownIdQuota(BrokerTransaction& transaction, const policy::Covenant& covenant, const std::string& partner,
                 uint32_t today)
      // Ids hold no slash and other counters have two, so no two share a name.
      : transaction_(transaction), counter_(absl::StrCat(partner, "/withdrawn-unknown")), today_(today) {
    for (const v1::Quota& quota : covenant.text().quotas()) {
      quota_ = std::max(quota_, covenant.QuotaFor(partner, quota.identifier_class()));
    }
  }

  // Spend: QUOTA_EXCEEDED, and nothing spent, when there is none left; STORAGE_FAILED.
  absl::Status Spend() {
    RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t spent, transaction_.CountSubmitted(counter_, today_, 0));
    if (spent >= quota_) {
      return base::Error(absl::StatusCode::kResourceExhausted, reason::kQuotaExceeded,
                         "too many withdrawals of unknown signals on one day");
    }
    return transaction_.CountSubmitted(counter_, today_, 1).status();
  }

 private:
  BrokerTransaction& transaction_;
  const std::string counter_;
  const uint32_t today_;
  uint64_t quota_ = 0;
};

struct Taken {
  int64_t accepted_ms = 0;
  bool is_new = false;
  uint64_t number = 0;  // of the signal, when it is known
};

// Whether the envelope may stand beside the version that is there: it is the same signal. That its epoch is
// newer the store checks.
bool Renews(const v1::SignalHeader& header, const storage::SignalStatus& live) {
  return header.purpose() == live.purpose && header.kind() == live.kind &&
         header.submitted_day() == live.submitted_day && header.expiry_day() == live.expiry_day;
}

// Take stores one envelope, or says what became of it before.
absl::StatusOr<Taken> Take(BrokerTransaction& transaction, const v1::Envelope& envelope,
                           const CheckedEnvelope& checked, absl::string_view partner, int64_t now_ms,
                           DayQuota& quota) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<storage::SignalStatus> known,
                            transaction.FindSignal(partner, checked.header.signal_id()));
  const bool live = known && known->state == storage::SignalState::kLive;
  if (live) {
    RAAKVLAK_ASSIGN_OR_RETURN(
        const std::optional<storage::SignalStatus> version,
        transaction.FindVersion(partner, checked.header.signal_id(), checked.header.epoch()));
    if (version && version->envelope_hash == checked.hash) {
      return Taken{version->accepted_ms, false, version->number};
    }
  }
  RAAKVLAK_RETURN_IF_ERROR(checked.status);
  if (live && !Renews(checked.header, *known)) {
    return base::Error(absl::StatusCode::kAlreadyExists, reason::kEnvelopeConflict,
                       "this signal id is known with another envelope");
  }
  if (known && !live) {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kSignalEnded,
                       "the signal was withdrawn or has expired");
  }
  if (!live) RAAKVLAK_RETURN_IF_ERROR(quota.Spend(checked));
  RAAKVLAK_RETURN_IF_ERROR(transaction.InsertSignal(ToStored(envelope, checked, now_ms)));
  return Taken{now_ms, true};
}

absl::string_view ReasonName(v1::WithdrawalReason withdrawal_reason) {
  return withdrawal_reason == v1::UNJUST ? "unjust" : "risk_over";
}

// An id that was never submitted is remembered until after the last day on which any signal that may be
// submitted now expires.
uint32_t RememberUntil(const policy::Covenant& covenant, uint32_t today) {
  uint32_t retention = 0;
  for (const v1::Purpose& purpose : covenant.text().purposes()) {
    retention = std::max(retention, purpose.retention_days());
  }
  return today + 1 + retention + 1;
}

absl::StatusOr<Taken> TakeWithdrawal(BrokerTransaction& transaction, const CheckedWithdrawal& checked,
                                     const policy::Covenant& covenant, uint32_t today, int64_t now_ms,
                                     UnknownIdQuota& quota) {
  RAAKVLAK_RETURN_IF_ERROR(checked.status);
  storage::Withdrawal withdrawal;
  withdrawal.partner = checked.body.partner();
  withdrawal.signal_id = checked.body.signal_id();
  withdrawal.reason = std::string(ReasonName(checked.body.reason()));
  withdrawal.time_ms = now_ms;
  withdrawal.remember_until_day = RememberUntil(covenant, today);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<storage::SignalStatus> known,
                            transaction.FindSignal(withdrawal.partner, withdrawal.signal_id));
  if (!known) RAAKVLAK_RETURN_IF_ERROR(quota.Spend());
  RAAKVLAK_ASSIGN_OR_RETURN(const storage::SignalStatus status, transaction.MarkWithdrawn(withdrawal));
  if (status.state != storage::SignalState::kWithdrawn) {
    return base::Error(absl::StatusCode::kFailedPrecondition, reason::kSignalEnded, "the signal has expired");
  }
  return Taken{status.ended_ms, !known || known->state == storage::SignalState::kLive};
}

// Fills `out_receipt`. Returns only what ends the transaction.
absl::Status Settle(const absl::StatusOr<Taken>& taken, v1::SubmitReceipt& out_receipt,
                    Refusals& out_refusals) {
  if (taken.ok()) {
    out_receipt.set_accepted(true);
    out_receipt.set_accepted_ms(taken->accepted_ms);
    return absl::OkStatus();
  }
  if (EndsTransaction(taken.status())) return taken.status();
  out_receipt.set_reason(base::ReasonOf(taken.status()));
  ++out_refusals[out_receipt.reason()];
  return absl::OkStatus();
}

absl::Status AppendRefusals(BrokerTransaction& transaction, const storage::AuditEntry& entry,
                            absl::string_view rpc, const Refusals& refusals) {
  for (const auto& [why, count] : refusals) {
    storage::AuditEntry refusal = entry;
    refusal.action = "refuse";
    refusal.object = std::string(rpc);
    refusal.result = why;
    refusal.count = count;
    RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(refusal).status());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::SubmitResponse> Exchange::Submit(const rpc::Gate::Pass& pass,
                                                    const v1::SubmitRequest& request) {
  const absl::Time now = clock_.Now();
  const policy::Covenant& covenant = *pass.snapshot.covenant;
  const std::string& partner = pass.caller.id;
  const uint32_t today = covenant.DayAt(now);
  storage::AuditEntry entry = EntryOf(pass, now, "submit", "");
  if (const absl::Status batch = CheckBatch(pass, request.envelopes_size()); !batch.ok()) {
    return RefuseDurably(store_, entry, kSubmitMethod, batch);
  }
  std::vector<CheckedEnvelope> checked;
  checked.reserve(static_cast<size_t>(request.envelopes_size()));
  for (const v1::Envelope& envelope : request.envelopes()) {
    checked.push_back(policy::CheckEnvelope(envelope, partner, pass.snapshot, now));
  }
  const absl::StatusOr<std::string> purpose = PurposeOf(checked, covenant);
  if (!purpose.ok()) return RefuseDurably(store_, entry, kSubmitMethod, purpose.status());
  entry.purpose = *purpose;

  v1::SubmitResponse response;
  SubmitReceipts receipts;
  const auto store_all = [&](BrokerTransaction& transaction) -> absl::Status {
    response.Clear();
    receipts = {};
    entry.count = 0;
    Refusals refusals;
    DayQuota quota(transaction, covenant, partner, today);
    for (size_t i = 0; i < checked.size(); ++i) {
      v1::SubmitReceipt& receipt = *response.add_receipts();
      receipt.set_signal_id(checked[i].header.signal_id());
      receipt.set_envelope_hash(checked[i].hash);
      const absl::StatusOr<Taken> taken = Take(transaction, request.envelopes(static_cast<int>(i)),
                                               checked[i], partner, absl::ToUnixMillis(now), quota);
      RAAKVLAK_RETURN_IF_ERROR(Settle(taken, receipt, refusals));
      if (!taken.ok()) continue;
      if (taken->is_new) {
        ++entry.count;
        receipts.AddNew(static_cast<int>(i), checked[i].hash, checked[i].header.expiry_day());
      } else {
        receipts.AddKnown(static_cast<int>(i), taken->number);
      }
    }
    RAAKVLAK_RETURN_IF_ERROR(quota.Store());
    entry.batch_root = receipts.Root();
    RAAKVLAK_ASSIGN_OR_RETURN(const storage::Logged logged, transaction.AppendAudit(entry));
    RAAKVLAK_RETURN_IF_ERROR(receipts.Store(transaction, logged, response));
    entry.batch_root.clear();
    return AppendRefusals(transaction, entry, kSubmitMethod, refusals);
  };
  RAAKVLAK_RETURN_IF_ERROR(store_.Write("submit", store_all));
  RAAKVLAK_RETURN_IF_ERROR(receipts.AddEntries(store_.audit_log(), response));
  return response;
}

absl::StatusOr<v1::WithdrawSignalsResponse> Exchange::Withdraw(const rpc::Gate::Pass& pass,
                                                               const v1::WithdrawSignalsRequest& request) {
  const absl::Time now = clock_.Now();
  const policy::Covenant& covenant = *pass.snapshot.covenant;
  const uint32_t today = covenant.DayAt(now);
  const storage::AuditEntry entry = EntryOf(pass, now, "withdraw", "");
  if (const absl::Status batch = CheckBatch(pass, request.withdrawals_size()); !batch.ok()) {
    return RefuseDurably(store_, entry, kWithdrawMethod, batch);
  }
  std::vector<CheckedWithdrawal> checked;
  checked.reserve(static_cast<size_t>(request.withdrawals_size()));
  for (const v1::SignedWithdrawal& withdrawal : request.withdrawals()) {
    checked.push_back(policy::CheckWithdrawal(withdrawal, pass.caller.id, pass.snapshot, now));
  }

  v1::WithdrawSignalsResponse response;
  const auto store_all = [&](BrokerTransaction& transaction) -> absl::Status {
    response.Clear();
    Refusals refusals;
    std::map<std::string, uint64_t> ended;  // by reason of withdrawal
    UnknownIdQuota quota(transaction, covenant, pass.caller.id, today);
    for (const CheckedWithdrawal& withdrawal : checked) {
      v1::SubmitReceipt& receipt = *response.add_receipts();
      receipt.set_signal_id(withdrawal.body.signal_id());
      receipt.set_envelope_hash(withdrawal.hash);
      const absl::StatusOr<Taken> taken =
          TakeWithdrawal(transaction, withdrawal, covenant, today, absl::ToUnixMillis(now), quota);
      RAAKVLAK_RETURN_IF_ERROR(Settle(taken, receipt, refusals));
      if (taken.ok() && taken->is_new) ++ended[std::string(ReasonName(withdrawal.body.reason()))];
    }
    if (ended.empty()) ended[""] = 0;
    for (const auto& [withdrawal_reason, count] : ended) {
      storage::AuditEntry withdrawn = entry;
      withdrawn.reason = withdrawal_reason;
      withdrawn.count = count;
      RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(withdrawn).status());
    }
    return AppendRefusals(transaction, entry, kWithdrawMethod, refusals);
  };
  RAAKVLAK_RETURN_IF_ERROR(store_.Write("withdraw", store_all));
  return response;
}

}  // namespace raakvlak::broker
