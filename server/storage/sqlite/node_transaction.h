// What happens in one write to a node's database. Its SQL that changes rows is here; the schema and the
// reading of many rows are in node_store.cc. Thread safety: for the thread that has the connection.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/storage/node_store.h"
#include "server/storage/sqlite/database.h"
#include "server/storage/sqlite/sqlite_log.h"

// The columns of a NodeSignal without and with its content, as ReadSignal takes them.
#define RAAKVLAK_SIGNAL_COLUMNS                                                               \
  "sequence, signal_id, reference_digest, reference, purpose, state, reason, submitted_day, " \
  "expiry_day, epoch, settled_epoch, received_ms, changed_ms"
#define RAAKVLAK_WHOLE_SIGNAL RAAKVLAK_SIGNAL_COLUMNS ", record_digest, record, envelope, receipt"

namespace raakvlak::storage {

NodeSignal ReadSignal(const Statement& row, bool whole);

absl::StatusOr<std::optional<NodeSignal>> FindSignal(Connection& connection,
                                                     absl::string_view reference_digest);

class SqliteNodeTransaction final : public NodeTransaction {
 public:
  SqliteNodeTransaction(Connection& connection, const SqliteAuditLog& log)
      : connection_(connection), log_(log) {}

  absl::StatusOr<std::optional<NodeSignal>> FindByReference(absl::string_view reference_digest) override;
  absl::Status Insert(const NodeSignal& signal) override;
  absl::Status Remove(absl::string_view signal_id) override;
  absl::StatusOr<bool> PutEnvelope(absl::string_view signal_id, absl::string_view envelope,
                                   SignalDays days) override;
  absl::StatusOr<bool> DropEnvelope(absl::string_view signal_id) override;
  absl::StatusOr<bool> MarkSubmitted(absl::string_view signal_id, absl::string_view receipt, uint32_t epoch,
                                     int64_t now_ms) override;
  absl::StatusOr<bool> PutRotation(absl::string_view signal_id, absl::string_view envelope) override;
  absl::StatusOr<bool> MarkRotated(absl::string_view signal_id, uint32_t epoch,
                                   absl::string_view receipt) override;
  absl::StatusOr<bool> HoldRotation(absl::string_view signal_id, uint32_t epoch,
                                    absl::string_view reason) override;
  absl::StatusOr<bool> End(absl::string_view signal_id, NodeSignalState state, absl::string_view reason,
                           int64_t now_ms) override;
  absl::StatusOr<uint64_t> ExpireUntil(uint32_t day, int64_t now_ms, size_t limit) override;
  absl::StatusOr<uint64_t> EndPurpose(absl::string_view purpose, absl::string_view reason, int64_t now_ms,
                                      size_t limit) override;
  absl::StatusOr<uint64_t> EndHeld(absl::string_view purpose, uint32_t epoch, int64_t now_ms,
                                   size_t limit) override;
  absl::Status AddWithdrawal(const NodeWithdrawal& withdrawal) override;
  absl::Status RemoveWithdrawal(absl::string_view signal_id) override;
  absl::StatusOr<bool> RememberRequest(absl::string_view partner, absl::string_view request_id,
                                       int64_t time_ms) override;
  absl::Status ForgetRequests(int64_t time_ms) override;
  absl::StatusOr<bool> TakeQuota(const EvaluationQuota& key, uint64_t elements, uint64_t limit) override;
  absl::Status ForgetQuotas(uint32_t day) override;
  absl::StatusOr<bool> GrantAllowances(absl::string_view purpose, uint32_t epoch,
                                       const std::vector<EvaluationAllowance>& allowances) override;
  absl::StatusOr<bool> TakeAllowance(absl::string_view purpose, uint32_t epoch, absl::string_view partner,
                                     uint8_t identifier_class, uint64_t elements) override;
  absl::Status ForgetAllowances(absl::string_view purpose, uint32_t epoch) override;
  absl::StatusOr<bool> PutCeremony(const NodeCeremony& ceremony) override;
  absl::StatusOr<bool> SeeKeyset(const SeenKeyset& seen) override;
  absl::StatusOr<Logged> AppendAudit(const AuditEntry& entry) override;

 private:
  absl::StatusOr<bool> Changed(const absl::Status& run);

  Connection& connection_;
  const SqliteAuditLog& log_;
};

}  // namespace raakvlak::storage
