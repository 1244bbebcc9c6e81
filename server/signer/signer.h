// Signer: signs the checkpoints of one process's logs, and never two that contradict each other.
//
// Before it signs it reads the new entries from the files itself and computes the root over them, on top of
// what it signed last (a compact range over leaf hashes; it never looks at the tiles of hashes that the
// process computed its root from). What it signed is on disk before the signature leaves.
//
// It does NOT know who may have lost what when it, the files and the database were all restored together from
// an old backup: then only witnesses, who saw the newer checkpoint, notice. It does NOT judge what entries
// say, but for their times, which never go back. It trusts its state folder; a lost one is refused while
// there are signed checkpoints in the log folder.
//
// Thread safety: all methods may be called from any thread; they run one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "server/signer/signer_state.h"

namespace raakvlak::signer {

struct SignerPaths {
  std::string urn;    // of the process whose logs they are
  std::string logs;   // one folder a year below it; may be missing
  std::string state;  // exists, and is used by nobody else
};

// The most entries in between two signed checkpoints: four times what a publisher asks for.
inline constexpr uint64_t kMaxNewEntries = 1 << 18;

class Signer {
 public:
  // Create reads what was signed, and compares it with the checkpoints in the log folder. LOG_ROLLBACK when
  // one there is newer than the state, or there is none of a signed log: the state was lost or restored.
  // LOG_FORK when one there has the state's size and another root. SIGNATURE_INVALID for a checkpoint of
  // another key. INVALID_ARGUMENT for a name that cannot be signed under; FILE_UNREADABLE, MALFORMED,
  // CONFIG_INVALID.
  static absl::StatusOr<std::unique_ptr<Signer>> Create(SignerPaths paths, crypto::note::PrivateKey key);
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  // Sign returns the signed note. NOT_ALLOWED for a log of another process. LOG_ROLLBACK when a later size
  // was signed. LOG_FORK when the same size was signed with another root, or the entries on disk do not give
  // this root. LOG_DAMAGED when the time of an entry is before that of the one before it. TOO_LARGE for more
  // than kMaxNewEntries at once; INVALID_ARGUMENT for size 0; FILE_UNREADABLE and MALFORMED for entries;
  // STORAGE_FAILED: then nothing was signed. After an error the state is as before.
  absl::StatusOr<std::string> Sign(const crypto::tlog::Checkpoint& wanted);

 private:
  Signer(SignerPaths paths, crypto::note::PrivateKey key) : paths_(std::move(paths)), key_(std::move(key)) {}
  absl::StatusOr<uint32_t> YearOf(const std::string& origin) const;

  const SignerPaths paths_;
  const crypto::note::PrivateKey key_;
  base::Mutex mutex_;
  std::map<uint32_t, Signed> signed_ ABSL_GUARDED_BY(mutex_);
};

// Adopt makes a lost or outdated state anew from the newest checkpoints in the log folder, after reading all
// entries under each; a state is never set back. Returns what it wrote, oldest first. It is for a person who
// knows why the state is gone, and who compared these checkpoints with those that witnesses hold. LOG_FORK
// when entries do not give the root of a checkpoint, or a state contradicts one; errors of Signer::Create.
absl::StatusOr<std::vector<crypto::tlog::Checkpoint>> Adopt(const SignerPaths& paths,
                                                            const crypto::note::PublicKey& key);

}  // namespace raakvlak::signer
