// MemoryCeremonies: CeremonyTable in memory. Only for MemoryBrokerStore. Thread safety: none of its own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/storage/ceremonies.h"

namespace raakvlak::storage {

struct MemoryCeremonyRows {
  struct Row {
    StoredCeremony ceremony;
    // Shared, because each transaction of the store works on a copy of all rows.
    std::vector<std::shared_ptr<const StoredCeremonyMessage>> messages;
    std::map<std::string, std::string> keysets;  // by partner
  };
  uint64_t last_sequence = 0;
  std::vector<Row> rows;  // oldest first
};

class MemoryCeremonies final : public CeremonyTable {
 public:
  explicit MemoryCeremonies(MemoryCeremonyRows& rows) : rows_(rows) {}

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
  // nullptr when it is not known.
  MemoryCeremonyRows::Row* RowOf(absl::string_view id);

  MemoryCeremonyRows& rows_;
};

}  // namespace raakvlak::storage
