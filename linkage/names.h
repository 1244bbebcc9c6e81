// Names: surnames and given names as recipe 2 compares them (docs/format/normalisation.md, "Names"). DO NOT
// CHANGE: the results go into identifiers.
//
// Thread safety: all functions are pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace raakvlak::linkage {

// What a record may have of parts and given names, and of code points in each; the rest is cut off.
inline constexpr size_t kMaxNameParts = 8;
inline constexpr size_t kMaxNameLetters = 28;

// A surname, taken apart. Parts are folded, in the order written; a name that was not given or is unknown has
// none.
struct Surname {
  // Canonical tussenvoegsels of the first part, blank between words: "van der".
  std::string prefix;
  // Without tussenvoegsels, each one word.
  std::vector<std::string> parts;
};

// ParseSurname takes surname and surname_prefix as written. REQUIRES: valid UTF-8.
Surname ParseSurname(absl::string_view surname, absl::string_view prefix);

// ParseGivenNames returns folded names in the order written, a single letter for each initial. REQUIRES:
// valid UTF-8.
std::vector<std::string> ParseGivenNames(absl::string_view given_names);

// FoldToWords returns the words of `text`: letters decomposed, without marks, case folded, as basic Latin
// where there is such a form. Apostrophes vanish, anything else that is no letter separates. A comma and a
// hyphen are words of their own. REQUIRES: valid UTF-8.
std::vector<std::string> FoldToWords(absl::string_view text);

}  // namespace raakvlak::linkage
