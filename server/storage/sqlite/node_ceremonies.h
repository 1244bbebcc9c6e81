// The tables of server/storage/node_ceremonies.h in SQLite. Thread safety: as the connection.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/storage/node_ceremonies.h"
#include "server/storage/sqlite/database.h"

namespace raakvlak::storage {

extern const char kCeremoniesSchema[];

absl::StatusOr<bool> PutCeremonyRow(Connection& connection, const NodeCeremony& ceremony);
absl::StatusOr<std::vector<NodeCeremony>> CeremonyRows(Connection& connection);
absl::StatusOr<bool> SeeKeysetRow(Connection& connection, const SeenKeyset& seen);
absl::StatusOr<std::vector<SeenKeyset>> SeenKeysetRows(Connection& connection);

}  // namespace raakvlak::storage
