#include "server/log/log_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::log {
namespace {

constexpr char kTemporary[] = "tmp";
// Readable for the group, so that the signer can run as another user; the process's umask closes them first.
constexpr mode_t kFileMode = 0640;
constexpr mode_t kFolderAccess = 0050;

absl::Status Failed(const std::string& path) {
  return base::Error(absl::StatusCode::kUnavailable, base::reason::kStorageFailed,
                     absl::StrCat(path, ": ", std::strerror(errno)));
}

std::string ParentOf(const std::string& name) {
  const size_t slash = name.rfind('/');
  return slash == std::string::npos ? "" : name.substr(0, slash);
}

// Names in `folder`, without those that begin with a dot, ascending.
absl::StatusOr<std::vector<std::string>> NamesIn(const std::string& folder) {
  DIR* const stream = opendir(folder.c_str());
  if (stream == nullptr && errno == ENOENT) return std::vector<std::string>();
  if (stream == nullptr) return Failed(folder);
  const auto closer = absl::MakeCleanup([&] { closedir(stream); });
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = readdir(stream)) {
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    errno = 0;
  }
  if (errno != 0) return Failed(folder);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::string InYear(uint32_t year, absl::string_view file) { return absl::StrCat(year, "/", file); }

absl::StatusOr<std::vector<uint32_t>> YearsIn(const std::string& folder) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(folder));
  std::vector<uint32_t> years;
  for (const std::string& name : names) {
    uint32_t year = 0;
    if (name.size() == 4 && std::all_of(name.begin(), name.end(), absl::ascii_isdigit) &&
        absl::SimpleAtoi(name, &year)) {
      years.push_back(year);
    }
  }
  return years;
}

absl::StatusOr<std::unique_ptr<LogFolder>> LogFolder::Open(std::string path, HookForTest hook) {
  auto folder = std::unique_ptr<LogFolder>(new LogFolder(std::move(path), std::move(hook)));
  {
    base::MutexLock lock(folder->mutex_);
    RAAKVLAK_RETURN_IF_ERROR(folder->MakeFolder(""));
  }
  RAAKVLAK_RETURN_IF_ERROR(folder->RemoveFolder(kTemporary));
  base::MutexLock lock(folder->mutex_);
  RAAKVLAK_RETURN_IF_ERROR(folder->MakeFolder(kTemporary));
  return folder;
}

LogFolder::~LogFolder() {
  for (const auto& [name, descriptor] : to_sync_) close(descriptor);
}

std::string LogFolder::Full(const std::string& name) const {
  return name.empty() ? path_ : absl::StrCat(path_, "/", name);
}

absl::Status LogFolder::Before(Operation operation, const std::string& name) const {
  return hook_ ? hook_(operation, name) : absl::OkStatus();
}

