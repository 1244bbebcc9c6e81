#include "server/storage/sqlite/node_transaction.h"

#include <algorithm>

#include "base/status.h"
#include "server/storage/sqlite/node_ceremonies.h"

namespace raakvlak::storage {

NodeSignal ReadSignal(const Statement& row, bool whole) {
  NodeSignal signal;
  signal.sequence = static_cast<uint64_t>(row.Int(0));
  signal.signal_id = row.Bytes(1);
  signal.reference_digest = row.Bytes(2);
  signal.reference = row.Bytes(3);
  signal.purpose = row.Bytes(4);
  signal.state = static_cast<NodeSignalState>(row.Int(5));
  signal.reason = row.Bytes(6);
  signal.submitted_day = row.Uint32(7);
  signal.expiry_day = row.Uint32(8);
  signal.epoch = row.Uint32(9);
  signal.settled_epoch = row.Uint32(10);
  signal.received_ms = row.Int(11);
  signal.changed_ms = row.Int(12);
  if (whole) {
    signal.record_digest = row.Bytes(13);
    signal.record = row.Bytes(14);
    signal.envelope = row.Bytes(15);
    signal.receipt = row.Bytes(16);
  }
  return signal;
}

absl::StatusOr<std::optional<NodeSignal>> FindSignal(Connection& connection,
                                                     absl::string_view reference_digest) {
  Statement row =
      connection.Query("SELECT " RAAKVLAK_WHOLE_SIGNAL " FROM signals WHERE reference_digest = ?");
  row.BindBlob(reference_digest);
  RAAKVLAK_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return std::optional<NodeSignal>();
  return std::optional<NodeSignal>(ReadSignal(row, true));
}

absl::StatusOr<std::optional<NodeSignal>> SqliteNodeTransaction::FindByReference(
    absl::string_view reference_digest) {
  return FindSignal(connection_, reference_digest);
}

absl::Status SqliteNodeTransaction::Insert(const NodeSignal& signal) {
  return connection_
      .Query(
          "INSERT INTO signals (signal_id, reference_digest, reference, purpose, state, reason, "
          "submitted_day, expiry_day, epoch, settled_epoch, received_ms, changed_ms, record_digest, "
          "record, "
          "envelope) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .BindBlob(signal.signal_id)
      .BindBlob(signal.reference_digest)
      .BindBlob(signal.reference)
      .BindText(signal.purpose)
      .Bind(static_cast<int>(signal.state))
      .BindText(signal.reason)
      .Bind(signal.submitted_day)
      .Bind(signal.expiry_day)
      .Bind(signal.epoch)
      .Bind(signal.settled_epoch)
      .Bind(signal.received_ms)
      .Bind(signal.changed_ms)
      .BindBlob(signal.record_digest)
      .BindBlob(signal.record)
      .BindBlob(signal.envelope)
      .Run();
}

absl::Status SqliteNodeTransaction::Remove(absl::string_view signal_id) {
  return connection_.Query("DELETE FROM signals WHERE signal_id = ? AND state = 3").BindBlob(signal_id).Run();
}

absl::StatusOr<bool> SqliteNodeTransaction::PutEnvelope(absl::string_view signal_id,
                                                        absl::string_view envelope, SignalDays days) {
  return Changed(connection_
                     .Query("UPDATE signals SET envelope = ?, submitted_day = ?, expiry_day = ? "
                            "WHERE signal_id = ? AND state = 1 AND length(envelope) = 0")
                     .BindBlob(envelope)
                     .Bind(days.submitted)
                     .Bind(days.expiry)
                     .BindBlob(signal_id)
                     .Run());
}

absl::StatusOr<bool> SqliteNodeTransaction::DropEnvelope(absl::string_view signal_id) {
  return Changed(
      connection_.Query("UPDATE signals SET envelope = x'' WHERE signal_id = ? AND state IN (1, 2)")
          .BindBlob(signal_id)
          .Run());
}

absl::StatusOr<bool> SqliteNodeTransaction::MarkSubmitted(absl::string_view signal_id,
                                                          absl::string_view receipt, uint32_t epoch,
                                                          int64_t now_ms) {
  return Changed(connection_
                     .Query("UPDATE signals SET state = 2, envelope = x'', receipt = ?1, epoch = ?2, "
                            "settled_epoch = ?2, changed_ms = ?3 WHERE signal_id = ?4 AND state = 1")
                     .BindBlob(receipt)
                     .Bind(epoch)
                     .Bind(now_ms)
                     .BindBlob(signal_id)
                     .Run());
}

absl::StatusOr<bool> SqliteNodeTransaction::PutRotation(absl::string_view signal_id,
                                                        absl::string_view envelope) {
  return Changed(
      connection_
          .Query("UPDATE signals SET envelope = ? WHERE signal_id = ? AND state = 2 AND length(envelope) = 0")
          .BindBlob(envelope)
          .BindBlob(signal_id)
          .Run());
}

absl::StatusOr<bool> SqliteNodeTransaction::MarkRotated(absl::string_view signal_id, uint32_t epoch,
                                                        absl::string_view receipt) {
  return Changed(
      connection_
          .Query("UPDATE signals SET epoch = ?1, settled_epoch = max(settled_epoch, ?1), reason = '', "
                 "envelope = x'', receipt = CASE WHEN length(?2) = 0 THEN receipt ELSE ?2 END "
                 "WHERE signal_id = ?3 AND state = 2 AND epoch < ?1")
          .Bind(epoch)
          .BindBlob(receipt)
          .BindBlob(signal_id)
          .Run());
}

absl::StatusOr<bool> SqliteNodeTransaction::HoldRotation(absl::string_view signal_id, uint32_t epoch,
                                                         absl::string_view reason) {
  return Changed(connection_
                     .Query("UPDATE signals SET settled_epoch = ?1, reason = ?2, envelope = x'' "
                            "WHERE signal_id = ?3 AND state = 2 AND settled_epoch < ?1")
                     .Bind(epoch)
                     .BindText(reason)
                     .BindBlob(signal_id)
                     .Run());
}

absl::StatusOr<bool> SqliteNodeTransaction::End(absl::string_view signal_id, NodeSignalState state,
                                                absl::string_view reason, int64_t now_ms) {
  // REFUSED (3) is the broker's answer to what was queued; a late one must not end what was submitted
  // meanwhile.
  return Changed(
      connection_
          .Query("UPDATE signals SET state = ?1, reason = ?2, changed_ms = ?3, record_digest = x'', "
                 "record = x'', envelope = x'' "
                 "WHERE signal_id = ?4 AND (state = 1 OR (state = 2 AND ?1 <> 3))")
          .Bind(static_cast<int>(state))
          .BindText(reason)
          .Bind(now_ms)
          .BindBlob(signal_id)
          .Run());
}

absl::StatusOr<uint64_t> SqliteNodeTransaction::ExpireUntil(uint32_t day, int64_t now_ms, size_t limit) {
  RAAKVLAK_RETURN_IF_ERROR(
      connection_
          .Query("UPDATE signals SET state = 5, reason = '', changed_ms = ?, record_digest = x'', record = "
                 "x'', "
                 "envelope = x'' WHERE sequence IN (SELECT sequence FROM signals WHERE state IN (1, 2) "
                 "AND expiry_day <= ? LIMIT ?)")
          .Bind(now_ms)
          .Bind(day)
          .Bind(static_cast<uint64_t>(limit))
          .Run());
  return static_cast<uint64_t>(connection_.Changes());
}

absl::StatusOr<uint64_t> SqliteNodeTransaction::EndPurpose(absl::string_view purpose,
                                                           absl::string_view reason, int64_t now_ms,
                                                           size_t limit) {
  RAAKVLAK_RETURN_IF_ERROR(
      connection_
          .Query("UPDATE signals SET state = 5, reason = ?1, changed_ms = ?2, record_digest = x'', "
                 "record = x'', envelope = x'' WHERE sequence IN ("
                 "SELECT sequence FROM signals WHERE state = 1 AND purpose = ?3 UNION ALL "
                 "SELECT sequence FROM signals WHERE state = 2 AND purpose = ?3 LIMIT ?4)")
          .BindText(reason)
          .Bind(now_ms)
          .BindText(purpose)
          .Bind(static_cast<uint64_t>(limit))
          .Run());
  return static_cast<uint64_t>(connection_.Changes());
}

absl::StatusOr<uint64_t> SqliteNodeTransaction::EndHeld(absl::string_view purpose, uint32_t epoch,
                                                        int64_t now_ms, size_t limit) {
  RAAKVLAK_RETURN_IF_ERROR(
      connection_
          .Query("UPDATE signals SET state = 5, changed_ms = ?1, record_digest = x'', record = x'', "
                 "envelope = x'' WHERE sequence IN (SELECT sequence FROM signals WHERE state = 2 "
                 "AND purpose = ?2 AND settled_epoch >= ?3 AND epoch < ?3 LIMIT ?4)")
          .Bind(now_ms)
          .BindText(purpose)
          .Bind(epoch)
          .Bind(static_cast<uint64_t>(limit))
          .Run());
  return static_cast<uint64_t>(connection_.Changes());
}

absl::Status SqliteNodeTransaction::AddWithdrawal(const NodeWithdrawal& withdrawal) {
  return connection_
      .Query("INSERT INTO withdrawals (signal_id, reason, time_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
      .BindBlob(withdrawal.signal_id)
      .Bind(withdrawal.reason)
      .Bind(withdrawal.time_ms)
      .Run();
}

absl::Status SqliteNodeTransaction::RemoveWithdrawal(absl::string_view signal_id) {
  return connection_.Query("DELETE FROM withdrawals WHERE signal_id = ?").BindBlob(signal_id).Run();
}

absl::StatusOr<bool> SqliteNodeTransaction::RememberRequest(absl::string_view partner,
                                                            absl::string_view request_id, int64_t time_ms) {
  return Changed(connection_
                     .Query("INSERT INTO requests (partner, request_id, time_ms) VALUES (?, ?, ?) "
                            "ON CONFLICT DO NOTHING")
                     .BindText(partner)
                     .BindBlob(request_id)
                     .Bind(time_ms)
                     .Run());
}

absl::Status SqliteNodeTransaction::ForgetRequests(int64_t time_ms) {
  return connection_.Query("DELETE FROM requests WHERE time_ms < ?").Bind(time_ms).Run();
}

absl::StatusOr<bool> SqliteNodeTransaction::TakeQuota(const EvaluationQuota& key, uint64_t elements,
                                                      uint64_t limit) {
  // SQLite's integers are signed: a limit above them is no limit that could be reached.
  limit = std::min<uint64_t>(limit, INT64_MAX);
  if (elements > limit) return false;
  // The WHERE is the guard: a day's count never passes the limit, whoever else is counting.
  return Changed(connection_
                     .Query("INSERT INTO quotas (day, partner, purpose, identifier_class, used) "
                            "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET used = used + ?5 "
                            "WHERE used <= ?6 - ?5")
                     .Bind(key.day)
                     .BindText(key.partner)
                     .BindText(key.purpose)
                     .Bind(static_cast<int>(key.identifier_class))
                     .Bind(elements)
                     .Bind(limit)
                     .Run());
}

absl::Status SqliteNodeTransaction::ForgetQuotas(uint32_t day) {
  return connection_.Query("DELETE FROM quotas WHERE day < ?").Bind(day).Run();
}

absl::StatusOr<bool> SqliteNodeTransaction::GrantAllowances(
    absl::string_view purpose, uint32_t epoch, const std::vector<EvaluationAllowance>& allowances) {
  const auto put = [&](absl::string_view partner, int identifier_class, uint64_t granted) {
    return connection_
        .Query(
            "INSERT INTO allowances (purpose, epoch, partner, identifier_class, granted, used) "
            "VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING")
        .BindText(purpose)
        .Bind(epoch)
        .BindText(partner)
        .Bind(identifier_class)
        .Bind(std::min<uint64_t>(granted, INT64_MAX))
        .Run();
  };
  RAAKVLAK_ASSIGN_OR_RETURN(const bool first, Changed(put("", 0, 0)));
  if (!first) return false;
  for (const EvaluationAllowance& allowance : allowances) {
    RAAKVLAK_RETURN_IF_ERROR(put(allowance.partner, allowance.identifier_class, allowance.granted));
  }
  return true;
}

absl::StatusOr<bool> SqliteNodeTransaction::TakeAllowance(absl::string_view purpose, uint32_t epoch,
                                                          absl::string_view partner, uint8_t identifier_class,
                                                          uint64_t elements) {
  if (elements > INT64_MAX) return false;
  // The WHERE is the guard: what was granted is given out once, whoever else is counting.
  return Changed(connection_
                     .Query("UPDATE allowances SET used = used + ?1 WHERE purpose = ?2 AND epoch = ?3 "
                            "AND partner = ?4 AND identifier_class = ?5 AND used <= granted - ?1")
                     .Bind(elements)
                     .BindText(purpose)
                     .Bind(epoch)
                     .BindText(partner)
                     .Bind(static_cast<int>(identifier_class))
                     .Run());
}

absl::Status SqliteNodeTransaction::ForgetAllowances(absl::string_view purpose, uint32_t epoch) {
  return connection_.Query("DELETE FROM allowances WHERE purpose = ? AND epoch < ?")
      .BindText(purpose)
      .Bind(epoch)
      .Run();
}

absl::StatusOr<bool> SqliteNodeTransaction::PutCeremony(const NodeCeremony& ceremony) {
  return PutCeremonyRow(connection_, ceremony);
}

absl::StatusOr<bool> SqliteNodeTransaction::SeeKeyset(const SeenKeyset& seen) {
  return SeeKeysetRow(connection_, seen);
}

absl::StatusOr<Logged> SqliteNodeTransaction::AppendAudit(const AuditEntry& entry) {
  return log_.Append(connection_, entry);
}

absl::StatusOr<bool> SqliteNodeTransaction::Changed(const absl::Status& run) {
  RAAKVLAK_RETURN_IF_ERROR(run);
  return connection_.Changes() > 0;
}

}  // namespace raakvlak::storage
