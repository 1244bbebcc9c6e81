// Fakes of the log's surroundings. For tests only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/mutex.h"
#include "base/reason.h"
#include "base/status.h"
#include "crypto/note/ed25519.h"
#include "crypto/note/note.h"
#include "crypto/tlog/checkpoint.h"
#include "crypto/tlog/leaf.h"
#include "server/log/checkpoint_signer.h"
#include "server/log/prover.h"
#include "server/storage/audit.h"

namespace raakvlak::log::testing {

// Leaves in memory, made up from a seed. A copy is a backup; another seed gives other entries from there on.
class FakeAuditLog final : public storage::AuditLog {
 public:
  explicit FakeAuditLog(std::string urn) : urn_(std::move(urn)) {}

  void Append(uint32_t year, uint64_t count = 1) {
    base::MutexLock lock(mutex_);
    std::vector<std::string>& leaves = leaves_[year];
    for (; count > 0; --count) {
      const std::string salt = base::Sha256(absl::StrCat(seed_, "/", year, "/", leaves.size()));
      leaves.push_back(crypto::tlog::MakeLeaf(leaves.size(), salt, "details"));
    }
  }
  void SetSeed(uint64_t seed) {
    base::MutexLock lock(mutex_);
    seed_ = seed;
  }
  std::map<uint32_t, std::vector<std::string>> Backup() const {
    base::MutexLock lock(mutex_);
    return leaves_;
  }
  void Restore(std::map<uint32_t, std::vector<std::string>> backup) {
    base::MutexLock lock(mutex_);
    leaves_ = std::move(backup);
  }

  std::string Origin(uint32_t year) const override { return absl::StrCat(urn_, "/", year); }
  absl::StatusOr<std::vector<storage::LogSize>> Logs() override {
    base::MutexLock lock(mutex_);
    std::vector<storage::LogSize> sizes;
    for (const auto& [year, leaves] : leaves_) sizes.push_back({year, leaves.size()});
    return sizes;
  }
  absl::StatusOr<std::vector<std::string>> ReadLeaves(uint32_t year, uint64_t from, size_t limit) override {
    base::MutexLock lock(mutex_);
    const std::vector<std::string>& leaves = leaves_[year];
    const uint64_t until = from + std::min<uint64_t>(limit, leaves.size() - from);
    return std::vector<std::string>(leaves.begin() + static_cast<ptrdiff_t>(from),
                                    leaves.begin() + static_cast<ptrdiff_t>(until));
  }
  absl::StatusOr<std::optional<storage::StoredEntry>> Find(storage::EntryId) override { return Unused(); }
  absl::StatusOr<storage::AuditPage> ReadAudit(const storage::AuditFilter&, storage::EntryId,
                                               size_t) override {
    return Unused();
  }
  absl::StatusOr<uint64_t> EraseDetails(int64_t, const storage::AuditEntry&) override { return Unused(); }

 private:
  static absl::Status Unused() {
    return base::Error(absl::StatusCode::kUnimplemented, base::reason::kInternal, "leaves only");
  }

  const std::string urn_;
  mutable base::Mutex mutex_;
  uint64_t seed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint32_t, std::vector<std::string>> leaves_ ABSL_GUARDED_BY(mutex_);
};

// Signs whatever it is asked for. WARNING: it signs forks.
class FakeCheckpointSigner final : public CheckpointSigner {
 public:
  explicit FakeCheckpointSigner(crypto::note::PrivateKey key) : key_(std::move(key)) {}
  const crypto::note::PublicKey& public_key() const { return key_.public_key(); }
  // From now on every request gets this answer; OK to sign again.
  void FailWith(absl::Status status) {
    base::MutexLock lock(mutex_);
    status_ = std::move(status);
  }
  std::vector<uint64_t> sizes() const {
    base::MutexLock lock(mutex_);
    return sizes_;
  }
  absl::StatusOr<std::string> Sign(const crypto::tlog::Checkpoint& checkpoint, absl::Duration) override {
    base::MutexLock lock(mutex_);
    if (!status_.ok()) return status_;
    sizes_.push_back(checkpoint.size);
    RAAKVLAK_ASSIGN_OR_RETURN(const crypto::note::VerifierKey verifier,
                              crypto::note::VerifierKey::Create(checkpoint.origin, key_.public_key()));
    return crypto::note::Format(crypto::tlog::SignCheckpoint(checkpoint, verifier, key_));
  }

 private:
  const crypto::note::PrivateKey key_;
  mutable base::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> sizes_ ABSL_GUARDED_BY(mutex_);
};

// Answers "proof of <year>/<index>", or the error that was set. What it returns proves nothing.
class FakeProver final : public Prover {
 public:
  // What CheckQuorum answers from now on.
  void SetQuorum(absl::Status status) {
    base::MutexLock lock(mutex_);
    quorum_ = std::move(status);
  }
  // The deadline of the last call of Prove.
  absl::Time deadline() {
    base::MutexLock lock(mutex_);
    return deadline_;
  }
  void FailWith(absl::Status status) {
    base::MutexLock lock(mutex_);
    status_ = std::move(status);
  }
  absl::Status CheckQuorum(absl::Time) override {
    base::MutexLock lock(mutex_);
    return quorum_;
  }
  absl::StatusOr<std::string> Prove(const storage::Logged& logged, absl::Time deadline) override {
    base::MutexLock lock(mutex_);
    deadline_ = deadline;
    if (!status_.ok()) return status_;
    return absl::StrCat("proof of ", logged.id.year, "/", logged.id.index);
  }

 private:
  base::Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  absl::Status quorum_ ABSL_GUARDED_BY(mutex_);
  absl::Time deadline_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::log::testing
