// Signed notes: what parses is written back byte for byte; nothing verifies under a key that did not sign.
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "crypto/note/note.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace note = raakvlak::crypto::note;
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const auto parsed = note::Parse(input);
  if (parsed.ok())
    RAAKVLAK_CHECK(note::Format(*parsed) == std::string(input), "a note is written back as it was read");
  const auto key = note::VerifierKey::Parse(input);
  if (key.ok())
    RAAKVLAK_CHECK(key->Encode() == std::string(input), "a verifier key is written back as it was read");
  return 0;
}
