// Files with a secret of 32 bytes: base64 and a newline, mode 0600 (base::ReadSecretFile). Vault keys,
// details keys and seal keys are such files.
//
// Thread safety: both functions may be called from any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/secret.h"

namespace raakvlak::policy {

// FILE_UNREADABLE, FILE_UNSAFE, MALFORMED (not 32 bytes in base64). Messages name the file, never its
// content.
absl::StatusOr<base::SecretBytes> ReadSecret32(const std::string& path);

// An existing file is replaced; callers that must not, look first. STORAGE_FAILED. REQUIRES: 32 bytes.
absl::Status WriteSecret32(const std::string& path, const base::SecretBytes& secret);

}  // namespace raakvlak::policy
