// The part of SqliteBrokerTransaction about matches and what the matcher has yet to look at.
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status.h"
#include "server/storage/sqlite/broker_transaction.h"

namespace raakvlak::storage {
namespace {

#define RAAKVLAK_MATCH_COLUMNS "number, id, purpose, subject, quality, rules, conflict, state, changed_ms"

MatchRecord MatchOfRow(const Statement& row) {
  MatchRecord match;
  match.number = static_cast<uint64_t>(row.Int(0));
  match.id = row.Bytes(1);
  match.purpose = row.Bytes(2);
  match.subject = static_cast<v1::SubjectKind>(row.Int(3));
  match.quality = static_cast<v1::Quality>(row.Int(4));
  match.rules = absl::StrSplit(row.Bytes(5), ' ', absl::SkipEmpty());
  match.conflict = row.Int(6) != 0;
  match.state = static_cast<MatchState>(row.Int(7));
  match.changed_ms = row.Int(8);
  return match;
}

constexpr char kListOpen[] =
    "SELECT " RAAKVLAK_MATCH_COLUMNS
    " FROM matches WHERE purpose = ? AND number > ? AND state = 1 ORDER BY number LIMIT ?";
constexpr char kListAll[] =
    "SELECT " RAAKVLAK_MATCH_COLUMNS
    " FROM matches WHERE purpose = ? AND number > ? AND state <> 3 ORDER BY number LIMIT ?";

}  // namespace

absl::Status SqliteBrokerTransaction::ReadMembers(MatchRecord& match) {
  {
    Statement query = connection_.Query(
        "SELECT number, partner, organisation, signal_id, envelope_hash, submitted_day, expiry_day, "
        "counts_as_case FROM match_members "
        "JOIN signals ON signals.number = match_members.signal WHERE match = ? ORDER BY signal");
    query.Bind(match.number);
    while (true) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) break;
      match.members.push_back({static_cast<uint64_t>(query.Int(0)), query.Bytes(1), query.Uint32(2),
                               query.Bytes(3), query.Bytes(4), query.Uint32(5), query.Uint32(6),
                               query.Int(7) != 0});
    }
  }
  Statement query = connection_.Query("SELECT id FROM matches WHERE merged_into = ? ORDER BY number");
  query.Bind(match.number);
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return absl::OkStatus();
    match.merged_ids.push_back(query.Bytes(0));
  }
}

absl::StatusOr<std::optional<MatchRecord>> SqliteBrokerTransaction::FindMatch(absl::string_view match_id) {
  uint64_t number = 0;
  {
    Statement query = connection_.Query("SELECT coalesce(merged_into, number) FROM matches WHERE id = ?");
    query.BindBlob(match_id);
    RAAKVLAK_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return std::optional<MatchRecord>();
    number = static_cast<uint64_t>(query.Int(0));
  }
  return FindMatchByNumber(number);
}

absl::StatusOr<std::optional<MatchRecord>> SqliteBrokerTransaction::FindMatchByNumber(uint64_t number) {
  MatchRecord match;
  {
    Statement query = connection_.Query("SELECT " RAAKVLAK_MATCH_COLUMNS " FROM matches WHERE number = ?");
    query.Bind(number);
    RAAKVLAK_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return std::optional<MatchRecord>();
    match = MatchOfRow(query);
  }
  RAAKVLAK_RETURN_IF_ERROR(ReadMembers(match));
  return std::optional<MatchRecord>(std::move(match));
}

absl::StatusOr<std::vector<MatchRecord>> SqliteBrokerTransaction::ListMatches(const MatchQuery& query) {
  std::vector<MatchRecord> matches;
  {
    Statement rows = connection_.Query(query.include_closed ? kListAll : kListOpen);
    rows.BindText(query.purpose).Bind(query.after_number).Bind(query.limit);
    while (true) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool row, rows.Step());
      if (!row) break;
      matches.push_back(MatchOfRow(rows));
    }
  }
  for (MatchRecord& match : matches) RAAKVLAK_RETURN_IF_ERROR(ReadMembers(match));
  return matches;
}

