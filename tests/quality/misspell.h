// Misspell: the ways in which names, dates and numbers are written wrong.
#pragma once

#include <string>

#include "absl/time/civil_time.h"
#include "tests/quality/random.h"

namespace raakvlak::quality {

// One letter inserted, left out, replaced by a neighbour on the keyboard, or two swapped. Code points, not
// bytes.
std::string Typo(const std::string& text, Random& random);

// Another spelling that sounds the same in Dutch (ij/y, c/k, ph/f ...); the same text when none fits.
std::string SoundsAlike(const std::string& text, Random& random);

// What a scanner reads: rn/m, l/i, o/0 and such; the same text when none fits.
std::string Scanned(const std::string& text, Random& random);

// One digit replaced or two swapped; as long as before, never a leading zero.
std::string WrongDigit(const std::string& digits, Random& random);

// Diacritics left out, as by a system that has none: "Şahin" to "Sahin".
std::string WithoutMarks(const std::string& text);

}  // namespace raakvlak::quality
