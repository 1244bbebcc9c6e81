// Authority: the covenant and roster in force in one process.
//
// It takes them from a covenant file and a roster file that the configuration names, and from a folder of
// signed notes that arrived since (policy/note_folder.h), and puts what it takes from the files into that
// folder. Covenants that follow one another (policy/succession.h) are a chain; in force is the newest whose
// time has come and for which a roster is there, and of its rosters the one with the highest number. Both
// change at their times, or when a note arrives, without a restart. Rosters of lower numbers are deleted.
//
// Every call asks Current(), which looks whether files or folder changed on disk (one stat each), so that
// what is new works on the next call, also on open connections. Nothing older comes back: the newest covenant
// and roster that were in force are kept in HighWater (the process's database), and older ones are refused.
//
// A note that does not verify, does not follow or is older is passed over with one log line. What was in
// force stays in force until it expires, which is logged too. A covenant whose time has come waits for its
// first roster. A partner that withdrew its signature is out as if suspended.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
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
  // Partners that withdrew their signature under the covenant in force.
  std::set<std::string, std::less<>> withdrawn = {};
  // Whether a partner's calls and signals do not count now: the roster suspends it, or it withdrew.
  bool IsOut(absl::string_view partner) const;
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
  std::string roster_id = "";  // 32 bytes
  bool operator==(const Newest&) const = default;
};

// Whether `next` is no rollback: not older than `known`, and the same where it is of the same number.
bool MayFollow(const Newest& known, const Newest& next);

class HighWater {
 public:
  virtual ~HighWater() = default;
  virtual absl::StatusOr<Newest> Load() = 0;
  // Durable when it returns.
  virtual absl::Status Store(const Newest& newest) = 0;
};

struct PolicyFiles {
  std::string covenant;
  std::string roster;
  // May be missing, and is then made; empty: none.
  std::string folder = "";
  // Only look: nothing is put into the folder.
  bool read_only = false;
};

class Authority {
 public:
  // Fails when the covenant file does not verify, the roster file is none, when nothing is in force at its
  // time, or when what is there is older than what HighWater holds or does not follow it: COVENANT_*,
  // ROSTER_*, SIGNATURE_INVALID, FILE_UNREADABLE. A covenant of the same version must be the same text. A
  // process that holds neither the newest covenant seen here nor those in between needs the one that
  // supersedes it. `clock` and `high_water` outlive the Authority.
  static absl::StatusOr<std::unique_ptr<Authority>> Create(PolicyFiles files, const base::Clock& clock,
                                                           HighWater& high_water);

  // Current returns what is in force now. COVENANT_EXPIRED, ROSTER_EXPIRED.
  absl::StatusOr<Snapshot> Current();

  // CheckPartner: NOT_ALLOWED when there is no such partner, PARTNER_SUSPENDED when it is out.
  static absl::Status CheckPartner(const Snapshot& snapshot, absl::string_view partner);

 private:
  struct FileMark {
    int64_t changed_ns = 0;  // ctime: unlike mtime nobody can set it
    uint64_t inode = 0;
    int64_t size = 0;
    bool operator==(const FileMark&) const = default;
  };
  struct Marks {
    FileMark covenant;
    FileMark roster;
    FileMark folder;
    bool operator==(const Marks&) const = default;
  };
  // A note that was read and not verified: whether it is good depends on the covenant.
  struct UnverifiedNote {
    std::string name;  // of the file
    std::string bytes;
  };

  Authority(PolicyFiles files, const base::Clock& clock, HighWater& high_water)
      : files_(std::move(files)), clock_(clock), high_water_(high_water) {}
  static FileMark MarkOf(const std::string& path);
  Marks MarkAll() const;
  // Whether the marks changed since the last time, or the folder had changed so lately then that a change
  // after it would not show.
  bool IsChanged(const Marks& marks) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Reads files and folder into what is known. The status is that of the covenant file.
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // At the start a wrong path is said, also when the folder has a roster.
  absl::Status CheckRosterFile() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadFolder() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<const CovenantChain>> Chain() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<const Roster>> FindRoster(const Covenant& covenant, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<Snapshot> Choose(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Reload(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Install(Snapshot next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Keep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CheckInForce(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // One log line for each (event, subject) of a process.
  void LogOnce(const char* event, const std::string& subject, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const PolicyFiles files_;
  const base::Clock& clock_;
  HighWater& high_water_;
  base::Mutex mutex_;
  Snapshot snapshot_ ABSL_GUARDED_BY(mutex_);
  Newest newest_ ABSL_GUARDED_BY(mutex_);
  bool stored_ ABSL_GUARDED_BY(mutex_) = true;
  // When to look again although nothing changed on disk.
  absl::Time retry_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  Marks marks_ ABSL_GUARDED_BY(mutex_);
  bool unsettled_ ABSL_GUARDED_BY(mutex_) = false;

  // What was read. Covenants stay known when their file goes: signals under them stay to be judged.
  std::map<std::string, std::shared_ptr<const Covenant>> covenants_ ABSL_GUARDED_BY(mutex_);  // by id
  std::shared_ptr<const Covenant> configured_ ABSL_GUARDED_BY(mutex_);
  std::string configured_bytes_ ABSL_GUARDED_BY(mutex_);
  // That of the configuration first, when it could be read.
  std::vector<UnverifiedNote> rosters_ ABSL_GUARDED_BY(mutex_);
  absl::Status roster_file_ ABSL_GUARDED_BY(mutex_);
  std::vector<UnverifiedNote> withdrawals_ ABSL_GUARDED_BY(mutex_);
  // By name, the covenants of the notes in the folder.
  std::map<std::string, std::string> covenant_notes_ ABSL_GUARDED_BY(mutex_);
  std::set<std::pair<std::string, std::string>> logged_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::policy