absl::StatusOr<std::vector<uint64_t>> SqliteBrokerTransaction::MatchesOf(uint64_t number) {
  Statement query = connection_.Query("SELECT match FROM match_members WHERE signal = ? ORDER BY match");
  query.Bind(number);
  return Numbers(std::move(query));
}

absl::StatusOr<std::vector<DirtySignal>> SqliteBrokerTransaction::DirtySignals(size_t limit) {
  Statement query = connection_.Query(
      "SELECT * FROM (SELECT signal, changed FROM dirty_signals WHERE changed = 1 ORDER BY signal LIMIT ?1) "
      "UNION ALL "
      "SELECT * FROM (SELECT signal, changed FROM dirty_signals WHERE changed = 0 ORDER BY signal LIMIT ?2) "
      "ORDER BY signal");
  query.Bind(limit).Bind(limit * kMaxBeside);
  std::vector<DirtySignal> signals;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return signals;
    signals.push_back({static_cast<uint64_t>(query.Int(0)), query.Int(1) != 0});
  }
}

absl::StatusOr<std::vector<uint64_t>> SqliteBrokerTransaction::DirtyMatches(size_t limit) {
  Statement query = connection_.Query("SELECT match FROM dirty_matches ORDER BY match LIMIT ?");
  query.Bind(limit * kMaxBeside);
  return Numbers(std::move(query));
}

absl::Status SqliteBrokerTransaction::ClearDirty(const std::vector<DirtySignal>& signals,
                                                 const std::vector<uint64_t>& matches) {
  for (const DirtySignal& signal : signals) {
    RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM dirty_signals WHERE signal = ?", signal.number));
  }
  for (const uint64_t match : matches) {
    RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM dirty_matches WHERE match = ?", match));
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SqliteBrokerTransaction::PutMatch(const MatchRecord& match) {
  uint64_t number = match.number;
  const std::string rules = absl::StrJoin(match.rules, " ");
  if (number == 0) {
    Statement insert = connection_.Query(
        "INSERT INTO matches (id, purpose, subject, quality, rules, conflict, state, changed_ms) "
        "VALUES (?,?,?,?,?,?,1,?) RETURNING number");
    insert.BindBlob(match.id).BindText(match.purpose).Bind(static_cast<int>(match.subject));
    insert.Bind(static_cast<int>(match.quality)).BindText(rules).Bind(match.conflict).Bind(match.changed_ms);
    RAAKVLAK_RETURN_IF_ERROR(insert.Step().status());
    number = static_cast<uint64_t>(insert.Int(0));
  } else {
    Statement update = connection_.Query(
        "UPDATE matches SET quality = ?, rules = ?, conflict = ?, changed_ms = ? WHERE number = ? AND state "
        "= 1");
    update.Bind(static_cast<int>(match.quality)).BindText(rules).Bind(match.conflict).Bind(match.changed_ms);
    RAAKVLAK_RETURN_IF_ERROR(update.Bind(number).Run());
    RAAKVLAK_CHECK(connection_.Changes() == 1, "only an open match is changed");
    RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM match_members WHERE match = ?", number));
  }
  for (const MatchMember& member : match.members) {
    RAAKVLAK_RETURN_IF_ERROR(
        connection_.Query("INSERT INTO match_members VALUES (?,?)").Bind(number).Bind(member.number).Run());
  }
  return number;
}

absl::Status SqliteBrokerTransaction::CloseMatch(uint64_t number, int64_t time_ms) {
  RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM match_members WHERE match = ?", number));
  return connection_.Query("UPDATE matches SET state = 2, changed_ms = ? WHERE number = ? AND state = 1")
      .Bind(time_ms)
      .Bind(number)
      .Run();
}

absl::Status SqliteBrokerTransaction::MergeMatch(uint64_t number, uint64_t into, int64_t time_ms) {
  RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM match_members WHERE match = ?", number));
  // Those that went up in it before point straight at the one that lives on, so that resolving stays one
  // step.
  RAAKVLAK_RETURN_IF_ERROR(connection_.Query("UPDATE matches SET merged_into = ? WHERE merged_into = ?")
                               .Bind(into)
                               .Bind(number)
                               .Run());
  return connection_
      .Query("UPDATE matches SET state = 3, merged_into = ?, changed_ms = ? WHERE number = ? AND state = 1")
      .Bind(into)
      .Bind(time_ms)
      .Bind(number)
      .Run();
}

absl::StatusOr<uint64_t> SqliteBrokerTransaction::PruneClosedMatches(int64_t before_ms, uint64_t limit) {
  Statement query =
      connection_.Query("SELECT number FROM matches WHERE state = 2 AND changed_ms < ? LIMIT ?");
  query.Bind(before_ms).Bind(limit);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<uint64_t> closed, Numbers(std::move(query)));
  for (const uint64_t number : closed) RAAKVLAK_RETURN_IF_ERROR(DeleteMatch(number));
  return closed.size();
}

absl::Status SqliteBrokerTransaction::DeleteMatch(uint64_t number) {
  RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM match_members WHERE match = ?", number));
  RAAKVLAK_RETURN_IF_ERROR(RunFor("DELETE FROM matches WHERE merged_into = ?", number));
  return RunFor("DELETE FROM matches WHERE number = ?", number);
}

absl::StatusOr<std::vector<std::string>> SqliteBrokerTransaction::MatchPurposes() {
  std::vector<std::string> purposes;
  // From one to the next on the index, as Epochs does.
  while (true) {
    Statement query = connection_.Query(
        "SELECT purpose FROM matches WHERE state <> 3 AND purpose > ? ORDER BY purpose LIMIT 1");
    query.BindText(purposes.empty() ? "" : purposes.back());
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return purposes;
    purposes.push_back(query.Bytes(0));
  }
}

absl::StatusOr<uint64_t> SqliteBrokerTransaction::DeleteMatches(absl::string_view purpose, size_t limit) {
  Statement query = connection_.Query("SELECT number FROM matches WHERE purpose = ? AND state <> 3 LIMIT ?");
  query.BindText(purpose).Bind(limit);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<uint64_t> matches, Numbers(std::move(query)));
  for (const uint64_t number : matches) RAAKVLAK_RETURN_IF_ERROR(DeleteMatch(number));
  return matches.size();
}

