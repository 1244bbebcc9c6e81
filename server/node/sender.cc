#include "server/node/sender.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/signed_message.h"
#include "raakvlak/v1/intake.pb.h"
#include "server/node/address_exclusion.h"
#include "server/node/receipts.h"
#include "server/node/sealer.h"
#include "server/node/validate.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using storage::NodeSignal;
using storage::NodeSignalState;
using storage::NodeTransaction;

constexpr size_t kMaxSubmit = 256;
constexpr size_t kMaxWithdrawals = 256;
constexpr size_t kExpireAtOnce = 500;
constexpr absl::Duration kIdle = absl::Seconds(1);
constexpr absl::Duration kRestless = absl::Milliseconds(100);

// What may be different the next time.
bool IsTemporary(absl::string_view why) {
  for (const char* temporary :
       {reason::kUnavailable, reason::kOverloaded, reason::kDeadlineExceeded, reason::kShuttingDown,
        reason::kQuotaExceeded, reason::kRosterExpired, reason::kCovenantExpired, reason::kCovenantMismatch,
        reason::kPartnerSuspended, reason::kStorageFailed, reason::kInternal, reason::kClockSkew}) {
    if (why == temporary) return true;
  }
  return false;
}

absl::Status Wait(absl::string_view why) {
  return base::Error(absl::StatusCode::kUnavailable, why, "some signals stay queued");
}

bool IsUnder(const policy::Covenant& covenant, const v1::Envelope& envelope) {
  v1::EnvelopeBody body;
  v1::SignalHeader header;
  return body.ParseFromString(envelope.body()) && header.ParseFromString(body.header()) &&
         header.covenant_id() == covenant.id();
}

// Shuffles so that the order of a batch says nothing about the order of arrival.
template <typename T>
void Shuffle(std::vector<T>& items, base::Random& random) {
  for (size_t i = items.size(); i > 1; --i) {
    uint64_t draw = 0;
    random.Fill(&draw, sizeof(draw));
    std::swap(items[i - 1], items[draw % i]);
  }
}

}  // namespace

// A record whose envelope is to be made.
struct Sender::Draft {
  std::string signal_id;
  v1::Record record;
  ValidRecord valid;
};

// An envelope that is stored and can be sent.
struct Sender::Ready {
  std::string signal_id;
  v1::Envelope envelope;
};

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
        *environment_.signing_key, crypto::note::kWithdrawalKind, signed_withdrawal.body()));
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

absl::Status Sender::Process(const Outbox::Unit& unit) {
  RAAKVLAK_ASSIGN_OR_RETURN(const policy::Snapshot snapshot, environment_.authority->Current());
  RAAKVLAK_RETURN_IF_ERROR(policy::Authority::CheckPartner(snapshot, environment_.partner));
  // Why some stay queued although nothing failed.
  absl::Status left;
  // Envelopes that are there already do not wait for key holders.
  std::vector<Ready> ready = Load(unit, left);
  absl::StatusOr<std::vector<Ready>> made = Make(snapshot, unit, left);
  if (made.ok()) std::move(made->begin(), made->end(), std::back_inserter(ready));
  RAAKVLAK_RETURN_IF_ERROR(Submit(snapshot, unit.purpose, std::move(ready)));
  RAAKVLAK_RETURN_IF_ERROR(made.status());
  return left;
}

absl::Status Sender::Read(Column column, const NodeSignal& signal, absl::string_view ciphertext,
                          google::protobuf::MessageLite& out_message) const {
  const absl::StatusOr<base::SecretBytes> bytes =
      environment_.vault->Decrypt(column, signal.signal_id, ciphertext);
  if (bytes.ok()) {
    const absl::string_view view = bytes->Reveal(base::RevealSecret{});
    if (out_message.ParseFromArray(view.data(), static_cast<int>(view.size()))) return absl::OkStatus();
  }
  const absl::Status damaged =
      base::Error(absl::StatusCode::kDataLoss, reason::kInternal, "a stored signal cannot be read");
  base::LogStatus(base::LogLevel::kError, "node.signal_damaged", damaged,
                  {{"signal_id", base::Hex(signal.signal_id)}});
  return damaged;
}

