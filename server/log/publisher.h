// Publisher: brings the entries of the database into static files, and has each new size signed.
//
//   database --leaves--> tiles (durable) --signer--> `checkpoint` (durable)
//
// All that a checkpoint stands on is durable before it is signed, and it is signed before it is published.
// The root is computed from the hash tiles as they are on disk; the signer computes it from the entries.
// After a crash at any point the next run goes on from the published checkpoint and writes what lies behind
// it again: the database decides what that is.
//
// Partial tiles are removed once the full tile is durable. Readers take the full tile then.
//
// What it does NOT see: a database that was restored together with the folder. The signer does.
//
// Thread safety: all methods may be called from any thread; one of them publishes at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "server/log/checkpoint_signer.h"
#include "server/log/log_folder.h"
#include "server/log/tile_builder.h"
#include "server/storage/audit.h"

namespace raakvlak::log {

// At most so many entries get in between two checkpoints, so that the signer's work for one is bounded.
inline constexpr uint64_t kMaxEntriesPerCheckpoint = 65'536;

struct Published {
  crypto::tlog::Checkpoint checkpoint;
  std::string note;  // as the signer made it, without cosignatures
};

class Publisher {
 public:
  // Create looks at what is published of each log, and publishes nothing. All outlive the publisher; `key` is
  // the public key of the process's logs. LOG_ROLLBACK when the database has fewer entries than were
  // published: a restored backup. LOG_FORK when it has other entries than those published last, or when the
  // hash tiles do not give the root of the checkpoint. SIGNATURE_INVALID for a checkpoint of another key;
  // STORAGE_FAILED, FILE_UNREADABLE, MALFORMED.
  static absl::StatusOr<std::unique_ptr<Publisher>> Create(storage::AuditLog& audit, LogFolder& folder,
                                                           CheckpointSigner& signer, const base::Clock& clock,
                                                           const crypto::note::PublicKey& key);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // Publish brings all logs up to date, older years first; the first time it asks the signer also for what
  // was published before, which it may refuse (LOG_ROLLBACK, LOG_FORK). Errors of Create and of the signer;
  // after one, it can be called again. DEADLINE_EXCEEDED when entries were left.
  absl::Status Publish(absl::Time deadline);

  // PublishThrough returns when a checkpoint that covers `id` is published: at once when there is one.
  // NOT_FOUND when the database has no such entry; else as Publish.
  absl::Status PublishThrough(storage::EntryId id, absl::Time deadline);

  // The newest checkpoint of a year; nothing when none was published.
  std::optional<Published> Newest(uint32_t year) const;
  // The newest year of which there is a checkpoint.
  std::optional<uint32_t> NewestYear() const;

  // The key that a year's checkpoints are verified with.
  absl::StatusOr<crypto::note::VerifierKey> Verifier(uint32_t year) const;

  const LogFolder& folder() const { return folder_; }

 private:
  struct Log {
    uint64_t published = 0;
    // Behind `published` when the tiles are on disk and the signer has not signed them yet.
    TileBuilder tiles;
    // False until the signer has agreed, since this start, with what was published before it: database and
    // files that were restored together agree with one another.
    bool agreed = true;
  };

  Publisher(storage::AuditLog& audit, LogFolder& folder, CheckpointSigner& signer, const base::Clock& clock,
            const crypto::note::PublicKey& key)
      : audit_(audit), folder_(folder), signer_(signer), clock_(clock), key_(key) {}

  std::string YearFolder(uint32_t year) const;
  absl::Status PublishLocked(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(publishing_);
  absl::Status PublishYear(storage::LogSize stored, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(publishing_);
  absl::StatusOr<Log> Recover(storage::LogSize stored);
  absl::Status CompareLastEntries(uint32_t year, uint64_t published);
  absl::Status WriteTiles(uint32_t year, uint64_t until, Log& log);
  absl::Status SignAndPublish(uint32_t year, absl::Time deadline, Log& log);

  storage::AuditLog& audit_;
  LogFolder& folder_;
  CheckpointSigner& signer_;
  const base::Clock& clock_;
  const crypto::note::PublicKey key_;

  base::Mutex publishing_;
  // By year; a log is dropped after an error, and read from its files again.
  std::map<uint32_t, Log> logs_ ABSL_GUARDED_BY(publishing_);

  mutable base::Mutex mutex_;
  std::map<uint32_t, Published> published_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::log
