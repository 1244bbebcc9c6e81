// LogFolder: the folder of a process's logs, written so that a crash or a power cut at any point leaves each
// file either as it was or as it is to be.
//
//   <folder>/<year>/log.vkey, checkpoint, checkpoint.cosigned, tile/...     docs/format/log.md
//   <folder>/tmp/                                                            files not yet finished
//
// A file is written under a name of its own in tmp/, synced, and renamed to its place. Its folder is synced
// by Sync, for many files at once, through a descriptor that was open before the rename, so that no error of
// the disk is lost. Who publishes a checkpoint calls Sync before, for the tiles, and after.
//
// It does NOT keep two processes apart: the process's state folder is locked for that (base::LockFolder).
// Names are relative to the folder and must come from code (crypto/tlog paths), never from a caller.
//
// Thread safety: all methods may be called from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/mutex.h"

namespace raakvlak::log {

inline constexpr char kCheckpointFile[] = "checkpoint";
inline constexpr char kCosignedFile[] = "checkpoint.cosigned";
inline constexpr char kVerifierFile[] = "log.vkey";

// "2026/<file>".
std::string InYear(uint32_t year, absl::string_view file);

// The years for which there is a log below `folder`, ascending. STORAGE_FAILED; a missing folder has none.
absl::StatusOr<std::vector<uint32_t>> YearsIn(const std::string& folder);

class LogFolder {
 public:
  enum class Operation { kMakeFolder, kCreate, kWrite, kSyncFile, kRename, kSyncFolder, kRemove };
  // Called before each change to the disk, with the name it is about; an error takes the change's place.
  using HookForTest = std::function<absl::Status(Operation, const std::string& name)>;

  // Open makes the folder when it is missing and removes what a crash left in tmp/. STORAGE_FAILED.
  static absl::StatusOr<std::unique_ptr<LogFolder>> Open(std::string path, HookForTest hook = nullptr);
  ~LogFolder();
  LogFolder(const LogFolder&) = delete;
  LogFolder& operator=(const LogFolder&) = delete;

  // Write replaces the file `name`, making folders on the way. It is durable after the next Sync only.
  // STORAGE_FAILED; then the old content stands.
  absl::Status Write(const std::string& name, absl::string_view bytes);

  // Update is Write of what `change` makes of the present content (empty when there is no file), with no
  // other writer in between, and Sync. Returns the error of `change`, which then changed nothing. `change`
  // must not call this object.
  absl::Status Update(const std::string& name,
                      absl::FunctionRef<absl::StatusOr<std::string>(const std::string&)> change);

  // Sync makes durable all that was written. After STORAGE_FAILED it is unknown what is on disk: write again.
  absl::Status Sync();

  // RemoveFolder removes the folder `name` and the files in it; one that is not there is fine.
  // STORAGE_FAILED.
  absl::Status RemoveFolder(const std::string& name);

  // FILE_UNREADABLE, with the code kNotFound when there is no such file; TOO_LARGE.
  absl::StatusOr<std::string> Read(const std::string& name, size_t limit) const;

  const std::string& path() const { return path_; }

 private:
  LogFolder(std::string path, HookForTest hook) : path_(std::move(path)), hook_(std::move(hook)) {}

  absl::Status Before(Operation operation, const std::string& name) const;
  absl::Status MakeFolder(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status OpenForSync(const std::string& folder) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status WriteLocked(const std::string& name, absl::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Fill(const std::string& temporary, absl::string_view bytes) const;
  absl::Status SyncLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Full(const std::string& name) const;

  const std::string path_;
  const HookForTest hook_;
  base::Mutex mutex_;
  uint64_t written_ ABSL_GUARDED_BY(mutex_) = 0;
  // Folders to be synced ("" is the log folder itself), with an open descriptor.
  std::map<std::string, int> to_sync_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace raakvlak::log
