#include "server/storage/sqlite/broker_transaction.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_join.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::storage {
namespace {

constexpr size_t kHashSize = 32;

#define RAAKVLAK_LIVE_STATUS                                                                         \
  "SELECT number, epoch, purpose, kind, submitted_day, envelope_hash, accepted_ms, expiry_day FROM " \
  "signals WHERE partner = ? AND signal_id = ? "

SignalStatus LiveStatusOfRow(const Statement& row) {
  SignalStatus status;
  status.number = static_cast<uint64_t>(row.Int(0));
  status.epoch = row.Uint32(1);
  status.purpose = row.Bytes(2);
  status.kind = static_cast<v1::SignalKind>(row.Int(3));
  status.submitted_day = row.Uint32(4);
  status.envelope_hash = row.Bytes(5);
  status.accepted_ms = row.Int(6);
  status.expiry_day = row.Uint32(7);
  return status;
}

}  // namespace

absl::Status SqliteBrokerTransaction::RunFor(const char* sql, uint64_t number) {
  return connection_.Query(sql).Bind(number).Run();
}

absl::StatusOr<std::vector<uint64_t>> SqliteBrokerTransaction::Numbers(Statement query) {
  std::vector<uint64_t> numbers;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return numbers;
    numbers.push_back(static_cast<uint64_t>(query.Int(0)));
  }
}

absl::StatusOr<std::optional<SignalStatus>> SqliteBrokerTransaction::FindSignal(absl::string_view partner,
                                                                                absl::string_view signal_id) {
  {
    Statement query = connection_.Query(RAAKVLAK_LIVE_STATUS "ORDER BY epoch DESC LIMIT 1");
    query.BindText(partner).BindBlob(signal_id);
    RAAKVLAK_ASSIGN_OR_RETURN(const bool live, query.Step());
    if (live) return std::optional<SignalStatus>(LiveStatusOfRow(query));
  }
  Statement query = connection_.Query(
      "SELECT state, envelope_hash, accepted_ms, ended_ms, reason, expiry_day FROM tombstones "
      "WHERE partner = ? AND signal_id = ?");
  query.BindText(partner).BindBlob(signal_id);
  RAAKVLAK_ASSIGN_OR_RETURN(const bool ended, query.Step());
  if (!ended) return std::optional<SignalStatus>();
  SignalStatus status;
  status.state = static_cast<SignalState>(query.Int(0));
  status.envelope_hash = query.Bytes(1);
  status.accepted_ms = query.Int(2);
  status.ended_ms = query.Int(3);
  status.reason = query.Bytes(4);
  status.expiry_day = query.Uint32(5);
  return std::optional<SignalStatus>(std::move(status));
}

absl::StatusOr<std::optional<SignalStatus>> SqliteBrokerTransaction::FindVersion(absl::string_view partner,
                                                                                 absl::string_view signal_id,
                                                                                 uint32_t epoch) {
  Statement query = connection_.Query(RAAKVLAK_LIVE_STATUS "AND epoch = ?");
  query.BindText(partner).BindBlob(signal_id).Bind(epoch);
  RAAKVLAK_ASSIGN_OR_RETURN(const bool live, query.Step());
  if (!live) return std::optional<SignalStatus>();
  return std::optional<SignalStatus>(LiveStatusOfRow(query));
}

absl::StatusOr<std::optional<StoredEnvelope>> SqliteBrokerTransaction::FindEnvelope(uint64_t number) {
  Statement query = connection_.Query("SELECT body, signature FROM envelopes WHERE signal = ?");
  query.Bind(number);
  RAAKVLAK_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return std::optional<StoredEnvelope>();
  return std::optional<StoredEnvelope>(StoredEnvelope{query.Bytes(0), query.Bytes(1)});
}

absl::StatusOr<std::optional<StoredBatch>> SqliteBrokerTransaction::FindBatch(uint64_t number) {
  Statement query = connection_.Query(
      "SELECT year, entry, first_number, hashes FROM batches WHERE first_number <= ? "
      "ORDER BY first_number DESC LIMIT 1");
  query.Bind(number);
  RAAKVLAK_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return std::optional<StoredBatch>();
  StoredBatch batch;
  batch.entry = {query.Uint32(0), static_cast<uint64_t>(query.Int(1))};
  batch.first_number = static_cast<uint64_t>(query.Int(2));
  const std::string hashes = query.Bytes(3);
  if (number - batch.first_number >= hashes.size() / kHashSize) return std::optional<StoredBatch>();
  for (size_t start = 0; start < hashes.size(); start += kHashSize) {
    batch.hashes.push_back(hashes.substr(start, kHashSize));
  }
  return std::optional<StoredBatch>(std::move(batch));
}

