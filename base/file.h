// Files: bounded reading, atomic durable writing, and secrets' files with their checks.
// Thread safety: all functions may be called from any thread; writers of one path are the caller's affair.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/secret.h"

namespace raakvlak::base {

inline constexpr size_t kDefaultFileLimit = 16 << 20;

// ReadFile returns the whole content. FILE_UNREADABLE when it cannot be read; TOO_LARGE over `limit` bytes.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t limit = kDefaultFileLimit);

// ReadSecretFile reads a secret (a key, a share). FILE_UNSAFE unless it is a regular file, not a symbolic
// link, owned by this user or root, and closed to group and others (mode & 077 == 0). FILE_UNREADABLE and
// TOO_LARGE as ReadFile.
absl::StatusOr<SecretBytes> ReadSecretFile(const std::string& path, size_t limit = 1 << 20);

// WriteFileAtomically replaces `path` so that after a crash either the old or the new content is there:
// temporary file in the same folder, fsync, rename, fsync of the folder. `mode` is that of the new file.
// STORAGE_FAILED on any error.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content, unsigned mode);

// WriteSecretFile is WriteFileAtomically with mode 0600.
absl::Status WriteSecretFile(const std::string& path, const SecretBytes& secret);

// RemoveFile deletes a file and syncs its folder, so that it does not come back after a crash; one that is
// not there is no error. The bytes are not overwritten: on a journaling file system or an SSD that would
// promise nothing. STORAGE_FAILED.
absl::Status RemoveFile(const std::string& path);

// LockFolder takes an exclusive lock on `folder`/lock for the life of this process, so that two processes
// never share one state folder. Creates the folder (0700) when missing. ALREADY_RUNNING when another process
// holds it.
absl::Status LockFolder(const std::string& folder);

}  // namespace raakvlak::base
