#include "server/storage/memory/ceremonies.h"

#include <algorithm>

#include "base/status.h"

namespace raakvlak::storage {
namespace {

using Row = MemoryCeremonyRows::Row;

StoredCeremony StandingOf(const Row& row) {
  StoredCeremony ceremony = row.ceremony;
  ceremony.last = row.messages.empty() ? 0 : row.messages.back()->sequence;
  ceremony.keysets = static_cast<uint32_t>(row.keysets.size());
  return ceremony;
}

bool IsComplete(const Row& row) { return row.keysets.size() >= row.ceremony.receivers; }

}  // namespace

MemoryCeremonyRows::Row* MemoryCeremonies::RowOf(absl::string_view id) {
  for (Row& row : rows_.rows) {
    if (row.ceremony.id == id) return &row;
  }
  return nullptr;
}

absl::StatusOr<std::optional<StoredCeremony>> MemoryCeremonies::Find(absl::string_view id) {
  const Row* row = RowOf(id);
  return row == nullptr ? std::optional<StoredCeremony>() : StandingOf(*row);
}

absl::StatusOr<std::vector<StoredCeremony>> MemoryCeremonies::List(int64_t since_ms) {
  std::vector<StoredCeremony> listed;
  for (const Row& row : rows_.rows) {
    if (row.ceremony.proposed_ms < since_ms) continue;
    listed.push_back(StandingOf(row));
    listed.back().parameters.clear();
  }
  return listed;
}

absl::StatusOr<uint64_t> MemoryCeremonies::CountOpen(absl::string_view proposed_by, int64_t since_ms) {
  return static_cast<uint64_t>(std::count_if(rows_.rows.begin(), rows_.rows.end(), [&](const Row& row) {
    return row.ceremony.proposed_by == proposed_by && row.ceremony.proposed_ms >= since_ms &&
           !IsComplete(row);
  }));
}

absl::StatusOr<std::vector<std::string>> MemoryCeremonies::Complete() {
  std::vector<std::string> ids;
  for (auto row = rows_.rows.rbegin(); row != rows_.rows.rend(); ++row) {
    if (IsComplete(*row)) ids.push_back(row->ceremony.id);
  }
  return ids;
}

absl::StatusOr<std::vector<StoredCeremonyMessage>> MemoryCeremonies::Messages(absl::string_view id,
                                                                              uint64_t after,
                                                                              size_t max_bytes) {
  std::vector<StoredCeremonyMessage> messages;
  const Row* row = RowOf(id);
  if (row == nullptr) return messages;
  size_t bytes = 0;
  for (const auto& message : row->messages) {
    if (message->sequence <= after) continue;
    bytes += message->body.size() + message->signature.size();
    if (!messages.empty() && bytes > max_bytes) break;
    messages.push_back(*message);
  }
  return messages;
}

absl::StatusOr<std::vector<uint32_t>> MemoryCeremonies::StepsOf(absl::string_view id,
                                                                absl::string_view sender) {
  std::vector<uint32_t> steps;
  const Row* row = RowOf(id);
  if (row == nullptr) return steps;
  for (const auto& message : row->messages) {
    if (message->sender == sender) steps.push_back(message->step);
  }
  return steps;
}

absl::StatusOr<std::vector<std::string>> MemoryCeremonies::Keysets(absl::string_view id) {
  std::vector<std::string> keysets;
  const Row* row = RowOf(id);
  if (row == nullptr) return keysets;
  for (const auto& [partner, keyset] : row->keysets) keysets.push_back(keyset);
  return keysets;
}

absl::StatusOr<bool> MemoryCeremonies::HasKeyset(absl::string_view id, absl::string_view partner) {
  const Row* row = RowOf(id);
  return row != nullptr && row->keysets.contains(std::string(partner));
}

absl::StatusOr<bool> MemoryCeremonies::Insert(const StoredCeremony& ceremony) {
  if (RowOf(ceremony.id) != nullptr) return false;
  rows_.rows.push_back({ceremony, {}, {}});
  return true;
}

absl::StatusOr<bool> MemoryCeremonies::Append(absl::string_view id, const StoredCeremonyMessage& message) {
  Row* row = RowOf(id);
  RAAKVLAK_CHECK(row != nullptr, "the ceremony is known");
  for (const auto& known : row->messages) {
    if (known->sender == message.sender && known->body == message.body) return false;
  }
  auto stored = std::make_shared<StoredCeremonyMessage>(message);
  stored->sequence = ++rows_.last_sequence;
  row->messages.push_back(std::move(stored));
  return true;
}

absl::StatusOr<bool> MemoryCeremonies::PutKeyset(absl::string_view id, absl::string_view partner,
                                                 absl::string_view keyset) {
  Row* row = RowOf(id);
  RAAKVLAK_CHECK(row != nullptr, "the ceremony is known");
  return row->keysets.emplace(std::string(partner), std::string(keyset)).second;
}

absl::StatusOr<uint64_t> MemoryCeremonies::Prune(const CeremonyBounds& bounds, size_t limit) {
  uint64_t deleted = 0;
  for (Row& row : rows_.rows) {
    while (row.ceremony.proposed_ms < bounds.messages_before_ms && !row.messages.empty() && deleted < limit) {
      row.messages.erase(row.messages.begin());
      ++deleted;
    }
    while (row.ceremony.proposed_ms < bounds.keysets_before_ms && !row.keysets.empty() && deleted < limit) {
      row.keysets.erase(row.keysets.begin());
      ++deleted;
    }
  }
  std::erase_if(rows_.rows, [&](const Row& row) {
    const bool gone = deleted < limit && row.ceremony.proposed_ms < bounds.messages_before_ms &&
                      row.messages.empty() && row.keysets.empty();
    if (gone) ++deleted;
    return gone;
  });
  return deleted;
}

}  // namespace raakvlak::storage
