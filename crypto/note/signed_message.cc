#include "crypto/note/signed_message.h"

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace raakvlak::crypto::note {
namespace {

// A kind without 0x00 makes the end of the kind, and so the start of the body, unambiguous.
std::string SignedBytes(absl::string_view kind, absl::string_view body) {
  RAAKVLAK_CHECK(!kind.empty() && kind.find('\0') == absl::string_view::npos,
                 "a kind is one of the words above");
  return absl::StrCat("raakvlak/v1/", kind, absl::string_view("\0", 1), body);
}

}  // namespace

std::string SignMessage(const PrivateKey& key, absl::string_view kind, absl::string_view body) {
  return key.Sign(SignedBytes(kind, body));
}

absl::Status VerifyMessage(const PublicKey& key, absl::string_view kind, absl::string_view body,
                           absl::string_view signature) {
  return key.Verify(SignedBytes(kind, body), signature);
}

}  // namespace raakvlak::crypto::note
