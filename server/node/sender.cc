#include "server/node/sender.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"
#include "policy/epochs.h"
#include "server/node/sealing_epoch.h"
#include "server/node/validate.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using storage::NodeSignal;
using storage::NodeSignalState;
using storage::NodeTransaction;

constexpr size_t kMaxWithdrawals = 256;
constexpr size_t kExpireAtOnce = 500;
constexpr absl::Duration kIdle = absl::Seconds(1);
constexpr absl::Duration kRestless = absl::Milliseconds(100);

}  // namespace

Sender::Sender(const Environment& environment, Outbox& outbox, Pseudonymiser& pseudonymiser,
               client::ExchangeClient& exchange, SenderOptions options)
    : environment_(environment),
      outbox_(outbox),
      pseudonymiser_(pseudonymiser),
      exchange_(exchange),
      options_(options) {}

Sender::~Sender() { Stop(); }

void Sender::Start() {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { Run(); });
}

void Sender::Stop() {
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  outbox_.Notify();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Sender::Run() {
  while (true) {
    const uint64_t seen = outbox_.Generation();
    {
      base::MutexLock lock(mutex_);
      if (stopping_) return;
    }
    if (!Step()) outbox_.Wait(seen, outbox_.IsResting() ? kRestless : kIdle);
  }
}

bool Sender::Step() {
  if (Expire()) return true;
  if (SendWithdrawals()) return true;
  absl::StatusOr<std::optional<Outbox::Unit>> unit = outbox_.Claim(options_.unit);
  if (!unit.ok()) {
    base::LogStatus(base::LogLevel::kError, "node.claim_failed", unit.status());
    return false;
  }
  if (!unit->has_value()) return false;
  const absl::Status status = Process(**unit);
  if (!status.ok()) {
    base::LogStatus(base::LogLevel::kWarning, "node.signals_wait", status, {{"purpose", (*unit)->purpose}});
  }
  outbox_.Done(**unit, status);
  return true;
}

bool Sender::Expire() {
  const absl::StatusOr<policy::Snapshot> snapshot = environment_.authority->Current();
  if (!snapshot.ok()) return false;
  const uint32_t today = snapshot->covenant->DayAt(environment_.clock->Now());
  {
    base::MutexLock lock(mutex_);
    if (expired_until_ >= today) return false;
  }
  uint64_t count = 0;
  const absl::Status written =
      environment_.store->Write("expire", [&](NodeTransaction& transaction) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(count, transaction.ExpireUntil(today, environment_.NowMs(), kExpireAtOnce));
        if (count == 0) return absl::OkStatus();
        storage::AuditEntry entry =
            NewEntry(environment_, *snapshot, OwnUrn(environment_, *snapshot), "node", "expire");
        entry.count = count;
        return transaction.AppendAudit(entry).status();
      });
  if (!written.ok()) {
    base::LogStatus(base::LogLevel::kError, "node.expire_failed", written);
    return false;
  }
  if (count == kExpireAtOnce) return true;
  base::MutexLock lock(mutex_);
  expired_until_ = today;
  return count > 0;
}

bool Sender::SendWithdrawals() {
  {
    base::MutexLock lock(mutex_);
    if (withdrawing_ || !withdrawal_backoff_.MayTry(environment_.clock->Now())) return false;
    withdrawing_ = true;
  }
  const auto waiting = environment_.store->Withdrawals(kMaxWithdrawals);
  absl::Status status = waiting.status();
  if (waiting.ok() && !waiting->empty()) status = DoSendWithdrawals(*waiting);
  if (!status.ok()) base::LogStatus(base::LogLevel::kWarning, "node.withdrawals_wait", status);

  base::MutexLock lock(mutex_);
  withdrawing_ = false;
  if (!status.ok()) {
    withdrawal_backoff_.Failed(environment_.clock->Now());
    return false;
  }
  withdrawal_backoff_.Succeeded();
  return !waiting->empty();
}

