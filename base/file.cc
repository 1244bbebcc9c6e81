#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::base {
namespace {

absl::Status Unreadable(const std::string& path) {
  return Error(errno == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kFailedPrecondition,
               reason::kFileUnreadable, absl::StrCat(path, ": ", std::strerror(errno)));
}

absl::Status WriteFailed(const std::string& path) {
  return Error(absl::StatusCode::kUnavailable, reason::kStorageFailed,
               absl::StrCat(path, ": ", std::strerror(errno)));
}

absl::StatusOr<std::string> ReadDescriptor(int descriptor, const std::string& path, size_t limit) {
  // Sized once, so that a secret leaves no half-copies behind in freed memory.
  std::string content;
  content.reserve(limit < (64 << 10) ? limit + 1 : (64 << 10));
  char buffer[16384];
  auto wipe = absl::MakeCleanup([&] { explicit_bzero(buffer, sizeof buffer); });
  while (true) {
    const ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unreadable(path);
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > limit) {
      return Error(absl::StatusCode::kInvalidArgument, reason::kTooLarge,
                   absl::StrCat(path, ": over ", limit, " bytes"));
    }
  }
}

// What was renamed or removed in a folder is durable when the folder is.
absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return WriteFailed(folder);
  auto closer = absl::MakeCleanup([&] { close(descriptor); });
  if (fsync(descriptor) != 0) return WriteFailed(folder);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t limit) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return Unreadable(path);
  auto closer = absl::MakeCleanup([&] { close(descriptor); });
  return ReadDescriptor(descriptor, path, limit);
}

absl::StatusOr<SecretBytes> ReadSecretFile(const std::string& path, size_t limit) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0 && errno == ELOOP) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kFileUnsafe,
                 absl::StrCat(path, ": is a symbolic link; name the file itself"));
  }
  if (descriptor < 0) return Unreadable(path);
  auto closer = absl::MakeCleanup([&] { close(descriptor); });
  struct stat info = {};
  if (fstat(descriptor, &info) != 0) return Unreadable(path);
  if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0 || (info.st_uid != geteuid() && info.st_uid != 0)) {
    return Error(
        absl::StatusCode::kFailedPrecondition, reason::kFileUnsafe,
        absl::StrCat(path, ": a secret's file must be a regular file of this user, mode 0600 or stricter"));
  }
  RAAKVLAK_ASSIGN_OR_RETURN(std::string content, ReadDescriptor(descriptor, path, limit));
  return SecretBytes::Take(std::move(content));
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content, unsigned mode) {
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  const int descriptor = mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0) return WriteFailed(path);
  auto remover = absl::MakeCleanup([&] { unlink(temporary.c_str()); });
  auto closer = absl::MakeCleanup([&] { close(descriptor); });
  if (fchmod(descriptor, mode) != 0) return WriteFailed(path);
  for (size_t done = 0; done < content.size();) {
    const ssize_t wrote = write(descriptor, content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return WriteFailed(path);
    done += static_cast<size_t>(wrote);
  }
  if (fsync(descriptor) != 0) return WriteFailed(path);
  if (rename(temporary.c_str(), path.c_str()) != 0) return WriteFailed(path);
  std::move(remover).Cancel();
  return SyncFolderOf(path);
}

absl::Status RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0) return errno == ENOENT ? absl::OkStatus() : WriteFailed(path);
  return SyncFolderOf(path);
}

absl::Status WriteSecretFile(const std::string& path, const SecretBytes& secret) {
  return WriteFileAtomically(path, secret.Reveal(RevealSecret{}), 0600);
}

absl::Status LockFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return WriteFailed(folder);
  const std::string path = absl::StrCat(folder, "/lock");
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return WriteFailed(path);
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    close(descriptor);
    return Error(absl::StatusCode::kFailedPrecondition, reason::kAlreadyRunning,
                 absl::StrCat(folder, ": another process uses this state folder"));
  }
  // Kept open on purpose: the lock lives as long as the process.
  return absl::OkStatus();
}

}  // namespace raakvlak::base
