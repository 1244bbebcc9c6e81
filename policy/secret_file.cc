#include "policy/secret_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::policy {
namespace {

constexpr size_t kMaxFileSize = 4096;

}  // namespace

absl::StatusOr<base::SecretBytes> ReadSecret32(const std::string& path) {
  RAAKVLAK_ASSIGN_OR_RETURN(const base::SecretBytes content, base::ReadSecretFile(path, kMaxFileSize));
  absl::string_view text = content.Reveal(base::RevealSecret{});
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  auto bytes = base::ParseBase64(text);
  if (!bytes.ok() || bytes->size() != 32) {
    if (bytes.ok()) base::WipeString(*bytes);
    return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed,
                       absl::StrCat(path, " is not 32 bytes in base64"));
  }
  return base::SecretBytes::Take(*std::move(bytes));
}

absl::Status WriteSecret32(const std::string& path, const base::SecretBytes& secret) {
  RAAKVLAK_CHECK(secret.size() == 32, "such a secret has 32 bytes");
  std::string text = base::Base64(secret.Reveal(base::RevealSecret{}));
  text += '\n';
  return base::WriteSecretFile(path, base::SecretBytes::Take(std::move(text)));
}

}  // namespace raakvlak::policy
