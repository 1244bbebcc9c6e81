// Covenant and roster text: any text is read or refused; the checks of what was read end.
#include "absl/strings/string_view.h"
#include "policy/covenant.h"
#include "policy/roster.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  const auto covenant = raakvlak::policy::ParseCovenantText(input);
  if (covenant.ok()) {
    raakvlak::policy::CheckCovenant(*covenant).IgnoreError();
    raakvlak::policy::SignersOf(*covenant).status().IgnoreError();
    raakvlak::policy::CollusionWarnings(*covenant);
  }
  raakvlak::policy::ParseRosterText(input).status().IgnoreError();
  raakvlak::policy::Covenant::Verify(input).status().IgnoreError();
  return 0;
}