std::vector<Sender::Ready> Sender::Load(const Outbox::Unit& unit, absl::Status& out_left) {
  std::vector<Ready> out;
  for (const NodeSignal& signal : unit.signals) {
    if (signal.envelope.empty()) continue;
    Ready ready;
    ready.signal_id = signal.signal_id;
    const absl::Status read = Read(Column::kEnvelope, signal, signal.envelope, ready.envelope);
    if (!read.ok()) {
      out_left = read;
      continue;
    }
    out.push_back(std::move(ready));
  }
  return out;
}

// Draw reads the records whose envelopes are to be made, and refuses those that the covenant or the day no
// longer allows.
absl::StatusOr<std::vector<Sender::Draft>> Sender::Draw(const policy::Snapshot& snapshot,
                                                        const Outbox::Unit& unit, absl::Status& out_left) {
  const v1::Partner& partner = *snapshot.covenant->FindPartner(environment_.partner);
  std::vector<Draft> drafts;
  std::vector<std::pair<std::string, std::string>> refused;
  for (const NodeSignal& signal : unit.signals) {
    if (!signal.envelope.empty()) continue;
    Draft draft;
    draft.signal_id = signal.signal_id;
    const absl::Status read = Read(Column::kRecord, signal, signal.record, draft.record);
    if (!read.ok()) {
      out_left = read;
      continue;
    }
    absl::StatusOr<ValidRecord> valid =
        ValidateRecord(draft.record, *snapshot.covenant, partner, environment_.clock->Now());
    if (!valid.ok()) {
      refused.emplace_back(signal.signal_id, base::ReasonOf(valid.status()));
      continue;
    }
    draft.valid = *std::move(valid);
    drafts.push_back(std::move(draft));
  }
  RAAKVLAK_RETURN_IF_ERROR(EndAsRefused(refused));
  return drafts;
}

