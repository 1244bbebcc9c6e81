// NodeStore: what a partner's node keeps: its signals (vault and outbox in one row), withdrawals under way,
// what its key share was asked, its part in ceremonies (node_ceremonies.h), and its log.
//
// The store sees no identity: client_ref, record, envelope and receipt come in encrypted
// (server/node/vault.h), digests are HMACs under the vault key. A signal's row outlives its content: when the
// signal ends, record, digest and envelope go in the same transaction, and state, client_ref and receipt
// stay, so that the partner can still ask and cannot bring it back by mistake.
//
// All changes happen in Write: everything in it is durable when Write returns, or nothing happened. The
// guards (a state that must hold) are in the methods themselves, so that two workers on one signal cannot
// undo each other.
//
// Store (of HighWater) refuses a lower covenant version or roster number than it holds: STORAGE_FAILED.
//
// Thread safety: all methods of NodeStore may be called from any thread; a NodeTransaction is for the thread
// that got it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "policy/authority.h"
#include "server/storage/audit.h"
#include "server/storage/node_ceremonies.h"

namespace raakvlak::storage {

// Numbers as raakvlak.v1.SignalState. DO NOT CHANGE: they are in databases.
enum class NodeSignalState : int { kQueued = 1, kSubmitted = 2, kRefused = 3, kWithdrawn = 4, kExpired = 5 };

struct NodeSignal {
  // Order of arrival, from 1, never used again; set by Insert.
  uint64_t sequence = 0;
  std::string signal_id;         // 16 bytes
  std::string reference_digest;  // HMAC of client_ref, 32 bytes
  std::string reference;         // client_ref, encrypted
  std::string purpose;
  NodeSignalState state = NodeSignalState::kQueued;
  std::string reason;  // why it was refused, withdrawn or ended, or cannot go over to another epoch
  // Days since 1970: when its first envelope was made (0 before that), and the first day on which it is no
  // longer live.
  uint32_t submitted_day = 0;
  uint32_t expiry_day = 0;
  // Of what the broker took last; 0 before that.
  uint32_t epoch = 0;
  // Nothing is to be done to bring it to this epoch, or one before: it is there, or it cannot go (`reason`
  // says why).
  uint32_t settled_epoch = 0;
  int64_t received_ms = 0;
  int64_t changed_ms = 0;
  // Gone when the signal has ended:
  std::string record_digest;  // HMAC of the record, 32 bytes
  std::string record;         // raakvlak.v1.Record, encrypted
  // raakvlak.v1.Envelope, encrypted: from when it was made until its receipt. While it is here it may have
  // been sent. Of a SUBMITTED signal: that of the epoch to which it goes over.
  std::string envelope;
  // raakvlak.v1.LoggedSignal, encrypted: from when it was submitted until the row goes.
  std::string receipt;
};

struct SignalDays {
  uint32_t submitted = 0;
  uint32_t expiry = 0;
};

// A place in the order in which signals go over to another epoch; that before the first by default.
struct RotationPlace {
  uint32_t settled_epoch = 0;
  uint64_t sequence = 0;
};

struct RotationProgress {
  uint64_t live = 0;
  uint64_t rotated = 0;
  bool operator==(const RotationProgress&) const = default;
};

struct NodeWithdrawal {
  std::string signal_id;  // 16 bytes
  int reason = 0;         // raakvlak.v1.WithdrawalReason
  int64_t time_ms = 0;
};

struct EvaluationQuota {
  std::string partner;
  std::string purpose;
  uint8_t identifier_class = 0;
  // Days since 1970.
  uint32_t day = 0;
};

// Elements that a key holder evaluates for `partner` beside its quota, once.
struct EvaluationAllowance {
  std::string partner;
  uint8_t identifier_class = 0;
  uint64_t granted = 0;
};

class NodeTransaction : public AuditAppender {
 public:
  // FindByReference returns the newest row of that client_ref, with all its columns.
  virtual absl::StatusOr<std::optional<NodeSignal>> FindByReference(absl::string_view reference_digest) = 0;

  // Insert adds a signal; `sequence` of the argument is not looked at. STORAGE_FAILED when id or client_ref
  // is there already.
  virtual absl::Status Insert(const NodeSignal& signal) = 0;
  // Remove deletes a REFUSED row, so that its client_ref can be pushed anew.
  virtual absl::Status Remove(absl::string_view signal_id) = 0;

