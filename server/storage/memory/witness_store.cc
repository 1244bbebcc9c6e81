#include "server/storage/witness_store.h"

#include <map>

#include "base/bytes.h"
#include "base/mutex.h"

namespace raakvlak::storage {
namespace {

class MemoryWitnessStore final : public WitnessStore {
 public:
  absl::StatusOr<std::optional<Witnessed>> FindWitnessed(absl::string_view origin) override {
    return FindWitnessedByHash(base::Sha256(origin));
  }

  absl::StatusOr<std::optional<Witnessed>> FindWitnessedByHash(absl::string_view origin_hash) override {
    base::MutexLock lock(mutex_);
    const auto found = rows_.find(origin_hash);
    if (found == rows_.end()) return std::optional<Witnessed>();
    return std::optional(found->second);
  }

  absl::StatusOr<bool> AdvanceWitnessed(uint64_t old_size, const Witnessed& next) override {
    base::MutexLock lock(mutex_);
    const std::string key = base::Sha256(next.origin);
    const auto found = rows_.find(key);
    if (found == rows_.end()) {
      if (old_size != 0) return false;
      rows_.emplace(key, next);
      return true;
    }
    const Witnessed& kept = found->second;
    const bool same = next.size == kept.size && next.root == kept.root;
    if (old_size != kept.size || next.time < kept.time || (next.size <= kept.size && !same)) return false;
    found->second = next;
    return true;
  }

 private:
  base::Mutex mutex_;
  std::map<std::string, Witnessed, std::less<>> rows_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<WitnessStore> MakeMemoryWitnessStore() { return std::make_unique<MemoryWitnessStore>(); }

}  // namespace raakvlak::storage