absl::StatusOr<std::string> SqliteBrokerTransaction::MarkPartnerDirty(absl::string_view partner,
                                                                      absl::string_view after_signal_id,
                                                                      size_t limit) {
  std::vector<std::string> signals;
  {
    Statement query = connection_.Query(
        "SELECT DISTINCT signal_id FROM signals WHERE partner = ? AND signal_id > ? ORDER BY signal_id LIMIT "
        "?");
    query.BindText(partner).BindBlob(after_signal_id).Bind(limit);
    while (true) {
      RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
      if (!row) break;
      signals.push_back(query.Bytes(0));
    }
  }
  for (const std::string& signal : signals) {
    Statement mark = connection_.Query(
        "INSERT INTO dirty_signals SELECT number, 1 FROM signals WHERE partner = ? AND signal_id = ? "
        "ON CONFLICT DO UPDATE SET changed = 1");
    RAAKVLAK_RETURN_IF_ERROR(mark.BindText(partner).BindBlob(signal).Run());
  }
  return signals.empty() ? std::string() : signals.back();
}

absl::StatusOr<std::set<std::string>> SqliteBrokerTransaction::PartnersInForce() {
  Statement query = connection_.Query("SELECT partner FROM partners_in_force");
  std::set<std::string> partners;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return partners;
    partners.insert(query.Bytes(0));
  }
}

absl::Status SqliteBrokerTransaction::SetPartnersInForce(const std::set<std::string>& partners) {
  RAAKVLAK_RETURN_IF_ERROR(connection_.Query("DELETE FROM partners_in_force").Run());
  for (const std::string& partner : partners) {
    RAAKVLAK_RETURN_IF_ERROR(
        connection_.Query("INSERT INTO partners_in_force VALUES (?)").BindText(partner).Run());
  }
  return absl::OkStatus();
}

}  // namespace raakvlak::storage