absl::Status Sender::DoSendWithdrawals(const std::vector<storage::NodeWithdrawal>& waiting) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, environment_.authority->Current());
  v1::WithdrawSignalsRequest request;
  for (const storage::NodeWithdrawal& withdrawal : waiting) {
    v1::WithdrawalBody body;
    body.set_version(1);
    body.set_covenant_id(snapshot.covenant->id());
    body.set_partner(environment_.partner);
    body.set_signal_id(withdrawal.signal_id);
    body.set_reason(static_cast<v1::WithdrawalReason>(withdrawal.reason));
    // No later than now: one that was made while the clock ran ahead would be refused until that time.
    body.set_time_ms(std::min(withdrawal.time_ms, environment_.NowMs()));
    v1::SignedWithdrawal& signed_withdrawal = *request.add_withdrawals();
    signed_withdrawal.set_body(body.SerializeAsString());
    signed_withdrawal.set_signature(crypto::note::SignMessage(
        OwnKey(environment_, *snapshot.covenant), crypto::note::kWithdrawalKind, signed_withdrawal.body()));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::WithdrawSignalsResponse response,
                            exchange_.Withdraw(request, options_.submit_timeout));
  if (response.receipts_size() != request.withdrawals_size()) return Wait(reason::kInternal);

  // SIGNAL_ENDED: it has expired there, so it is gone all the same. Any other refusal is tried again: a
  // withdrawal is never given up.
  std::vector<std::string> acknowledged;
  std::string refused;
  for (int i = 0; i < response.receipts_size(); ++i) {
    const v1::SubmitReceipt& receipt = response.receipts(i);
    if (receipt.accepted() || receipt.reason() == reason::kSignalEnded) {
      acknowledged.push_back(waiting[static_cast<size_t>(i)].signal_id);
    } else {
      refused = receipt.reason();
    }
  }
  const absl::Status written = environment_.store->Write(
      "withdrawals_acknowledged", [&](NodeTransaction& transaction) -> absl::Status {
        for (const std::string& signal_id : acknowledged) {
          RAAKVLAK_RETURN_IF_ERROR(transaction.RemoveWithdrawal(signal_id));
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  return refused.empty() ? absl::OkStatus() : Wait(refused);
}

absl::Status Sender::Process(Outbox::Unit unit) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, environment_.authority->Current());
  RAAKVLAK_RETURN_IF_ERROR(policy::Authority::CheckPartner(snapshot, environment_.partner));
  const v1::Purpose* purpose = snapshot.covenant->FindPurpose(unit.purpose);
  if (purpose == nullptr) return Wait(reason::kPurposeUnknown);
  // Why some stay queued although nothing failed.
  absl::Status left;
  // Envelopes that are there already do not wait for key holders.
  std::vector<Ready> ready = Load(unit, left);
  RAAKVLAK_RETURN_IF_ERROR(DropUnserved(*purpose, unit, ready));
  absl::StatusOr<std::vector<Ready>> made = Make(snapshot, unit, left);
  if (made.ok()) std::move(made->begin(), made->end(), std::back_inserter(ready));
  RAAKVLAK_RETURN_IF_ERROR(Submit(snapshot, unit.purpose, std::move(ready)));
  RAAKVLAK_RETURN_IF_ERROR(made.status());
  return left;
}

std::vector<Ready> Sender::Load(const Outbox::Unit& unit, absl::Status& out_left) {
  std::vector<Ready> out;
  for (const NodeSignal& signal : unit.signals) {
    if (signal.envelope.empty()) continue;
    Ready ready;
    ready.signal_id = signal.signal_id;
    const absl::Status read = ReadStored(environment_, Column::kEnvelope, signal, ready.envelope);
    if (!read.ok()) {
      out_left = read;
      continue;
    }
    out.push_back(std::move(ready));
  }
  return out;
}

