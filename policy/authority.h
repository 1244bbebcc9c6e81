// Authority: the covenant and roster in force in one process.
//
// Every call asks Current(), which looks whether the files changed on disk (one stat each), so that a new
// roster or covenant works on the next call, also on open connections. Nothing older comes back: the highest
// roster number and the newest covenant ever seen are kept in HighWater (the process's database), and older
// files are refused.
//
// A changed file that is invalid or older is refused with a log line and what was in force stays in force
// until it expires. One that is not valid yet comes into force by itself at its time. A new covenant comes
// into force together with the first roster made for it. Thread safety: all methods may be called from any
// thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "policy/covenant.h"
#include "policy/covenant_chain.h"
#include "policy/roster.h"

namespace raakvlak::policy {

struct Snapshot {
  std::shared_ptr<const Covenant> covenant;
  std::shared_ptr<const Roster> roster;
  // All covenants that the process knows, the one in force among them; nullptr: that one only.
  std::shared_ptr<const CovenantChain> chain = nullptr;
  // By id, 32 bytes; nullptr for one that is not known. Not only the one in force.
  std::shared_ptr<const Covenant> FindCovenant(absl::string_view id) const;
  // The one in force and those before it that are known, newest first.
  std::vector<std::shared_ptr<const Covenant>> UpToInForce() const;
  // A purpose as it was agreed for an epoch: of the newest covenant up to the one in force in which it has
  // that epoch. Rules and k are the same in all of these (policy/succession.h). nullptr when there is none.
  // Points into the covenants of this snapshot.
  const v1::Purpose* TermsOf(absl::string_view purpose, uint32_t epoch) const;
  // "c<version>/r<number>", for audit entries.
  std::string Name() const;
};

// What was the newest ever in force; survives restarts.
struct Newest {
  std::string covenant_id;  // 32 bytes; empty when none was ever seen
  uint32_t covenant_version = 0;
  uint64_t roster_number = 0;
  bool operator==(const Newest&) const = default;
};

class HighWater {
 public:
  virtual ~HighWater() = default;
  virtual absl::StatusOr<Newest> Load() = 0;
  // Durable when it returns.
  virtual absl::Status Store(const Newest& newest) = 0;
};

class Authority {
 public:
  // Fails when the files do not verify, are expired or are older than what HighWater holds: COVENANT_*,
  // ROSTER_*, FILE_UNREADABLE. A covenant of the same version must be the same text; one with a higher
  // version must supersede the newest one seen here, so a process that missed some takes them in order.
  // `clock` and `high_water` outlive the Authority.
  static absl::StatusOr<std::unique_ptr<Authority>> Create(std::string covenant_path, std::string roster_path,
                                                           const base::Clock& clock, HighWater& high_water);

  // Current returns what is in force now. COVENANT_EXPIRED, ROSTER_EXPIRED.
  absl::StatusOr<Snapshot> Current();

  // CheckPartner: NOT_ALLOWED when there is no such partner, PARTNER_SUSPENDED when the roster suspends it.
  static absl::Status CheckPartner(const Snapshot& snapshot, absl::string_view partner);

 private:
  struct FileMark {
    int64_t changed_ns = 0;  // ctime: unlike mtime nobody can set it
    uint64_t inode = 0;
    int64_t size = 0;
    bool operator==(const FileMark&) const = default;
  };
  Authority(std::string covenant_path, std::string roster_path, const base::Clock& clock,
            HighWater& high_water)
      : covenant_path_(std::move(covenant_path)),
        roster_path_(std::move(roster_path)),
        clock_(clock),
        high_water_(high_water) {}
  static FileMark MarkOf(const std::string& path);
  absl::StatusOr<std::shared_ptr<const Covenant>> LoadCovenant(absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<const Roster>> LoadRoster(const Covenant& covenant, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Start(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Reload(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Install(Snapshot next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string covenant_path_;
  const std::string roster_path_;
  const base::Clock& clock_;
  HighWater& high_water_;
  base::Mutex mutex_;
  Snapshot snapshot_ ABSL_GUARDED_BY(mutex_);
  Newest newest_ ABSL_GUARDED_BY(mutex_);
  bool stored_ ABSL_GUARDED_BY(mutex_) = true;
  // When to read the files again although they did not change.
  absl::Time retry_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  FileMark covenant_mark_ ABSL_GUARDED_BY(mutex_);
  FileMark roster_mark_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::policy
