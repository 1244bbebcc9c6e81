#include "server/node/intake.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"
#include "linkage/record.h"
#include "raakvlak/v1/envelope.pb.h"
#include "server/node/address_exclusion.h"
#include "server/node/validate.h"

namespace raakvlak::node {
namespace {

namespace reason = base::reason;
using absl::StatusCode;
using storage::NodeSignal;
using storage::NodeSignalState;

constexpr size_t kSignalIdSize = 16;

absl::Status NotFound() {
  return base::Error(StatusCode::kNotFound, reason::kNotFound, "no signal has this client_ref");
}

void Reject(v1::PushReceipt& receipt, const absl::Status& why) {
  receipt.set_result(v1::REJECTED);
  receipt.set_reason(base::ReasonOf(why));
  receipt.set_field(linkage::FieldOf(why));
  receipt.set_message(std::string(why.message()));
}

// A record of a batch, ready for the transaction.
struct Prepared {
  // Why it cannot be taken; it may still be known.
  absl::Status invalid;
  // Without digest: not even its client_ref can be looked up.
  NodeSignal row;
  // It has no identifier before there is a fresh list of excluded addresses.
  bool waits = false;
};

Prepared Prepare(const Environment& environment, const policy::Snapshot& snapshot, const v1::Record& record) {
  Prepared prepared;
  prepared.invalid = ValidateReference(record);
  if (!prepared.invalid.ok()) return prepared;
  const Vault& vault = *environment.vault;
  NodeSignal& row = prepared.row;
  row.reference_digest = vault.ReferenceDigest(record.client_ref());
  row.record_digest = vault.RecordDigest(record);

  const absl::Time now = environment.clock->Now();
  const policy::Covenant& covenant = *snapshot.covenant;
  absl::StatusOr<ValidRecord> valid =
      ValidateRecord(record, covenant, *covenant.FindPartner(environment.partner), now);
  prepared.invalid = valid.status();
  if (!valid.ok()) return prepared;
  prepared.invalid = environment.exclusion->Filter(covenant, valid->fields, valid->identifiers);
  prepared.waits = base::ReasonOf(prepared.invalid) == reason::kExcludedListStale;
  if (!prepared.invalid.ok() && !prepared.waits) return prepared;
  prepared.invalid = absl::OkStatus();
  row.signal_id = environment.random->Bytes(kSignalIdSize);
  row.reference = vault.Encrypt(Column::kReference, row.signal_id, record.client_ref());
  const base::SecretBytes bytes = base::SecretBytes::Take(record.SerializeAsString());
  row.record = vault.Encrypt(Column::kRecord, row.signal_id, bytes.Reveal(base::RevealSecret{}));
  row.purpose = record.purpose();
  row.expiry_day = covenant.DayAt(now) + valid->purpose->retention_days();
  row.received_ms = row.changed_ms = absl::ToUnixMillis(now);
  return prepared;
}

// Decides on one record and stores it if it is new.
absl::Status Take(const Prepared& prepared, storage::NodeTransaction& transaction, v1::PushReceipt& receipt) {
  if (prepared.row.reference_digest.empty()) {
    Reject(receipt, prepared.invalid);
    return absl::OkStatus();
  }
  RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<NodeSignal> known,
                            transaction.FindByReference(prepared.row.reference_digest));
  const bool live = known.has_value() &&
                    (known->state == NodeSignalState::kQueued || known->state == NodeSignalState::kSubmitted);
  if (live && known->record_digest == prepared.row.record_digest) {
    receipt.set_result(v1::KNOWN);
    receipt.set_signal_id(known->signal_id);
    if (prepared.waits && known->state == NodeSignalState::kQueued)
      receipt.set_reason(reason::kExcludedListStale);
    return absl::OkStatus();
  }
  if (!prepared.invalid.ok()) {
    Reject(receipt, prepared.invalid);
    return absl::OkStatus();
  }
  if (live) {
    Reject(receipt, linkage::FieldError(reason::kClientRefConflict, "client_ref",
                                        "this client_ref is known with other content"));
    return absl::OkStatus();
  }
  if (known.has_value() && known->state != NodeSignalState::kRefused) {
    Reject(receipt, linkage::FieldError(reason::kClientRefEnded, "client_ref",
                                        "the signal of this client_ref was withdrawn or has expired"));
    return absl::OkStatus();
  }
  if (known.has_value()) RAAKVLAK_RETURN_IF_ERROR(transaction.Remove(known->signal_id));
  RAAKVLAK_RETURN_IF_ERROR(transaction.Insert(prepared.row));
  receipt.set_result(v1::ACCEPTED);
  receipt.set_signal_id(prepared.row.signal_id);
  if (prepared.waits) receipt.set_reason(reason::kExcludedListStale);
  return absl::OkStatus();
}

storage::AuditEntry BatchEntry(const Environment& environment, const rpc::Gate::Pass& pass,
                               const v1::PushRequest& request, const v1::PushResponse& response) {
  storage::AuditEntry entry = NewEntry(environment, pass, "intake");
  int known = 0;
  for (int i = 0; i < response.receipts_size(); ++i) {
    if (response.receipts(i).result() == v1::ACCEPTED) ++entry.count;
    if (response.receipts(i).result() == v1::KNOWN) ++known;
  }
  entry.reason = absl::StrCat(entry.count, " accepted, ", known, " known, ",
                              request.records_size() - static_cast<int>(entry.count) - known, " rejected");
  return entry;
}

absl::StatusOr<v1::WithdrawalReason> ParseReason(const std::string& text) {
  if (text == "unjust") return v1::UNJUST;
  if (text == "risk_over") return v1::RISK_OVER;
  return base::Error(StatusCode::kInvalidArgument, reason::kInvalidArgument, "reason is unjust or risk_over");
}

}  // namespace