// What the broker took of an epoch that ended went with that epoch, so those envelopes are made anew.
absl::Status Sender::DropUnserved(const v1::Purpose& purpose, Outbox::Unit& unit, std::vector<Ready>& ready) {
  const absl::Time now = environment_.clock->Now();
  std::set<std::string> unserved;
  for (const Ready& one : ready) {
    if (!policy::IsEpochServed(purpose, HeaderOf(one.envelope).epoch(), now)) unserved.insert(one.signal_id);
  }
  if (unserved.empty()) return absl::OkStatus();
  const absl::Status written =
      environment_.store->Write("drop_unserved", [&](NodeTransaction& transaction) -> absl::Status {
        for (const std::string& signal_id : unserved) {
          RAAKVLAK_RETURN_IF_ERROR(transaction.DropEnvelope(signal_id).status());
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  std::erase_if(ready, [&](const Ready& one) { return unserved.count(one.signal_id) != 0; });
  for (NodeSignal& signal : unit.signals) {
    if (unserved.count(signal.signal_id) != 0) signal.envelope.clear();
  }
  return absl::OkStatus();
}

// Draw reads the records whose envelopes are to be made, and refuses those that the covenant or the day no
// longer allows.
absl::StatusOr<std::vector<Draft>> Sender::Draw(const policy::Snapshot& snapshot, const v1::Purpose& terms,
                                                const Outbox::Unit& unit, absl::Status& out_left) {
  const v1::Partner& partner = *snapshot.covenant->FindPartner(environment_.partner);
  const absl::Time now = environment_.clock->Now();
  std::vector<Draft> drafts;
  std::vector<std::pair<std::string, std::string>> refused;
  for (const NodeSignal& signal : unit.signals) {
    if (!signal.envelope.empty()) continue;
    Draft draft;
    draft.signal_id = signal.signal_id;
    const absl::Status read = ReadStored(environment_, Column::kRecord, signal, draft.record);
    if (!read.ok()) {
      out_left = read;
      continue;
    }
    absl::StatusOr<ValidRecord> valid =
        ValidateRecord(draft.record, *snapshot.covenant, partner, now, &terms);
    if (!valid.ok()) {
      refused.emplace_back(signal.signal_id, base::ReasonOf(valid.status()));
      continue;
    }
    draft.valid = *std::move(valid);
    draft.days.submitted = snapshot.covenant->DayAt(now);
    draft.days.expiry = draft.days.submitted + draft.valid.purpose->retention_days();
    drafts.push_back(std::move(draft));
  }
  RAAKVLAK_RETURN_IF_ERROR(EndAsRefused(refused));
  return drafts;
}

absl::StatusOr<std::vector<Ready>> Sender::Make(const policy::Snapshot& snapshot, const Outbox::Unit& unit,
                                                absl::Status& out_left) {
  RAAKVLAK_RETURN_IF_ERROR(environment_.linkage_check->Check(*snapshot.covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::Purpose* terms, FindSealingTerms(environment_, snapshot, unit.purpose));
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<Draft> drafts, Draw(snapshot, *terms, unit, out_left));
  RAAKVLAK_ASSIGN_OR_RETURN(MadeEnvelopes envelopes,
                            MakeEnvelopes(environment_, pseudonymiser_, snapshot, *terms, std::move(drafts)));
  if (envelopes.list_is_stale) out_left = Wait(reason::kExcludedListStale);
  RAAKVLAK_RETURN_IF_ERROR(EndAsRefused(envelopes.refused));
  // What was withdrawn meanwhile is not there any more to be given an envelope, and so is not sent.
  std::vector<Ready> stored;
  if (envelopes.made.empty()) return stored;
  const absl::Status written =
      environment_.store->Write("envelopes", [&](NodeTransaction& transaction) -> absl::Status {
        stored.clear();
        for (const MadeEnvelopes::One& one : envelopes.made) {
          RAAKVLAK_ASSIGN_OR_RETURN(const bool put,
                                    transaction.PutEnvelope(one.ready.signal_id, one.encrypted, one.days));
          if (put) stored.push_back(one.ready);
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  return stored;
}

absl::Status Sender::Submit(const policy::Snapshot& snapshot, const std::string& purpose,
                            std::vector<Ready> ready) {
  // Before it is cut into batches, so that they say nothing about the order of arrival either.
  Shuffle(ready, *environment_.random);
  absl::Status outcome;
  for (size_t start = 0; start < ready.size(); start += kMaxSubmit) {
    const absl::StatusOr<std::vector<Submitted>> results =
        SubmitEnvelopes(environment_, snapshot, purpose, exchange_,
                        absl::MakeConstSpan(ready).subspan(start, kMaxSubmit), options_.submit_timeout);
    if (!results.ok()) return results.status();
    const absl::Status applied = Apply(*results);
    if (!applied.ok()) outcome = applied;
  }
  return outcome;
}

absl::Status Sender::Apply(const std::vector<Submitted>& results) {
  std::vector<std::pair<std::string, std::string>> refused;
  std::string waiting;
  for (const Submitted& result : results) {
    // The broker still has it as it was in an epoch that has ended, or in one that this database, restored,
    // does not know. That goes, and then this envelope is taken.
    const bool conflicts = result.outcome == Outcome::kRefused && result.reason == reason::kEnvelopeConflict;
    if (conflicts || result.outcome == Outcome::kWaits || result.outcome == Outcome::kOutdated) {
      waiting = result.reason;
    } else if (result.outcome == Outcome::kRefused) {
      refused.emplace_back(result.signal_id, result.reason);
    }
  }
  const absl::Status written =
      environment_.store->Write("receipts", [&](NodeTransaction& transaction) -> absl::Status {
        for (const Submitted& result : results) {
          if (result.outcome == Outcome::kAccepted) {
            RAAKVLAK_RETURN_IF_ERROR(
                transaction
                    .MarkSubmitted(result.signal_id, result.receipt, result.epoch, environment_.NowMs())
                    .status());
          } else if (result.outcome == Outcome::kOutdated) {
            RAAKVLAK_RETURN_IF_ERROR(transaction.DropEnvelope(result.signal_id).status());
          }
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  RAAKVLAK_RETURN_IF_ERROR(EndAsRefused(refused));
  return waiting.empty() ? absl::OkStatus() : Wait(waiting);
}

absl::Status Sender::EndAsRefused(const std::vector<std::pair<std::string, std::string>>& refused) {
  if (refused.empty()) return absl::OkStatus();
  return environment_.store->Write("refused", [&](NodeTransaction& transaction) -> absl::Status {
    for (const auto& [signal_id, why] : refused) {
      RAAKVLAK_RETURN_IF_ERROR(
          transaction.End(signal_id, NodeSignalState::kRefused, why, environment_.NowMs()).status());
    }
    return absl::OkStatus();
  });
}

}  // namespace raakvlak::node
