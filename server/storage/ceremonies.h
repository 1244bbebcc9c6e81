// CeremonyTable: what the broker's relay keeps of ceremonies (docs/format/ceremony.md): parameters, messages
// and keysets, as bytes that it does not read. Part of a BrokerReader or BrokerTransaction
// (server/storage/broker_store.h), with the same snapshot or transaction, errors and thread safety.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "raakvlak/v1/covenant.pb.h"

namespace raakvlak::storage {

struct StoredCeremony {
  std::string id;  // 32 bytes
  std::string parameters;
  std::string purpose;
  v1::IdentifierClass identifier_class = v1::IDENTIFIER_CLASS_UNSPECIFIED;
  uint32_t epoch = 0;
  std::string kind;
  std::string proposed_by;
  int64_t proposed_ms = 0;
  uint32_t receivers = 0;  // how many keysets there are when it is complete

  // Not read when it is inserted.
  uint64_t last = 0;     // sequence of the newest message; 0: none
  uint32_t keysets = 0;  // how many were posted
};

struct StoredCeremonyMessage {
  uint64_t sequence = 0;
  std::string sender;  // partner id
  uint32_t step = 0;
  std::string body;
  std::string signature;
};

// When rows go: exclusive, by when the ceremony was proposed. A ceremony goes with the last of what it has.
struct CeremonyBounds {
  int64_t messages_before_ms = 0;
  int64_t keysets_before_ms = 0;
};

class CeremonyReader {
 public:
  virtual ~CeremonyReader() = default;

  virtual absl::StatusOr<std::optional<StoredCeremony>> Find(absl::string_view id) = 0;
  // All that were proposed at `since_ms` or later, oldest first, without their parameters.
  virtual absl::StatusOr<std::vector<StoredCeremony>> List(int64_t since_ms) = 0;
  // How many of this partner are not complete, of those that were proposed at `since_ms` or later.
  virtual absl::StatusOr<uint64_t> CountOpen(absl::string_view proposed_by, int64_t since_ms) = 0;
  // Ids of those with a keyset of each receiver, newest first.
  virtual absl::StatusOr<std::vector<std::string>> Complete() = 0;

  // Messages with a higher sequence than `after`, in order of arrival: as many as fit in `max_bytes` (bodies
  // and signatures), but at least one when there is one.
  virtual absl::StatusOr<std::vector<StoredCeremonyMessage>> Messages(absl::string_view id, uint64_t after,
                                                                      size_t max_bytes) = 0;
  // The step of each message of that sender, in order of arrival.
  virtual absl::StatusOr<std::vector<uint32_t>> StepsOf(absl::string_view id, absl::string_view sender) = 0;
  // One of each partner that posted one, in order of partner.
  virtual absl::StatusOr<std::vector<std::string>> Keysets(absl::string_view id) = 0;
  virtual absl::StatusOr<bool> HasKeyset(absl::string_view id, absl::string_view partner) = 0;
};

class CeremonyTable : public CeremonyReader {
 public:
  // Returns false, and changes nothing, when that id is known.
  virtual absl::StatusOr<bool> Insert(const StoredCeremony& ceremony) = 0;
  // Gives the message the next sequence; its own is not read. Returns false, and changes nothing, when the
  // sender has this body there already. REQUIRES: the ceremony is known.
  virtual absl::StatusOr<bool> Append(absl::string_view id, const StoredCeremonyMessage& message) = 0;
  // Returns false, and changes nothing, when that partner posted one before. REQUIRES: the ceremony is known.
  virtual absl::StatusOr<bool> PutKeyset(absl::string_view id, absl::string_view partner,
                                         absl::string_view keyset) = 0;
  // Deletes at most `limit` rows that are past their time. Returns how many.
  virtual absl::StatusOr<uint64_t> Prune(const CeremonyBounds& bounds, size_t limit) = 0;
};

}  // namespace raakvlak::storage