absl::StatusOr<v1::PushResponse> Intake::Push(const rpc::Gate::Pass& pass, const v1::PushRequest& request) {
  if (request.records().empty()) {
    return base::Error(StatusCode::kInvalidArgument, reason::kInvalidArgument, "a batch without records");
  }
  if (request.records_size() > kMaxPushBatch) {
    return base::Error(StatusCode::kInvalidArgument, reason::kTooLarge,
                       absl::StrCat("more than ", kMaxPushBatch, " records"));
  }
  std::vector<Prepared> prepared;
  prepared.reserve(static_cast<size_t>(request.records_size()));
  for (const v1::Record& record : request.records()) {
    prepared.push_back(Prepare(environment_, pass.snapshot, record));
  }
  v1::PushResponse response;
  const absl::Status written =
      environment_.store->Write("intake", [&](storage::NodeTransaction& transaction) -> absl::Status {
        response.Clear();
        for (const Prepared& one : prepared) {
          RAAKVLAK_RETURN_IF_ERROR(Take(one, transaction, *response.add_receipts()));
        }
        return transaction.AppendAudit(BatchEntry(environment_, pass, request, response)).status();
      });
  if (!written.ok()) return written;
  outbox_.Notify();
  return response;
}

absl::StatusOr<v1::WithdrawResponse> Intake::Withdraw(const rpc::Gate::Pass& pass,
                                                      const v1::WithdrawRequest& request) {
  RAAKVLAK_ASSIGN_OR_RETURN(const v1::WithdrawalReason why, ParseReason(request.reason()));
  const std::string digest = environment_.vault->ReferenceDigest(request.client_ref());
  const int64_t now_ms = environment_.NowMs();
  std::optional<NodeSignal> signal;
  const absl::Status written =
      environment_.store->Write("withdraw", [&](storage::NodeTransaction& transaction) -> absl::Status {
        RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<NodeSignal> before,
                                  transaction.FindByReference(digest));
        if (!before.has_value()) return NotFound();
        RAAKVLAK_ASSIGN_OR_RETURN(
            const bool ended,
            transaction.End(before->signal_id, NodeSignalState::kWithdrawn, request.reason(), now_ms));
        // Never sent means that the broker need not hear of it; an envelope that was made may have been sent.
        if (ended && (before->state == NodeSignalState::kSubmitted || !before->envelope.empty())) {
          RAAKVLAK_RETURN_IF_ERROR(transaction.AddWithdrawal({before->signal_id, why, now_ms}));
        }
        storage::AuditEntry entry = NewEntry(environment_, pass, "withdraw");
        entry.purpose = before->purpose;
        entry.reason = request.reason();
        entry.count = ended ? 1 : 0;
        RAAKVLAK_RETURN_IF_ERROR(transaction.AppendAudit(entry).status());
        RAAKVLAK_ASSIGN_OR_RETURN(signal, transaction.FindByReference(digest));
        return absl::OkStatus();
      });
  if (!written.ok()) return written;
  outbox_.Notify();
  v1::WithdrawResponse response;
  RAAKVLAK_ASSIGN_OR_RETURN(*response.mutable_status(), StatusOf(*signal));
  return response;
}