absl::StatusOr<uint64_t> SqliteBrokerTransaction::CountSignals(absl::string_view partner) {
  Statement query = connection_.Query(
      partner.empty() ? "SELECT count(*) FROM (SELECT DISTINCT partner, signal_id FROM signals)"
                      : "SELECT count(DISTINCT signal_id) FROM signals WHERE partner = ?");
  if (!partner.empty()) query.BindText(partner);
  RAAKVLAK_RETURN_IF_ERROR(query.Step().status());
  return static_cast<uint64_t>(query.Int(0));
}

absl::StatusOr<std::vector<uint64_t>> SqliteBrokerTransaction::VersionsOf(absl::string_view partner,
                                                                          absl::string_view signal_id) {
  Statement query =
      connection_.Query("SELECT number FROM signals WHERE partner = ? AND signal_id = ? ORDER BY number");
  query.BindText(partner).BindBlob(signal_id);
  return Numbers(std::move(query));
}

absl::StatusOr<std::optional<SignalFacts>> SqliteBrokerTransaction::FindFacts(uint64_t number) {
  SignalFacts facts;
  facts.number = number;
  std::string signal_id;
  {
    Statement query = connection_.Query(
        "SELECT partner, organisation, purpose, epoch, counts_as_case, signal_id FROM signals WHERE number = "
        "?");
    query.Bind(number);
    RAAKVLAK_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return std::optional<SignalFacts>();
    facts.partner = query.Bytes(0);
    facts.organisation = query.Uint32(1);
    facts.purpose = query.Bytes(2);
    facts.epoch = query.Uint32(3);
    facts.counts_as_case = query.Int(4) != 0;
    signal_id = query.Bytes(5);
  }
  RAAKVLAK_ASSIGN_OR_RETURN(facts.versions, VersionsOf(facts.partner, signal_id));
  Statement query = connection_.Query(
      "SELECT rule, subject, quality, tag, commitments_hash FROM tokens WHERE signal = ? ORDER BY rule");
  query.Bind(number);
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return std::optional<SignalFacts>(std::move(facts));
    facts.tokens.push_back({query.Bytes(0), static_cast<v1::SubjectKind>(query.Int(1)),
                            static_cast<v1::Quality>(query.Int(2)), query.Bytes(3), query.Bytes(4)});
  }
}

absl::StatusOr<std::vector<TaggedSignal>> SqliteBrokerTransaction::SignalsWithTag(absl::string_view purpose,
                                                                                  absl::string_view rule,
                                                                                  uint32_t epoch,
                                                                                  absl::string_view tag) {
  Statement query = connection_.Query(
      "SELECT signal, commitments_hash FROM tokens WHERE tag = ? AND purpose = ? AND epoch = ? AND rule = ? "
      "ORDER BY signal");
  query.BindBlob(tag).BindText(purpose).Bind(epoch).BindText(rule);
  std::vector<TaggedSignal> signals;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return signals;
    signals.push_back({static_cast<uint64_t>(query.Int(0)), query.Bytes(1)});
  }
}

absl::Status SqliteBrokerTransaction::InsertSignal(const StoredSignal& signal) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::optional<SignalStatus> known,
                            FindSignal(signal.partner, signal.signal_id));
  if (known.has_value() && known->state == SignalState::kLive && known->epoch >= signal.epoch) {
    return base::Error(absl::StatusCode::kAlreadyExists, base::reason::kEnvelopeConflict,
                       "this signal id is live in this epoch or a newer one");
  }
  if (known.has_value() && known->state != SignalState::kLive) {
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kSignalEnded,
                       "this signal has ended");
  }
  uint64_t number = 0;
  {
    Statement insert = connection_.Query(
        "INSERT INTO signals (partner, organisation, signal_id, envelope_hash, purpose, epoch, kind, "
        "counts_as_case, "
        "submitted_day, expiry_day, accepted_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?) RETURNING number");
    insert.BindText(signal.partner).Bind(signal.organisation).BindBlob(signal.signal_id);
    insert.BindBlob(signal.envelope_hash).BindText(signal.purpose).Bind(signal.epoch);
    insert.Bind(static_cast<int>(signal.kind)).Bind(signal.counts_as_case).Bind(signal.submitted_day);
    insert.Bind(signal.expiry_day).Bind(signal.accepted_ms);
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, insert.Step());
    RAAKVLAK_CHECK(row, "RETURNING gives a row");
    number = static_cast<uint64_t>(insert.Int(0));
  }
  RAAKVLAK_RETURN_IF_ERROR(connection_.Query("INSERT INTO envelopes VALUES (?,?,?)")
                               .Bind(number)
                               .BindBlob(signal.body)
                               .BindBlob(signal.signature)
                               .Run());
  for (const StoredToken& token : signal.tokens) {
    Statement insert = connection_.Query("INSERT INTO tokens VALUES (?,?,?,?,?,?,?,?)");
    insert.Bind(number).BindText(token.rule).Bind(static_cast<int>(token.subject));
    insert.Bind(static_cast<int>(token.quality)).BindText(signal.purpose).Bind(signal.epoch);
    insert.BindBlob(token.tag).BindBlob(token.commitments_hash);
    RAAKVLAK_RETURN_IF_ERROR(insert.Run());
  }
  Statement count = connection_.Query(
      "INSERT INTO token_counts SELECT purpose, epoch, ?2, rule, 1 FROM tokens WHERE signal = ?1 "
      "ON CONFLICT DO UPDATE SET tokens = tokens + 1");
  RAAKVLAK_RETURN_IF_ERROR(count.Bind(number).BindText(signal.partner).Run());
  return RunFor("INSERT INTO dirty_signals VALUES (?, 1)", number);
}