  // PutEnvelope stores the envelope of a QUEUED signal that has none, and its days; false, and no effect, for
  // any other.
  virtual absl::StatusOr<bool> PutEnvelope(absl::string_view signal_id, absl::string_view envelope,
                                           SignalDays days) = 0;
  // DropEnvelope removes the envelope of a QUEUED or SUBMITTED signal; false for any other.
  virtual absl::StatusOr<bool> DropEnvelope(absl::string_view signal_id) = 0;
  // MarkSubmitted makes a QUEUED signal SUBMITTED in `epoch`, keeps its receipt and deletes its envelope;
  // false for any other.
  virtual absl::StatusOr<bool> MarkSubmitted(absl::string_view signal_id, absl::string_view receipt,
                                             uint32_t epoch, int64_t now_ms) = 0;

  // A SUBMITTED signal goes over to another epoch. All three: false, and no effect, for any other signal.
  // PutRotation stores the envelope with which it goes, when it has none.
  virtual absl::StatusOr<bool> PutRotation(absl::string_view signal_id, absl::string_view envelope) = 0;
  // MarkRotated says that the broker has it in `epoch`, later than before: keeps the receipt (an empty one
  // leaves what is there) and deletes the envelope.
  virtual absl::StatusOr<bool> MarkRotated(absl::string_view signal_id, uint32_t epoch,
                                           absl::string_view receipt) = 0;
  // HoldRotation says that it cannot go over to `epoch`, and why, and deletes the envelope.
  virtual absl::StatusOr<bool> HoldRotation(absl::string_view signal_id, uint32_t epoch,
                                            absl::string_view reason) = 0;
  // End makes a QUEUED or SUBMITTED signal REFUSED, WITHDRAWN or EXPIRED and deletes record, digest and
  // envelope; false for any other. REFUSED ends QUEUED signals only.
  virtual absl::StatusOr<bool> End(absl::string_view signal_id, NodeSignalState state,
                                   absl::string_view reason, int64_t now_ms) = 0;
  // ExpireUntil ends as EXPIRED up to `limit` live signals whose expiry day is `day` or before; returns how
  // many.
  virtual absl::StatusOr<uint64_t> ExpireUntil(uint32_t day, int64_t now_ms, size_t limit) = 0;

  // EndPurpose ends as EXPIRED for `reason` up to `limit` live signals of `purpose`; returns how many.
  virtual absl::StatusOr<uint64_t> EndPurpose(absl::string_view purpose, absl::string_view reason,
                                              int64_t now_ms, size_t limit) = 0;
  // EndHeld ends as EXPIRED up to `limit` SUBMITTED signals of `purpose` that HoldRotation held back from
  // `epoch` or a later one and are in one before; returns how many. Each keeps its reason.
  virtual absl::StatusOr<uint64_t> EndHeld(absl::string_view purpose, uint32_t epoch, int64_t now_ms,
                                           size_t limit) = 0;

  // AddWithdrawal keeps a withdrawal until RemoveWithdrawal; adding it again changes nothing.
  virtual absl::Status AddWithdrawal(const NodeWithdrawal& withdrawal) = 0;
  virtual absl::Status RemoveWithdrawal(absl::string_view signal_id) = 0;

  // RememberRequest keeps (partner, request id); false when it was there.
  virtual absl::StatusOr<bool> RememberRequest(absl::string_view partner, absl::string_view request_id,
                                               int64_t time_ms) = 0;
  // ForgetRequests deletes those with a time before `time_ms`.
  virtual absl::Status ForgetRequests(int64_t time_ms) = 0;
  // TakeQuota adds `elements` to what was used; false, and no effect, when that would be more than `limit`.
  virtual absl::StatusOr<bool> TakeQuota(const EvaluationQuota& key, uint64_t elements, uint64_t limit) = 0;
  // ForgetQuotas deletes the counts of days before `day`.
  virtual absl::Status ForgetQuotas(uint32_t day) = 0;