absl::Status Intake::LogRead(const rpc::Gate::Pass& pass, absl::string_view object, absl::string_view purpose,
                             uint64_t count) const {
  storage::AuditEntry entry = NewEntry(environment_, pass, "intake_read");
  entry.object = std::string(object);
  entry.purpose = std::string(purpose);
  entry.count = count;
  return environment_.store->Write("intake_read", [&](storage::NodeTransaction& transaction) {
    return transaction.AppendAudit(entry).status();
  });
}

absl::StatusOr<v1::GetStateResponse> Intake::GetState(const rpc::Gate::Pass& pass,
                                                      const v1::GetStateRequest& request) const {
  RAAKVLAK_ASSIGN_OR_RETURN(
      const std::optional<NodeSignal> signal,
      environment_.store->FindByReference(environment_.vault->ReferenceDigest(request.client_ref())));
  if (!signal.has_value()) return NotFound();
  v1::GetStateResponse response;
  RAAKVLAK_ASSIGN_OR_RETURN(*response.mutable_status(), StatusOf(*signal));
  RAAKVLAK_RETURN_IF_ERROR(LogRead(pass, "state", signal->purpose, 1));
  return response;
}

absl::StatusOr<v1::ListSignalsResponse> Intake::ListSignals(const rpc::Gate::Pass& pass,
                                                            const v1::ListSignalsRequest& request) const {
  uint64_t after = 0;
  if (request.page_size() > kMaxPage ||
      (!request.page_token().empty() && !absl::SimpleAtoi(request.page_token(), &after)) ||
      after > INT64_MAX || !v1::SignalState_IsValid(request.state())) {
    return base::Error(StatusCode::kInvalidArgument, reason::kInvalidArgument,
                       "page size, page token or state");
  }
  const size_t limit = request.page_size() == 0 ? kDefaultPage : request.page_size();
  std::optional<NodeSignalState> state;
  if (request.state() != v1::SIGNAL_STATE_UNSPECIFIED) state = static_cast<NodeSignalState>(request.state());
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<NodeSignal> signals,
                            environment_.store->List(after, limit, state));
  v1::ListSignalsResponse response;
  for (const NodeSignal& signal : signals) {
    RAAKVLAK_ASSIGN_OR_RETURN(*response.add_signals(), StatusOf(signal));
  }
  if (signals.size() == limit) response.set_next_page_token(absl::StrCat(signals.back().sequence));
  RAAKVLAK_RETURN_IF_ERROR(LogRead(pass, "signals", "", signals.size()));
  return response;
}

absl::StatusOr<v1::SignalStatus> Intake::StatusOf(const NodeSignal& signal) const {
  RAAKVLAK_ASSIGN_OR_RETURN(
      const base::SecretBytes reference,
      environment_.vault->Decrypt(Column::kReference, signal.signal_id, signal.reference));
  v1::SignalStatus status;
  status.set_client_ref(std::string(reference.Reveal(base::RevealSecret{})));
  status.set_signal_id(signal.signal_id);
  status.set_purpose(signal.purpose);
  status.set_state(static_cast<v1::SignalState>(signal.state));
  status.set_reason(signal.state == NodeSignalState::kQueued ? outbox_.WaitingReason(signal.purpose)
                                                             : signal.reason);
  status.set_received_ms(signal.received_ms);
  status.set_changed_ms(signal.changed_ms);
  return status;
}

}  // namespace raakvlak::node
