// NameTables: the words that recipe 2 knows (docs/format/normalisation.md, "Tables"). DO NOT CHANGE: they go
// into identifiers; other tables are another recipe.
//
// All words are folded: lower case, basic Latin letters. Thread safety: all functions are pure.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace raakvlak::linkage {

struct WordPair {
  absl::string_view from;
  absl::string_view to;
};

// PrefixWords returns the words that tussenvoegsels are made of, each with its canonical form ("vd" is "van
// de"), sorted by `from`. FindPrefixWord returns that form; empty when `word` is none.
absl::Span<const WordPair> PrefixWords();
absl::string_view FindPrefixWord(absl::string_view word);

// GluedPrefixes returns beginnings of one-word surnames that are tussenvoegsels ("vandermeer"), the longest
// first.
absl::Span<const WordPair> GluedPrefixes();

// IsGluedWord: an adjective that makes one name with the word after it ("klein gebbink").
bool IsGluedWord(absl::string_view word);

// IsGivenGluedWord: the first part of a given name in two or three words ("abd el kader"); IsArticle: the
// second of three, or one that stands before a given name.
bool IsGivenGluedWord(absl::string_view word);
bool IsArticle(absl::string_view word);

// IsJoiningWord: stands between two surnames and is part of none ("geb").
bool IsJoiningWord(absl::string_view word);

// IsUnknownWord: written where the name is not known ("onbekend").
bool IsUnknownWord(absl::string_view word);

// NameVariants returns spellings of names with the one that stands for all, sorted by `from`.
// CanonicalVariant returns that; `name` itself when it is in no group.
absl::Span<const WordPair> NameVariants();
absl::string_view CanonicalVariant(absl::string_view name);

// The same tables as lists.
absl::Span<const absl::string_view> GluedWords();
absl::Span<const absl::string_view> GivenGluedWords();
absl::Span<const absl::string_view> Articles();
absl::Span<const absl::string_view> JoiningWords();
absl::Span<const absl::string_view> UnknownWords();

}  // namespace raakvlak::linkage