  // PutCeremony adds a row or replaces its changing columns; false, and no effect, when its state would go
  // back.
  virtual absl::StatusOr<bool> PutCeremony(const NodeCeremony& ceremony) = 0;
  // SeeKeyset keeps the highest generation of a key; false, and no effect, when a higher one, or another of
  // the same generation, was seen. `made_ms` of the argument is not looked at.
  virtual absl::StatusOr<bool> SeeKeyset(const SeenKeyset& seen) = 0;
  // GrantAllowances keeps what each partner may have evaluated once for (purpose, epoch); partners without a
  // row have nothing. False, and no effect, when that was granted before.
  virtual absl::StatusOr<bool> GrantAllowances(absl::string_view purpose, uint32_t epoch,
                                               const std::vector<EvaluationAllowance>& allowances) = 0;
  // TakeAllowance adds `elements` to what was used; false, and no effect, when that would be more than was
  // granted.
  virtual absl::StatusOr<bool> TakeAllowance(absl::string_view purpose, uint32_t epoch,
                                             absl::string_view partner, uint8_t identifier_class,
                                             uint64_t elements) = 0;
  // ForgetAllowances deletes those of `purpose` for epochs before `epoch`.
  virtual absl::Status ForgetAllowances(absl::string_view purpose, uint32_t epoch) = 0;
};

class NodeStore : public policy::HighWater {
 public:
  // Write runs `body` in a transaction called `name`. An error of `body` is returned and leaves no effect.
  // STORAGE_FAILED. `body` must touch nothing but the transaction and its own variables, and must not call
  // the store.
  virtual absl::Status Write(absl::string_view name,
                             absl::FunctionRef<absl::Status(NodeTransaction&)> body) = 0;

  virtual absl::StatusOr<std::optional<NodeSignal>> FindByReference(absl::string_view reference_digest) = 0;
  // List returns up to `limit` signals with a sequence above `after`, in order of arrival, without record,
  // digest and envelope.
  virtual absl::StatusOr<std::vector<NodeSignal>> List(uint64_t after, size_t limit,
                                                       std::optional<NodeSignalState> state) = 0;
  // QueuedPurposes returns the purposes that have QUEUED signals.
  virtual absl::StatusOr<std::vector<std::string>> QueuedPurposes() = 0;
  // Queued returns up to `limit` whole QUEUED signals of `purpose` with a sequence above `after`, in order of
  // arrival.
  virtual absl::StatusOr<std::vector<NodeSignal>> Queued(absl::string_view purpose, uint64_t after,
                                                         size_t limit) = 0;
  // In the order in which they came.
  virtual absl::StatusOr<std::vector<NodeCeremony>> Ceremonies() = 0;
  virtual absl::StatusOr<std::vector<SeenKeyset>> SeenKeysets() = 0;
  // UsedQuota returns what TakeQuota has counted.
  virtual absl::StatusOr<uint64_t> UsedQuota(const EvaluationQuota& key) = 0;

  // LivePurposes returns the purposes that have QUEUED or SUBMITTED signals.
  virtual absl::StatusOr<std::vector<std::string>> LivePurposes() = 0;
  // RotationDue returns up to `limit` whole SUBMITTED signals of `purpose` that are not settled for `epoch`
  // and stand behind `after`: those of the oldest epoch first, then in order of arrival.
  virtual absl::StatusOr<std::vector<NodeSignal>> RotationDue(absl::string_view purpose, uint32_t epoch,
                                                              RotationPlace after, size_t limit) = 0;
  // Progress counts the SUBMITTED signals of `purpose`, and those of them that the broker has in `epoch` or a
  // later one.
  virtual absl::StatusOr<RotationProgress> Progress(absl::string_view purpose, uint32_t epoch) = 0;
  // Whether GrantAllowances was done for it.
  virtual absl::StatusOr<bool> IsAllowanceGranted(absl::string_view purpose, uint32_t epoch) = 0;
  // Withdrawals returns up to `limit`, oldest first.
  virtual absl::StatusOr<std::vector<NodeWithdrawal>> Withdrawals(size_t limit) = 0;

  // KeyCheck returns the check value of this database, and stores `check` when it has none yet.
  virtual absl::StatusOr<std::string> KeyCheck(absl::string_view check) = 0;

  virtual AuditLog& audit_log() = 0;
};

}  // namespace raakvlak::storage
