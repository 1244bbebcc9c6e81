#include "policy/secret_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::policy {
namespace {

constexpr size_t kMaxFileSize = 4096;
constexpr char kCredential[] = "credential:";
constexpr char kDescriptor[] = "fd:";

absl::Status NotReadable(absl::string_view place, absl::string_view why) {
  return base::Error(absl::StatusCode::kNotFound, base::reason::kFileUnreadable,
                     absl::StrCat(place, ": ", why));
}

// Reads to the end and closes.
absl::StatusOr<base::SecretBytes> ReadAndClose(int descriptor, const std::string& place) {
  std::string content(kMaxFileSize + 1, '\0');
  size_t size = 0;
  ssize_t got = 0;
  do {
    got = read(descriptor, content.data() + size, content.size() - size);
    if (got > 0) size += static_cast<size_t>(got);
  } while ((got < 0 && errno == EINTR) || (got > 0 && size < content.size()));
  const int error = errno;
  close(descriptor);
  // One wipe for all ends: the secret holds what was read, and no more.
  base::SecretBytes out(absl::string_view(content).substr(0, size));
  base::WipeString(content);
  if (got < 0) return NotReadable(place, strerror(error));
  if (size > kMaxFileSize) {
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kTooLarge,
                       absl::StrCat(place, ": over ", kMaxFileSize, " bytes"));
  }
  return out;
}

absl::StatusOr<base::SecretBytes> ReadCredential(absl::string_view name, const std::string& place) {
  const char* folder = getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) return NotReadable(place, "this program was started without credentials");
  const bool is_name =
      !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
      });
  if (!is_name) return NotReadable(place, "no credential is named so");
  const int descriptor = open(absl::StrCat(folder, "/", name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return NotReadable(place, strerror(errno));
  struct stat info = {};
  // systemd lets the service's user in by an access control list, whose mask shows as the group's bits.
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode) || (info.st_mode & 037) != 0 ||
      (info.st_uid != geteuid() && info.st_uid != 0)) {
    close(descriptor);
    return base::Error(absl::StatusCode::kFailedPrecondition, base::reason::kFileUnsafe,
                       absl::StrCat(place, ": is not a regular file closed to others"));
  }
  return ReadAndClose(descriptor, place);
}

absl::StatusOr<base::SecretBytes> ReadPlace(const std::string& place) {
  if (absl::StartsWith(place, kCredential)) {
    return ReadCredential(absl::string_view(place).substr(sizeof(kCredential) - 1), place);
  }
  if (!absl::StartsWith(place, kDescriptor)) return base::ReadSecretFile(place, kMaxFileSize);
  int descriptor = 0;
  // The first three are everybody's.
  if (!absl::SimpleAtoi(absl::string_view(place).substr(sizeof(kDescriptor) - 1), &descriptor) ||
      descriptor < 3) {
    return NotReadable(place, "no descriptor of 3 or higher");
  }
  return ReadAndClose(descriptor, place);
}

}  // namespace

absl::StatusOr<base::SecretBytes> ReadSecret32(const std::string& place) {
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes content, ReadPlace(place));
  absl::string_view text = content.Reveal(base::RevealSecret{});
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  auto bytes = base::ParseBase64(text);
  if (!bytes.ok() || bytes->size() != 32) {
    if (bytes.ok()) base::WipeString(*bytes);
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       absl::StrCat(place, " is not 32 bytes in base64"));
  }
  return base::SecretBytes::Take(*std::move(bytes));
}

absl::StatusOr<base::SecretBytes> ReadPassphrase(const std::string& place) {
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes content, ReadPlace(place));
  absl::string_view text = content.Reveal(base::RevealSecret{});
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  return base::SecretBytes(text);
}

absl::Status WriteSecret32(const std::string& path, const base::SecretBytes& secret) {
  RAAKVLAK_CHECK(secret.size() == 32, "such a secret has 32 bytes");
  std::string text = base::Base64(secret.Reveal(base::RevealSecret{}));
  text += '\n';
  return base::WriteSecretFile(path, base::SecretBytes::Take(std::move(text)));
}

}  // namespace raakvlak::policy