absl::Status SqliteBrokerTransaction::PutBatch(EntryId entry, const std::vector<std::string>& hashes,
                                               uint32_t expiry_day) {
  return connection_
      .Query(
          "INSERT INTO batches SELECT seq - ?1 + 1, ?2, ?3, ?4, ?5 FROM sqlite_sequence WHERE name = "
          "'signals'")
      .Bind(uint64_t{hashes.size()})
      .Bind(entry.year)
      .Bind(entry.index)
      .BindBlob(absl::StrJoin(hashes, ""))
      .Bind(expiry_day)
      .Run();
}

absl::Status SqliteBrokerTransaction::DeleteVersion(uint64_t number) {
  // One signal beside it for each tag is enough: the matcher looks at all that share a tag with a dirty one.
  // Needed for conflicts that go with this version; quality 3 (SUPPORTING) forms no groups.
  RAAKVLAK_RETURN_IF_ERROR(
      RunFor("INSERT OR IGNORE INTO dirty_signals "
             "SELECT (SELECT beside.signal FROM tokens AS beside WHERE beside.tag = tokens.tag "
             "        AND beside.purpose = tokens.purpose AND beside.epoch = tokens.epoch "
             "        AND beside.rule = tokens.rule AND beside.signal <> ?1 LIMIT 1) AS neighbour, 0 "
             "FROM tokens WHERE signal = ?1 AND quality <> 3 AND neighbour IS NOT NULL",
             number));
  RAAKVLAK_RETURN_IF_ERROR(
      RunFor("INSERT OR IGNORE INTO dirty_matches SELECT match FROM match_members WHERE signal = ?", number));
  RAAKVLAK_RETURN_IF_ERROR(
      RunFor("INSERT INTO dirty_signals VALUES (?, 1) ON CONFLICT DO UPDATE SET changed = 1", number));
  RAAKVLAK_RETURN_IF_ERROR(
      RunFor("UPDATE token_counts SET tokens = token_counts.tokens - 1 FROM tokens, signals "
             "WHERE tokens.signal = ?1 AND signals.number = ?1 AND token_counts.purpose = signals.purpose "
             "AND token_counts.epoch = signals.epoch AND token_counts.partner = signals.partner "
             "AND token_counts.rule = tokens.rule",
             number));
  RAAKVLAK_RETURN_IF_ERROR(
      RunFor("DELETE FROM token_counts WHERE tokens = 0 AND (purpose, epoch, partner) = "
             "(SELECT purpose, epoch, partner FROM signals WHERE number = ?)",
             number));
  RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM match_members WHERE signal = ?", number));
  RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM tokens WHERE signal = ?", number));
  RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM envelopes WHERE signal = ?", number));
  return RunFor("DELETE FROM signals WHERE number = ?", number);
}

absl::Status SqliteBrokerTransaction::EndSignal(absl::string_view partner, absl::string_view signal_id,
                                                SignalState state, absl::string_view reason,
                                                int64_t time_ms) {
  Statement tombstone = connection_.Query(
      "INSERT INTO tombstones SELECT partner, signal_id, envelope_hash, ?3, ?4, accepted_ms, ?5, expiry_day "
      "FROM signals WHERE partner = ?1 AND signal_id = ?2 ORDER BY epoch DESC LIMIT 1");
  tombstone.BindText(partner).BindBlob(signal_id).Bind(static_cast<int>(state)).BindText(reason);
  RAAKVLAK_RETURN_IF_ERROR(tombstone.Bind(time_ms).Run());
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<uint64_t> versions, VersionsOf(partner, signal_id));
  for (const uint64_t number : versions) RAAKVLAK_RETURN_IF_ERROR(DeleteVersion(number));
  return absl::OkStatus();
}

