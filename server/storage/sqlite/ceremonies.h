// SqliteCeremonies: CeremonyTable on one connection. Only for SqliteBrokerStore. Thread safety: as the
// connection.
#pragma once

#include <string>
#include <vector>

#include "server/storage/ceremonies.h"
#include "server/storage/sqlite/database.h"

namespace raakvlak::storage {

// AUTOINCREMENT: a sequence is never used twice, so nobody who asks for what came after misses anything.
inline constexpr char kCeremonySchema[] = R"sql(
CREATE TABLE ceremony (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id BLOB NOT NULL UNIQUE,
  parameters BLOB NOT NULL,
  purpose TEXT NOT NULL,
  class INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  kind TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_ms INTEGER NOT NULL,
  receivers INTEGER NOT NULL
) STRICT;
CREATE INDEX ceremony_by_time ON ceremony (proposed_ms);

CREATE TABLE ceremony_message (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  ceremony INTEGER NOT NULL REFERENCES ceremony (number),
  sender TEXT NOT NULL,
  step INTEGER NOT NULL,
  body_hash BLOB NOT NULL,
  body BLOB NOT NULL,
  signature BLOB NOT NULL,
  UNIQUE (ceremony, sender, body_hash)
) STRICT;
CREATE INDEX ceremony_message_in_order ON ceremony_message (ceremony, sequence);

-- One of each partner: the first one stays.
CREATE TABLE ceremony_keyset (
  ceremony INTEGER NOT NULL REFERENCES ceremony (number),
  partner TEXT NOT NULL,
  keyset BLOB NOT NULL,
  PRIMARY KEY (ceremony, partner)
) STRICT, WITHOUT ROWID;
)sql";

class SqliteCeremonies final : public CeremonyTable {
 public:
  explicit SqliteCeremonies(Connection& connection) : connection_(connection) {}

  absl::StatusOr<std::optional<StoredCeremony>> Find(absl::string_view id) override;
  absl::StatusOr<std::vector<StoredCeremony>> List(int64_t since_ms) override;
  absl::StatusOr<uint64_t> CountOpen(absl::string_view proposed_by, int64_t since_ms) override;
  absl::StatusOr<std::vector<std::string>> Complete() override;
  absl::StatusOr<std::vector<StoredCeremonyMessage>> Messages(absl::string_view id, uint64_t after,
                                                              size_t max_bytes) override;
  absl::StatusOr<std::vector<uint32_t>> StepsOf(absl::string_view id, absl::string_view sender) override;
  absl::StatusOr<std::vector<std::string>> Keysets(absl::string_view id) override;
  absl::StatusOr<bool> HasKeyset(absl::string_view id, absl::string_view partner) override;
  absl::StatusOr<bool> Insert(const StoredCeremony& ceremony) override;
  absl::StatusOr<bool> Append(absl::string_view id, const StoredCeremonyMessage& message) override;
  absl::StatusOr<bool> PutKeyset(absl::string_view id, absl::string_view partner,
                                 absl::string_view keyset) override;
  absl::StatusOr<uint64_t> Prune(const CeremonyBounds& bounds, size_t limit) override;

 private:
  Connection& connection_;
};

}  // namespace raakvlak::storage
