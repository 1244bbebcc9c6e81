// LogCodec: what the stores share in keeping a log: which entries an append makes, and how salt and details
// are written.
//
//   sealed = crypto::aead(details key, pad(salt(32) || details), additional data: lp(origin) || index(8) ||
//   time(8))
//
// so that the details of one entry cannot be put in another's place, nor its time be changed. pad is that of
// ISO/IEC 7816-4 (80, then zeros) to whole blocks of 256 bytes: the size of a row tells an operator nothing
// about which entry it is of those that fit in as many blocks. Salts are
// random: without its salt a leaf tells nothing about details that somebody guesses.
//
// Thread safety: all methods may be called from any thread if the random source may.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/random.h"
#include "base/secret.h"
#include "raakvlak/v1/log.pb.h"
#include "server/storage/audit.h"

namespace raakvlak::storage {

// Where a process's logs end.
struct LogHead {
  EntryId last;
  int64_t time_ms = 0;
};

class LogCodec {
 public:
  // `urn` is of the process whose logs these are; `random` outlives the codec. REQUIRES: a key of 32 bytes.
  LogCodec(std::string urn, base::SecretBytes details_key, base::Random& random);

  std::string Origin(uint32_t year) const;

  // Sequence returns what appending `entry` behind `head` adds, in order; the entry itself is the last.
  // Besides it there are "log_end" and "log_start" when it begins a later year.
  std::vector<Logged> Sequence(const std::optional<LogHead>& head, const AuditEntry& entry) const;

  std::string Seal(const Logged& logged) const;
  // VERIFICATION_FAILED when `sealed` was not made for that place, or is not what `leaf` commits to.
  absl::StatusOr<StoredEntry> Open(EntryId id, absl::string_view leaf, absl::string_view sealed) const;
  // An entry of which only the leaf is left. VERIFICATION_FAILED for what is no leaf.
  absl::StatusOr<StoredEntry> OpenErased(EntryId id, absl::string_view leaf) const;

  // What a process keeps beside its log under the same key: `place` is the table and the row that it belongs
  // to. OpenBeside: VERIFICATION_FAILED when it was not sealed for that place.
  std::string SealBeside(absl::string_view place, absl::string_view plaintext) const;
  absl::StatusOr<std::string> OpenBeside(absl::string_view place, absl::string_view sealed) const;

  // A value that only a codec with the same URN and key accepts (VERIFICATION_FAILED), to be kept beside the
  // log.
  std::string KeyCheck() const;
  absl::Status CheckKey(absl::string_view key_check) const;

  // The entry "erase" about details erased from `first` to `last`, which have these times.
  AuditEntry Erasure(const AuditEntry& proof, EntryId first, EntryId last, int64_t first_ms,
                     int64_t last_ms) const;

 private:
  Logged Make(EntryId id, int64_t time_ms, const AuditEntry& entry) const;
  std::string Place(EntryId id, int64_t time_ms) const;
  std::string PlaceBeside(absl::string_view place) const;

  std::string urn_;
  base::SecretBytes details_key_;
  base::Random* random_;
};

// The leaf that commits to `logged`.
std::string LeafOf(const Logged& logged);

// LogEntryOf is the entry as it travels. `origin` is of its log; `leaf` is empty when nobody vouches for it.
v1::LogEntry LogEntryOf(std::string origin, Logged logged, std::string leaf);

}  // namespace raakvlak::storage