absl::StatusOr<SignalStatus> SqliteBrokerTransaction::MarkWithdrawn(const Withdrawal& withdrawal) {
  RAAKVLAK_ASSIGN_OR_RETURN(std::optional<SignalStatus> known,
                            FindSignal(withdrawal.partner, withdrawal.signal_id));
  if (known.has_value() && known->state != SignalState::kLive) return *std::move(known);
  if (known.has_value()) {
    RAAKVLAK_RETURN_IF_ERROR(EndSignal(withdrawal.partner, withdrawal.signal_id, SignalState::kWithdrawn,
                                       withdrawal.reason, withdrawal.time_ms));
  } else {
    Statement insert = connection_.Query("INSERT INTO tombstones VALUES (?,?,?,?,?,0,?,?)");
    insert.BindText(withdrawal.partner).BindBlob(withdrawal.signal_id).BindBlob("");
    insert.Bind(static_cast<int>(SignalState::kWithdrawn)).BindText(withdrawal.reason);
    insert.Bind(withdrawal.time_ms).Bind(withdrawal.remember_until_day);
    RAAKVLAK_RETURN_IF_ERROR(insert.Run());
  }
  RAAKVLAK_ASSIGN_OR_RETURN(known, FindSignal(withdrawal.partner, withdrawal.signal_id));
  RAAKVLAK_CHECK(known.has_value(), "the tombstone was just written");
  return *std::move(known);
}

absl::StatusOr<uint64_t> SqliteBrokerTransaction::ExpireSignals(uint32_t today, int64_t now_ms,
                                                                size_t limit) {
  std::set<std::pair<std::string, std::string>> ended;  // a signal has a row for each version
  {
    Statement query = connection_.Query(
        "SELECT partner, signal_id FROM signals WHERE expiry_day <= ? ORDER BY expiry_day, number");
    query.Bind(today);
    while (ended.size() < limit) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) break;
      ended.emplace(query.Bytes(0), query.Bytes(1));
    }
  }
  for (const auto& [partner, signal_id] : ended) {
    RAAKVLAK_RETURN_IF_ERROR(EndSignal(partner, signal_id, SignalState::kExpired, "", now_ms));
  }
  return ended.size();
}

absl::StatusOr<uint64_t> SqliteBrokerTransaction::Prune(const PruneBounds& bounds, size_t limit) {
  uint64_t deleted = 0;
  const auto prune = [&](const char* sql, int64_t before) -> absl::Status {
    RAAKVLAK_RETURN_IF_ERROR(connection_.Query(sql).Bind(before).Bind(uint64_t{limit} - deleted).Run());
    deleted += static_cast<uint64_t>(connection_.Changes());
    return absl::OkStatus();
  };
  RAAKVLAK_RETURN_IF_ERROR(
      prune("DELETE FROM tombstones WHERE (partner, signal_id) IN "
            "(SELECT partner, signal_id FROM tombstones WHERE expiry_day < ? LIMIT ?)",
            bounds.tombstones_before_day));
  RAAKVLAK_RETURN_IF_ERROR(
      prune("DELETE FROM batches WHERE first_number IN "
            "(SELECT first_number FROM batches WHERE expiry_day < ? LIMIT ?)",
            bounds.tombstones_before_day));
  RAAKVLAK_RETURN_IF_ERROR(
      prune("DELETE FROM orders WHERE order_id IN (SELECT order_id FROM orders WHERE time_ms < ? LIMIT ?)",
            bounds.orders_before_ms));
  RAAKVLAK_RETURN_IF_ERROR(
      prune("DELETE FROM submit_counts WHERE (day, partner) IN "
            "(SELECT day, partner FROM submit_counts WHERE day < ? LIMIT ?)",
            bounds.counters_before_day));
  RAAKVLAK_ASSIGN_OR_RETURN(const uint64_t matches,
                            PruneClosedMatches(bounds.closed_matches_before_ms, limit - deleted));
  return deleted + matches;
}

absl::StatusOr<uint64_t> SqliteBrokerTransaction::CountSubmitted(absl::string_view partner, uint32_t day,
                                                                 uint64_t signals) {
  Statement upsert = connection_.Query(
      "INSERT INTO submit_counts VALUES (?,?,?) ON CONFLICT DO UPDATE SET signals = signals + "
      "excluded.signals "
      "RETURNING signals");
  upsert.Bind(day).BindText(partner).Bind(signals);
  RAAKVLAK_RETURN_IF_ERROR(upsert.Step().status());
  return static_cast<uint64_t>(upsert.Int(0));
}

absl::StatusOr<bool> SqliteBrokerTransaction::RememberOrder(absl::string_view order_id, int64_t time_ms) {
  RAAKVLAK_RETURN_IF_ERROR(
      connection_.Query("INSERT OR IGNORE INTO orders VALUES (?,?)").BindBlob(order_id).Bind(time_ms).Run());
  return connection_.Changes() == 1;
}

absl::StatusOr<Logged> SqliteBrokerTransaction::AppendAudit(const AuditEntry& entry) {
  return log_.Append(connection_, entry);
}

}  // namespace raakvlak::storage