absl::Status LogFolder::OpenForSync(const std::string& folder) {
  if (to_sync_.count(folder) != 0) return absl::OkStatus();
  const int descriptor = open(Full(folder).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Failed(Full(folder));
  to_sync_.emplace(folder, descriptor);
  return absl::OkStatus();
}

absl::Status LogFolder::MakeFolder(const std::string& name) {
  const std::string full = Full(name);
  struct stat info = {};
  if (stat(full.c_str(), &info) == 0) return absl::OkStatus();
  if (errno != ENOENT) return Failed(full);
  if (!name.empty()) {
    RAAKVLAK_RETURN_IF_ERROR(MakeFolder(ParentOf(name)));
    RAAKVLAK_RETURN_IF_ERROR(OpenForSync(ParentOf(name)));
  }
  RAAKVLAK_RETURN_IF_ERROR(Before(Operation::kMakeFolder, name));
  if (mkdir(full.c_str(), 0750) != 0) return Failed(full);
  // Only adds: a group that the folder above hands down (setgid) stays.
  if (stat(full.c_str(), &info) != 0 || chmod(full.c_str(), (info.st_mode & 07777) | kFolderAccess) != 0) {
    return Failed(full);
  }
  return absl::OkStatus();
}

absl::Status LogFolder::Fill(const std::string& temporary, absl::string_view bytes) const {
  const std::string full = Full(temporary);
  RAAKVLAK_RETURN_IF_ERROR(Before(Operation::kCreate, temporary));
  const int descriptor = open(full.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return Failed(full);
  const auto closer = absl::MakeCleanup([&] { close(descriptor); });
  RAAKVLAK_RETURN_IF_ERROR(Before(Operation::kWrite, temporary));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Failed(full);
    done += static_cast<size_t>(wrote);
  }
  if (fchmod(descriptor, kFileMode) != 0) return Failed(full);
  RAAKVLAK_RETURN_IF_ERROR(Before(Operation::kSyncFile, temporary));
  return fsync(descriptor) == 0 ? absl::OkStatus() : Failed(full);
}

absl::Status LogFolder::WriteLocked(const std::string& name, absl::string_view bytes) {
  const std::string parent = ParentOf(name);
  RAAKVLAK_RETURN_IF_ERROR(MakeFolder(parent));
  RAAKVLAK_RETURN_IF_ERROR(OpenForSync(parent));
  const std::string temporary = absl::StrCat(kTemporary, "/", ++written_);
  absl::Status done = Fill(temporary, bytes);
  if (done.ok()) done = Before(Operation::kRename, name);
  if (done.ok() && rename(Full(temporary).c_str(), Full(name).c_str()) != 0) done = Failed(Full(name));
  if (!done.ok() && Before(Operation::kRemove, temporary).ok()) unlink(Full(temporary).c_str());
  return done;
}

absl::Status LogFolder::Write(const std::string& name, absl::string_view bytes) {
  base::MutexLock lock(mutex_);
  return WriteLocked(name, bytes);
}

absl::Status LogFolder::Update(const std::string& name,
                               absl::FunctionRef<absl::StatusOr<std::string>(const std::string&)> change) {
  base::MutexLock lock(mutex_);
  absl::StatusOr<std::string> now = Read(name, base::kDefaultFileLimit);
  if (!now.ok() && !absl::IsNotFound(now.status())) return now.status();
  const std::string old = now.ok() ? *std::move(now) : "";
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string changed, change(old));
  if (changed == old) return absl::OkStatus();
  RAAKVLAK_RETURN_IF_ERROR(WriteLocked(name, changed));
  return SyncLocked();
}

absl::Status LogFolder::SyncLocked() {
  // What was named first may hold what was named later, but each is synced on its own: the order is free.
  while (!to_sync_.empty()) {
    const auto first = to_sync_.begin();
    RAAKVLAK_RETURN_IF_ERROR(Before(Operation::kSyncFolder, first->first));
    if (fsync(first->second) != 0) return Failed(Full(first->first));
    close(first->second);
    to_sync_.erase(first);
  }
  return absl::OkStatus();
}

absl::Status LogFolder::Sync() {
  base::MutexLock lock(mutex_);
  return SyncLocked();
}

absl::Status LogFolder::RemoveFolder(const std::string& name) {
  base::MutexLock lock(mutex_);
  RAAKVLAK_ASSIGN_OR_RETURN(const std::vector<std::string> files, NamesIn(Full(name)));
  for (const std::string& file : files) {
    const std::string path = absl::StrCat(name, "/", file);
    RAAKVLAK_RETURN_IF_ERROR(Before(Operation::kRemove, path));
    if (unlink(Full(path).c_str()) != 0 && errno != ENOENT) return Failed(Full(path));
  }
  const auto open = to_sync_.find(name);
  if (open != to_sync_.end()) {
    close(open->second);
    to_sync_.erase(open);
  }
  RAAKVLAK_RETURN_IF_ERROR(Before(Operation::kRemove, name));
  return rmdir(Full(name).c_str()) == 0 || errno == ENOENT ? absl::OkStatus() : Failed(Full(name));
}

absl::StatusOr<std::string> LogFolder::Read(const std::string& name, size_t limit) const {
  return base::ReadFile(Full(name), limit);
}

}  // namespace raakvlak::log
