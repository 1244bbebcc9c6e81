#include "linkage/name_tables.h"

#include <algorithm>

namespace raakvlak::linkage {
namespace {

// Sorted by the first word: looked up by halving.
constexpr WordPair kPrefixWords[] = {
    // clang-format off
    {"aan", "aan"}, {"af", "af"}, {"ait", "ait"}, {"al", "al"}, {"am", "am"}, {"auf", "auf"},
    {"aus", "aus"}, {"ben", "ben"}, {"bij", "bij"}, {"bin", "bin"}, {"bint", "bint"}, {"boven", "boven"},
    {"d", "de"}, {"da", "da"}, {"dal", "dal"}, {"dalla", "dalla"}, {"das", "das"}, {"de", "de"},
    {"degli", "degli"}, {"dei", "dei"}, {"del", "del"}, {"della", "della"}, {"dello", "dello"},
    {"dem", "dem"}, {"den", "den"}, {"der", "der"}, {"des", "des"}, {"di", "di"}, {"dos", "dos"},
    {"du", "du"}, {"el", "el"}, {"het", "het"}, {"ibn", "ibn"}, {"im", "im"}, {"in", "in"},
    {"int", "in het"}, {"la", "la"}, {"las", "las"}, {"le", "le"}, {"les", "les"}, {"lo", "lo"},
    {"los", "los"}, {"of", "of"}, {"onder", "onder"}, {"op", "op"}, {"opt", "op het"}, {"oulad", "oulad"},
    {"ould", "ould"}, {"over", "over"}, {"t", "het"}, {"te", "te"}, {"ten", "ten"}, {"ter", "ter"},
    {"tho", "tho"}, {"thoe", "thoe"}, {"thor", "thor"}, {"to", "to"}, {"toe", "toe"}, {"tot", "tot"},
    {"uijt", "uit"}, {"uit", "uit"}, {"ul", "ul"}, {"und", "und"}, {"unter", "unter"}, {"uyt", "uit"},
    {"v", "van"}, {"vam", "vam"}, {"van", "van"}, {"vande", "van de"}, {"vanden", "van den"},
    {"vander", "van der"}, {"vant", "van het"}, {"vd", "van de"}, {"vdn", "van den"}, {"vdr", "van der"},
    {"vh", "van het"}, {"vom", "vom"}, {"von", "von"}, {"voor", "voor"}, {"vor", "vor"}, {"zu", "zu"},
    {"zum", "zum"}, {"zur", "zur"},
    // clang-format on
};

constexpr WordPair kGluedPrefixes[] = {{"vanden", "van den"}, {"vander", "van der"}, {"vande", "van de"}};

constexpr absl::string_view kGluedWords[] = {"groot", "groote", "grote", "jonge",  "klein", "kleine",
                                             "lutje", "lutke",  "nieuw", "nieuwe", "oud",   "oude"};
constexpr absl::string_view kGivenGluedWords[] = {"abd", "abdel", "abdoel", "abdul"};
constexpr absl::string_view kArticles[] = {"al", "el", "ul"};
constexpr absl::string_view kJoiningWords[] = {"echtgenote", "ev",  "geb",   "geboren",
                                               "gehuwd",     "wed", "weduwe"};
constexpr absl::string_view kUnknownWords[] = {"nn", "nvt", "onbek", "onbekend", "unknown"};

absl::string_view Find(absl::Span<const WordPair> sorted, absl::string_view word) {
  const auto found =
      std::lower_bound(sorted.begin(), sorted.end(), word,
                       [](const WordPair& pair, absl::string_view w) { return pair.from < w; });
  return found != sorted.end() && found->from == word ? found->to : absl::string_view();
}

bool Contains(absl::Span<const absl::string_view> words, absl::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

absl::Span<const WordPair> PrefixWords() { return kPrefixWords; }
absl::string_view FindPrefixWord(absl::string_view word) { return Find(kPrefixWords, word); }
absl::Span<const WordPair> GluedPrefixes() { return kGluedPrefixes; }
absl::Span<const absl::string_view> GluedWords() { return kGluedWords; }
absl::Span<const absl::string_view> GivenGluedWords() { return kGivenGluedWords; }
absl::Span<const absl::string_view> Articles() { return kArticles; }
absl::Span<const absl::string_view> JoiningWords() { return kJoiningWords; }
absl::Span<const absl::string_view> UnknownWords() { return kUnknownWords; }

bool IsGluedWord(absl::string_view word) { return Contains(kGluedWords, word); }
bool IsGivenGluedWord(absl::string_view word) { return Contains(kGivenGluedWords, word); }
bool IsArticle(absl::string_view word) { return Contains(kArticles, word); }
bool IsJoiningWord(absl::string_view word) { return Contains(kJoiningWords, word); }
bool IsUnknownWord(absl::string_view word) { return Contains(kUnknownWords, word); }

}  // namespace raakvlak::linkage
