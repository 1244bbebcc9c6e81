#include "server/storage/sqlite/node_ceremonies.h"

#include "base/status.h"

namespace raakvlak::storage {

const char kCeremoniesSchema[] = R"sql(
-- One row for each ceremony that this node takes or took part in; it stays. secret and share are encrypted under a key that is not in this
-- file, and empty when the ceremony ended.
CREATE TABLE ceremonies (
  sequence        INTEGER PRIMARY KEY AUTOINCREMENT,
  ceremony_id     BLOB NOT NULL UNIQUE,
  parameters      BLOB NOT NULL,
  proposed_by     TEXT NOT NULL,
  state           INTEGER NOT NULL,  -- 1 running, 2 signing, 3 stopped, 4 done
  approved_ms     INTEGER NOT NULL,
  changed_ms      INTEGER NOT NULL,
  secret          BLOB NOT NULL,
  share           BLOB NOT NULL,
  transcript_hash BLOB NOT NULL,
  keyset          BLOB NOT NULL,
  evidence        BLOB NOT NULL,
  reporter        INTEGER NOT NULL,
  why             TEXT NOT NULL,
  unsent          BLOB NOT NULL
) STRICT;

-- The highest generation of each key that was ever in use here: nothing older comes back.
CREATE TABLE seen_keysets (
  purpose          TEXT NOT NULL,
  identifier_class INTEGER NOT NULL,
  epoch            INTEGER NOT NULL,
  generation       INTEGER NOT NULL,
  keyset_id        BLOB NOT NULL,
  time_ms          INTEGER NOT NULL,
  made_ms          INTEGER NOT NULL,
  PRIMARY KEY (purpose, identifier_class, epoch)
) STRICT, WITHOUT ROWID;
)sql";

absl::StatusOr<bool> PutCeremonyRow(Connection& connection, const NodeCeremony& ceremony) {
  // The WHERE is the guard: what ended does not run again, whatever a restored process thinks.
  RAAKVLAK_RETURN_IF_ERROR(
      connection
          .Query(
              "INSERT INTO ceremonies (ceremony_id, parameters, proposed_by, state, approved_ms, changed_ms, "
              "secret, share, transcript_hash, keyset, evidence, reporter, why, unsent) "
              "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ceremony_id) DO UPDATE SET "
              "state = excluded.state, changed_ms = excluded.changed_ms, secret = excluded.secret, "
              "share = excluded.share, transcript_hash = excluded.transcript_hash, keyset = excluded.keyset, "
              "evidence = excluded.evidence, reporter = excluded.reporter, why = excluded.why, "
              "unsent = excluded.unsent WHERE state <= excluded.state")
          .BindBlob(ceremony.ceremony_id)
          .BindBlob(ceremony.parameters)
          .BindText(ceremony.proposed_by)
          .Bind(static_cast<int>(ceremony.state))
          .Bind(ceremony.approved_ms)
          .Bind(ceremony.changed_ms)
          .BindBlob(ceremony.secret)
          .BindBlob(ceremony.share)
          .BindBlob(ceremony.transcript_hash)
          .BindBlob(ceremony.keyset)
          .BindBlob(ceremony.evidence)
          .Bind(ceremony.reporter)
          .BindText(ceremony.why)
          .BindBlob(ceremony.unsent)
          .Run());
  return connection.Changes() > 0;
}

absl::StatusOr<std::vector<NodeCeremony>> CeremonyRows(Connection& connection) {
  std::vector<NodeCeremony> out;
  Statement row = connection.Query(
      "SELECT ceremony_id, parameters, proposed_by, state, approved_ms, changed_ms, secret, share, "
      "transcript_hash, keyset, evidence, reporter, why, unsent FROM ceremonies ORDER BY sequence");
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool more, row.Step());
    if (!more) return out;
    NodeCeremony& ceremony = out.emplace_back();
    ceremony.ceremony_id = row.Bytes(0);
    ceremony.parameters = row.Bytes(1);
    ceremony.proposed_by = row.Bytes(2);
    ceremony.state = static_cast<NodeCeremonyState>(row.Int(3));
    ceremony.approved_ms = row.Int(4);
    ceremony.changed_ms = row.Int(5);
    ceremony.secret = row.Bytes(6);
    ceremony.share = row.Bytes(7);
    ceremony.transcript_hash = row.Bytes(8);
    ceremony.keyset = row.Bytes(9);
    ceremony.evidence = row.Bytes(10);
    ceremony.reporter = row.Uint32(11);
    ceremony.why = row.Bytes(12);
    ceremony.unsent = row.Bytes(13);
  }
}

absl::StatusOr<bool> SeeKeysetRow(Connection& connection, const SeenKeyset& seen) {
  // The WHERE is the guard against going back; the first time and the first generation's stay.
  RAAKVLAK_RETURN_IF_ERROR(
      connection
          .Query(
              "INSERT INTO seen_keysets (purpose, identifier_class, epoch, generation, keyset_id, time_ms, "
              "made_ms) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
              "time_ms = CASE WHEN keyset_id = excluded.keyset_id THEN time_ms ELSE excluded.time_ms END, "
              "generation = excluded.generation, keyset_id = excluded.keyset_id "
              "WHERE generation < excluded.generation OR keyset_id = excluded.keyset_id")
          .BindText(seen.purpose)
          .Bind(static_cast<int>(seen.identifier_class))
          .Bind(seen.epoch)
          .Bind(seen.generation)
          .BindBlob(seen.keyset_id)
          .Bind(seen.time_ms)
          .Bind(seen.time_ms)
          .Run());
  return connection.Changes() > 0;
}

absl::StatusOr<std::vector<SeenKeyset>> SeenKeysetRows(Connection& connection) {
  std::vector<SeenKeyset> out;
  Statement row = connection.Query(
      "SELECT purpose, identifier_class, epoch, generation, keyset_id, time_ms, made_ms FROM seen_keysets");
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool more, row.Step());
    if (!more) return out;
    out.push_back({row.Bytes(0), static_cast<uint8_t>(row.Int(1)), row.Uint32(2), row.Uint32(3), row.Bytes(4),
                   row.Int(5), row.Int(6)});
  }
}

}  // namespace raakvlak::storage
