// Secrets of 32 bytes: base64 and a newline. Vault keys, details keys and seal keys are such. And
// passphrases.
//
// Where one stands is a word of a configuration or command:
//   <path>             a file of mode 0600 (base::ReadSecretFile)
//   credential:<name>  a file that systemd hands over (LoadCredential=, LoadCredentialEncrypted=), in the
//   folder
//                      that CREDENTIALS_DIRECTORY names
//   fd:<n>             descriptor n, 3 or higher, that whoever starts the program opened; read to its end and
//   closed,
//                      so it can be read once
//
// Thread safety: all functions may be called from any thread; one descriptor by one.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/secret.h"

namespace raakvlak::policy {

// FILE_UNREADABLE, also when there is no such credential or descriptor; FILE_UNSAFE; MALFORMED (not 32 bytes
// in base64). Messages name the place, never its content.
absl::StatusOr<base::SecretBytes> ReadSecret32(const std::string& place);

// ReadPassphrase returns the whole content but for one newline at its end, from a place as above: never from
// an argument or the environment, which others can see. FILE_UNREADABLE, FILE_UNSAFE; TOO_LARGE over 4,096
// bytes.
absl::StatusOr<base::SecretBytes> ReadPassphrase(const std::string& place);

// An existing file is replaced; callers that must not, look first. STORAGE_FAILED. REQUIRES: 32 bytes.
absl::Status WriteSecret32(const std::string& path, const base::SecretBytes& secret);

}  // namespace raakvlak::policy
