#include "server/storage/sqlite/ceremonies.h"

#include "base/bytes.h"
#include "base/status.h"

namespace raakvlak::storage {
namespace {

#define RAAKVLAK_CEREMONY_COLUMNS                                                              \
  "id, purpose, class, epoch, kind, proposed_by, proposed_ms, receivers, "                     \
  "(SELECT ifnull(max(sequence), 0) FROM ceremony_message WHERE ceremony = ceremony.number), " \
  "(SELECT count(*) FROM ceremony_keyset WHERE ceremony = ceremony.number)"

StoredCeremony CeremonyOfRow(const Statement& row) {
  StoredCeremony ceremony;
  ceremony.id = row.Bytes(0);
  ceremony.purpose = row.Bytes(1);
  ceremony.identifier_class = static_cast<v1::IdentifierClass>(row.Int(2));
  ceremony.epoch = row.Uint32(3);
  ceremony.kind = row.Bytes(4);
  ceremony.proposed_by = row.Bytes(5);
  ceremony.proposed_ms = row.Int(6);
  ceremony.receivers = row.Uint32(7);
  ceremony.last = static_cast<uint64_t>(row.Int(8));
  ceremony.keysets = row.Uint32(9);
  return ceremony;
}

}  // namespace

absl::StatusOr<std::optional<StoredCeremony>> SqliteCeremonies::Find(absl::string_view id) {
  Statement query =
      connection_.Query("SELECT " RAAKVLAK_CEREMONY_COLUMNS ", parameters FROM ceremony WHERE id = ?");
  query.BindBlob(id);
  RAAKVLAK_ASSIGN_OR_RETURN(const bool found, query.Step());
  if (!found) return std::optional<StoredCeremony>();
  StoredCeremony ceremony = CeremonyOfRow(query);
  ceremony.parameters = query.Bytes(10);
  return std::optional<StoredCeremony>(std::move(ceremony));
}

absl::StatusOr<std::vector<StoredCeremony>> SqliteCeremonies::List(int64_t since_ms) {
  Statement query = connection_.Query("SELECT " RAAKVLAK_CEREMONY_COLUMNS
                                      " FROM ceremony WHERE proposed_ms >= ? ORDER BY number");
  query.Bind(since_ms);
  std::vector<StoredCeremony> listed;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return listed;
    listed.push_back(CeremonyOfRow(query));
  }
}

absl::StatusOr<uint64_t> SqliteCeremonies::CountOpen(absl::string_view proposed_by, int64_t since_ms) {
  Statement query = connection_.Query(
      "SELECT count(*) FROM ceremony WHERE proposed_by = ? AND proposed_ms >= ? AND receivers > "
      "(SELECT count(*) FROM ceremony_keyset WHERE ceremony = ceremony.number)");
  query.BindText(proposed_by).Bind(since_ms);
  RAAKVLAK_RETURN_IF_ERROR(query.Step().status());
  return static_cast<uint64_t>(query.Int(0));
}

absl::StatusOr<std::vector<std::string>> SqliteCeremonies::Complete() {
  Statement query = connection_.Query(
      "SELECT id FROM ceremony WHERE receivers <= "
      "(SELECT count(*) FROM ceremony_keyset WHERE ceremony = ceremony.number) ORDER BY number DESC");
  std::vector<std::string> ids;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return ids;
    ids.push_back(query.Bytes(0));
  }
}

absl::StatusOr<std::vector<StoredCeremonyMessage>> SqliteCeremonies::Messages(absl::string_view id,
                                                                              uint64_t after,
                                                                              size_t max_bytes) {
  Statement query = connection_.Query(
      "SELECT sequence, sender, step, body, signature FROM ceremony_message "
      "WHERE ceremony = (SELECT number FROM ceremony WHERE id = ?) AND sequence > ? ORDER BY sequence");
  query.BindBlob(id).Bind(after);
  std::vector<StoredCeremonyMessage> messages;
  size_t bytes = 0;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return messages;
    StoredCeremonyMessage message{static_cast<uint64_t>(query.Int(0)), query.Bytes(1), query.Uint32(2),
                                  query.Bytes(3), query.Bytes(4)};
    bytes += message.body.size() + message.signature.size();
    if (!messages.empty() && bytes > max_bytes) return messages;
    messages.push_back(std::move(message));
  }
}

absl::StatusOr<std::vector<uint32_t>> SqliteCeremonies::StepsOf(absl::string_view id,
                                                                absl::string_view sender) {
  Statement query = connection_.Query(
      "SELECT step FROM ceremony_message WHERE ceremony = (SELECT number FROM ceremony WHERE id = ?) "
      "AND sender = ? ORDER BY sequence");
  query.BindBlob(id).BindText(sender);
  std::vector<uint32_t> steps;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return steps;
    steps.push_back(query.Uint32(0));
  }
}

