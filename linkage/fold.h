// Fold: names of people to the letters that recipe 1 compares (docs/format/normalisation.md, "Folding"). DO
// NOT CHANGE: the result goes into identifiers; another recipe gets another version.
//
// Thread safety: all functions are pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace raakvlak::linkage {

// FoldToLetters returns the letters of `text`, compatibility decomposed, without combining marks, case
// folded, in NFC. REQUIRES: valid UTF-8.
std::string FoldToLetters(absl::string_view text);

// FirstLetter returns the first code point of what FoldToLetters returned; empty when that is empty.
std::string FirstLetter(absl::string_view folded);

// TrimWhiteSpace removes white space (Unicode property White_Space) at both ends. REQUIRES: valid UTF-8.
absl::string_view TrimWhiteSpace(absl::string_view text);

// IsUtf8: well-formed UTF-8 of the Unicode Standard, without surrogates or overlong forms.
bool IsUtf8(absl::string_view text);

}  // namespace raakvlak::linkage
