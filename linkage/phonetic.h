// Phonetic keys for names in the Netherlands (docs/format/normalisation.md, "Sound" and "Skeleton"). DO NOT
// CHANGE: the results go into identifiers.
//
// They are made so that spellings that sound alike get one key; names that sound different may share one too.
// They are no measure of similarity. Thread safety: all functions are pure.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace raakvlak::linkage {

// Where a spelling counts. A vowel is one of a e i o u y; a front vowel one of e i y.
enum class Place : uint8_t {
  kAnywhere,
  kStart,
  kEnd,
  kBeforeVowel,
  kBeforeFrontVowel,
  kAfterConsonantAtEnd,
};

struct SoundRule {
  absl::string_view spelling;
  Place place;
  absl::string_view sound;
};

// SoundRules returns the table: at each place of a word the first rule that fits is taken. A letter that none
// fits stands for itself.
absl::Span<const SoundRule> SoundRules();

// SoundOf rewrites one folded word by the table; equal neighbours become one. With `letters` it may stop when
// it has more code points than that.
std::string SoundOf(absl::string_view word, size_t letters = absl::string_view::npos);

// SkeletonOf returns the consonants of SoundOf; a vowel only as "a" at the start.
std::string SkeletonOf(absl::string_view word);

}  // namespace raakvlak::linkage