absl::StatusOr<std::vector<std::string>> SqliteCeremonies::Keysets(absl::string_view id) {
  Statement query = connection_.Query(
      "SELECT keyset FROM ceremony_keyset WHERE ceremony = (SELECT number FROM ceremony WHERE id = ?) "
      "ORDER BY partner");
  query.BindBlob(id);
  std::vector<std::string> keysets;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const bool row, query.Step());
    if (!row) return keysets;
    keysets.push_back(query.Bytes(0));
  }
}

absl::StatusOr<bool> SqliteCeremonies::HasKeyset(absl::string_view id, absl::string_view partner) {
  Statement query = connection_.Query(
      "SELECT 1 FROM ceremony_keyset WHERE ceremony = (SELECT number FROM ceremony WHERE id = ?) "
      "AND partner = ?");
  return query.BindBlob(id).BindText(partner).Step();
}

absl::StatusOr<bool> SqliteCeremonies::Insert(const StoredCeremony& ceremony) {
  Statement insert = connection_.Query(
      "INSERT INTO ceremony (id, parameters, purpose, class, epoch, kind, proposed_by, proposed_ms, "
      "receivers) "
      "VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING");
  insert.BindBlob(ceremony.id).BindBlob(ceremony.parameters).BindText(ceremony.purpose);
  insert.Bind(static_cast<int>(ceremony.identifier_class)).Bind(ceremony.epoch).BindText(ceremony.kind);
  insert.BindText(ceremony.proposed_by).Bind(ceremony.proposed_ms).Bind(ceremony.receivers);
  RAAKVLAK_RETURN_IF_ERROR(insert.Run());
  return connection_.Changes() == 1;
}

absl::StatusOr<bool> SqliteCeremonies::Append(absl::string_view id, const StoredCeremonyMessage& message) {
  Statement insert = connection_.Query(
      "INSERT INTO ceremony_message (ceremony, sender, step, body_hash, body, signature) "
      "VALUES ((SELECT number FROM ceremony WHERE id = ?),?,?,?,?,?) "
      "ON CONFLICT (ceremony, sender, body_hash) DO NOTHING");
  insert.BindBlob(id).BindText(message.sender).Bind(message.step).BindBlob(base::Sha256(message.body));
  insert.BindBlob(message.body).BindBlob(message.signature);
  RAAKVLAK_RETURN_IF_ERROR(insert.Run());
  return connection_.Changes() == 1;
}

absl::StatusOr<bool> SqliteCeremonies::PutKeyset(absl::string_view id, absl::string_view partner,
                                                 absl::string_view keyset) {
  Statement insert = connection_.Query(
      "INSERT INTO ceremony_keyset VALUES ((SELECT number FROM ceremony WHERE id = ?),?,?) "
      "ON CONFLICT (ceremony, partner) DO NOTHING");
  RAAKVLAK_RETURN_IF_ERROR(insert.BindBlob(id).BindText(partner).BindBlob(keyset).Run());
  return connection_.Changes() == 1;
}

absl::StatusOr<uint64_t> SqliteCeremonies::Prune(const CeremonyBounds& bounds, size_t limit) {
  uint64_t deleted = 0;
  const auto prune = [&](const char* sql, int64_t before) -> absl::Status {
    RAAKVLAK_RETURN_IF_ERROR(connection_.Query(sql).Bind(before).Bind(uint64_t{limit} - deleted).Run());
    deleted += static_cast<uint64_t>(connection_.Changes());
    return absl::OkStatus();
  };
  RAAKVLAK_RETURN_IF_ERROR(
      prune("DELETE FROM ceremony_message WHERE sequence IN "
            "(SELECT sequence FROM ceremony_message JOIN ceremony ON ceremony.number = ceremony "
            "WHERE proposed_ms < ? LIMIT ?)",
            bounds.messages_before_ms));
  RAAKVLAK_RETURN_IF_ERROR(
      prune("DELETE FROM ceremony_keyset WHERE (ceremony, partner) IN "
            "(SELECT ceremony, partner FROM ceremony_keyset JOIN ceremony ON ceremony.number = ceremony "
            "WHERE proposed_ms < ? LIMIT ?)",
            bounds.keysets_before_ms));
  RAAKVLAK_RETURN_IF_ERROR(
      prune("DELETE FROM ceremony WHERE number IN (SELECT number FROM ceremony WHERE proposed_ms < ? "
            "AND NOT EXISTS (SELECT 1 FROM ceremony_message WHERE ceremony = ceremony.number) "
            "AND NOT EXISTS (SELECT 1 FROM ceremony_keyset WHERE ceremony = ceremony.number) LIMIT ?)",
            bounds.messages_before_ms));
  return deleted;
}

}  // namespace raakvlak::storage