absl::StatusOr<std::vector<Sender::Ready>> Sender::Make(const policy::Snapshot& snapshot,
                                                        const Outbox::Unit& unit, absl::Status& out_left) {
  RAAKVLAK_RETURN_IF_ERROR(environment_.linkage_check->Check(*snapshot.covenant));
  RAAKVLAK_ASSIGN_OR_RETURN(std::vector<Draft> drawn, Draw(snapshot, unit, out_left));
  if (drawn.empty()) return std::vector<Ready>();
  const v1::Purpose& purpose = *drawn.front().valid.purpose;
  std::vector<Draft> drafts;
  std::vector<std::pair<std::string, std::string>> excluded;
  std::vector<std::vector<Identifier>> identifiers;
  for (Draft& draft : drawn) {
    const absl::Status allowed =
        environment_.exclusion->Filter(*snapshot.covenant, draft.valid.fields, draft.valid.identifiers);
    if (base::ReasonOf(allowed) == reason::kExcludedListStale) {
      out_left = Wait(reason::kExcludedListStale);
    } else if (!allowed.ok()) {
      excluded.emplace_back(draft.signal_id, base::ReasonOf(allowed));
    } else {
      identifiers.push_back(std::move(draft.valid.identifiers));
      drafts.push_back(std::move(draft));
    }
  }
  RAAKVLAK_RETURN_IF_ERROR(EndAsRefused(excluded));
  if (drafts.empty()) return std::vector<Ready>();
  RAAKVLAK_ASSIGN_OR_RETURN(const auto pseudonyms, pseudonymiser_.Evaluate(snapshot, purpose, identifiers));

  std::vector<Ready> made;
  std::vector<std::string> encrypted;
  std::vector<uint32_t> expiry_days;
  for (size_t i = 0; i < drafts.size(); ++i) {
    RAAKVLAK_ASSIGN_OR_RETURN(SealedSignal sealed,
                              Seal(environment_, snapshot, purpose, drafts[i].valid.kind, drafts[i].record,
                                   drafts[i].signal_id, pseudonyms[i]));
    encrypted.push_back(environment_.vault->Encrypt(Column::kEnvelope, drafts[i].signal_id,
                                                    sealed.envelope.SerializeAsString()));
    expiry_days.push_back(sealed.expiry_day);
    made.push_back({drafts[i].signal_id, std::move(sealed.envelope)});
  }
  // What was withdrawn meanwhile is not there any more to be given an envelope, and so is not sent.
  std::vector<Ready> stored;
  const absl::Status written =
      environment_.store->Write("envelopes", [&](NodeTransaction& transaction) -> absl::Status {
        stored.clear();
        for (size_t i = 0; i < made.size(); ++i) {
          RAAKVLAK_ASSIGN_OR_RETURN(const bool put,
                                    transaction.PutEnvelope(made[i].signal_id, encrypted[i], expiry_days[i]));
          if (put) stored.push_back(made[i]);
        }
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  return stored;
}

absl::Status Sender::Submit(const policy::Snapshot& snapshot, const std::string& purpose,
                            std::vector<Ready> ready) {
  Shuffle(ready, *environment_.random);
  absl::Status outcome;
  for (size_t start = 0; start < ready.size(); start += kMaxSubmit) {
    const size_t end = std::min(ready.size(), start + kMaxSubmit);
    std::vector<Ready> batch(std::make_move_iterator(ready.begin() + static_cast<long>(start)),
                             std::make_move_iterator(ready.begin() + static_cast<long>(end)));
    v1::SubmitRequest request;
    for (const Ready& one : batch) *request.add_envelopes() = one.envelope;
    const absl::StatusOr<v1::SubmitResponse> response = exchange_.Submit(request, options_.submit_timeout);
    if (!response.ok()) return response.status();
    const absl::Status applied = Apply(snapshot, purpose, batch, *response);
    if (!applied.ok()) outcome = applied;
  }
  return outcome;
}

absl::Status Sender::Apply(const policy::Snapshot& snapshot, const std::string& purpose,
                           const std::vector<Ready>& sent, const v1::SubmitResponse& response) {
  if (static_cast<size_t>(response.receipts_size()) != sent.size()) return Wait(reason::kInternal);
  std::vector<std::pair<std::string, std::string>> accepted;  // with what is kept of the receipt
  std::vector<std::string> outdated;
  std::vector<std::pair<std::string, std::string>> refused;
  std::string waiting;
  for (size_t i = 0; i < sent.size(); ++i) {
    const v1::SubmitReceipt& receipt = response.receipts(static_cast<int>(i));
    const std::string& signal_id = sent[i].signal_id;
    if (receipt.accepted()) {
      const absl::StatusOr<v1::LoggedSignal> logged =
          CheckReceipt(receipt, response, *snapshot.covenant, environment_.partner, purpose,
                       base::Sha256(sent[i].envelope.body()));
      if (logged.ok()) {
        accepted.emplace_back(
            signal_id, environment_.vault->Encrypt(Column::kReceipt, signal_id, logged->SerializeAsString()));
      } else {
        AlarmWrongReceipt(logged.status(), signal_id);
        waiting = base::ReasonOf(logged.status());
      }
      continue;
    }
    // A covenant that replaced our key makes the signature wrong before anything else is looked at.
    const bool of_other_covenant =
        (receipt.reason() == reason::kCovenantMismatch || receipt.reason() == reason::kSignatureInvalid) &&
        !IsUnder(*snapshot.covenant, sent[i].envelope);
    if (!of_other_covenant && !IsTemporary(receipt.reason())) {
      refused.emplace_back(signal_id, receipt.reason());
      continue;
    }
    waiting = receipt.reason();
    if (of_other_covenant) outdated.push_back(signal_id);
  }
  const absl::Status written =
      environment_.store->Write("receipts", [&](NodeTransaction& transaction) -> absl::Status {
        for (const auto& [signal_id, receipt] : accepted) {
          RAAKVLAK_RETURN_IF_ERROR(
              transaction.MarkSubmitted(signal_id, receipt, environment_.NowMs()).status());
        }
        for (const std::string& signal_id : outdated) {
          RAAKVLAK_RETURN_IF_ERROR(transaction.DropEnvelope(signal_id).status());
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
