// WitnessStore: what a witness has cosigned of each log: never less than the newest it told anybody.
//
// It is kept apart from the process's other data and must NOT be restored from a backup: a witness that has
// forgotten cosigns a rolled back log without noticing. Errors: STORAGE_FAILED.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::storage {

// The newest checkpoint of one log that was cosigned.
struct Witnessed {
  std::string origin;
  uint64_t size = 0;
  std::string root;   // 32 bytes
  uint64_t time = 0;  // of the cosignature, seconds since 1970
  std::string note;   // the checkpoint as the log signed it
  bool operator==(const Witnessed&) const = default;
};

class WitnessStore {
 public:
  virtual ~WitnessStore() = default;

  // nullopt when nothing of this log was ever cosigned.
  virtual absl::StatusOr<std::optional<Witnessed>> FindWitnessed(absl::string_view origin) = 0;
  // By SHA-256 of the origin, 32 bytes.
  virtual absl::StatusOr<std::optional<Witnessed>> FindWitnessedByHash(absl::string_view origin_hash) = 0;

  // AdvanceWitnessed puts `next` in the place of what is kept of the same log, if that still is of `old_size`
  // (0: also when nothing is kept) and neither size nor time goes back, nor the root of an equal size
  // changes. Returns whether it did; durable then. Check and change are one step: of two callers with the
  // same `old_size` one is told false.
  virtual absl::StatusOr<bool> AdvanceWitnessed(uint64_t old_size, const Witnessed& next) = 0;
};

// In an SQLite file of its own. SCHEMA_UNKNOWN.
absl::StatusOr<std::unique_ptr<WitnessStore>> OpenWitnessStore(const std::string& path);

// Forgets all when it goes: for tests.
std::unique_ptr<WitnessStore> MakeMemoryWitnessStore();

}  // namespace raakvlak::storage
