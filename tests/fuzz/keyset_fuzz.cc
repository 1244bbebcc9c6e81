// Keyset text: what parses is written back byte for byte.
#include "absl/strings/string_view.h"
#include "base/status.h"
#include "policy/keyset/keyset.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const auto keyset = raakvlak::policy::ParseKeysetText(input);
  if (keyset.ok()) {
    RAAKVLAK_CHECK(raakvlak::policy::FormatKeysetText(*keyset) == std::string(input),
                   "a keyset is written back as it was read");
  }
  return 0;
}
