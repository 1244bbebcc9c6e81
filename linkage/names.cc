#include "linkage/names.h"

#include <strings.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/secret.h"
#include "base/status.h"
#include "linkage/ascii_forms.h"
#include "linkage/name_tables.h"

namespace raakvlak::linkage {
namespace {

constexpr char kComma[] = ",";
constexpr char kHyphen[] = "-";
// Adjectives join only what is clearly a name; also keeps joined words out of the tables.
constexpr size_t kMinGluedSize = 3;
// A consonant cluster of at most this size is a row of initials ("JCM").
constexpr size_t kMaxInitials = 4;

using Words = std::vector<std::string>;

// Letters outside basic Latin that do not decompose and have a customary form in it; case folded.
struct LatinForm {
  UChar32 letter;
  absl::string_view latin;
};
constexpr std::array<LatinForm, 12> kLatinForms = {{{0x00E6, "ae"},
                                                    {0x00F0, "d"},
                                                    {0x00F8, "o"},
                                                    {0x00FE, "th"},
                                                    {0x0111, "d"},
                                                    {0x0127, "h"},
                                                    {0x0131, "i"},
                                                    {0x0138, "k"},
                                                    {0x0142, "l"},
                                                    {0x014B, "ng"},
                                                    {0x0153, "oe"},
                                                    {0x0259, "e"}}};

bool IsApostrophe(UChar32 c) {
  return c == '\'' || c == '`' || c == 0x00B4 || c == 0x2018 || c == 0x2019 || c == 0x201B || c == 0x2032 ||
         (c >= 0x02B0 && c <= 0x02FF);
}

bool IsMark(UChar32 c) {
  const auto category = u_charType(c);
  return category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK ||
         category == U_COMBINING_SPACING_MARK;
}

// Cuts text into words, code point by code point.
class WordFolder {
 public:
  WordFolder() {
    UErrorCode error = U_ZERO_ERROR;
    nfkd_ = icu::Normalizer2::getNFKDInstance(error);
    nfc_ = icu::Normalizer2::getNFCInstance(error);
    RAAKVLAK_CHECK(U_SUCCESS(error), "ICU has its normalisation data");
  }
  ~WordFolder() { Wipe(word_); }

  void Take(UChar32 c) {
    if (IsApostrophe(c)) return;
    if (c < 0x80) return TakeDecomposed(c);
    icu::UnicodeString decomposed;
    if (!nfkd_->getDecomposition(c, decomposed)) decomposed = icu::UnicodeString(c);
    for (int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
      TakeDecomposed(decomposed.char32At(i));
    }
    Wipe(decomposed);
  }

  Words Finish() {
    EndWord();
    return std::move(words_);
  }

 private:
  static void Wipe(icu::UnicodeString& text) {
    const int32_t capacity = text.getCapacity();
    if (char16_t* buffer = text.getBuffer(capacity); buffer != nullptr) {
      explicit_bzero(buffer, static_cast<size_t>(capacity) * sizeof(char16_t));
      text.releaseBuffer(0);
    }
  }

  void TakeDecomposed(UChar32 c) {
    if (u_isalpha(c) && !IsApostrophe(c)) {
      word_.append(c);
    } else if (!IsMark(c) && !IsApostrophe(c)) {
      EndWord();
      if (c == ',') words_.emplace_back(kComma);
      if (u_charType(c) == U_DASH_PUNCTUATION) words_.emplace_back(kHyphen);
    }
  }

  void EndWord() {
    if (word_.isEmpty()) return;
    word_.foldCase(U_FOLD_CASE_DEFAULT);
    icu::UnicodeString latin;
    for (int32_t i = 0; i < word_.length(); i = word_.moveIndex32(i, 1)) {
      const UChar32 c = word_.char32At(i);
      const auto* form = std::find_if(kLatinForms.begin(), kLatinForms.end(),
                                      [c](const LatinForm& candidate) { return candidate.letter == c; });
      if (form == kLatinForms.end()) {
        latin.append(c);
      } else {
        for (const char letter : form->latin) latin.append(static_cast<char16_t>(letter));
      }
    }
    UErrorCode error = U_ZERO_ERROR;
    icu::UnicodeString canonical = nfc_->normalize(latin, error);
    RAAKVLAK_CHECK(U_SUCCESS(error), "ICU normalises valid text");
    canonical.toUTF8String(words_.emplace_back());
    Wipe(latin);
    Wipe(canonical);
    Wipe(word_);
    word_.remove();
  }

  const icu::Normalizer2* nfkd_;
  const icu::Normalizer2* nfc_;
  icu::UnicodeString word_;
  Words words_;
};

Words WordsByIcu(absl::string_view text) {
  WordFolder folder;
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    UChar32 c;
// ICU's macros narrow implicitly.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
    U8_NEXT(text.data(), i, size, c);
#pragma GCC diagnostic pop
    folder.Take(c);
  }
  return folder.Finish();
}

// What a form is learnt from: nothing when it is not one word.
std::string WordByIcu(absl::string_view text) {
  const Words words = WordsByIcu(text);
  return words.size() == 1 ? words[0] : "";
}

void WipeWords(Words& words) {
  for (std::string& word : words) base::WipeString(word);
  words.clear();
}

size_t CodePoints(absl::string_view word) {
  return static_cast<size_t>(std::count_if(
      word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

bool IsPrefixWord(absl::string_view word) { return !FindPrefixWord(word).empty(); }

// "vandermeer" is "vander" and "meer".
void SplitGlued(Words& words) {
  for (size_t i = 0; i < words.size(); ++i) {
    for (const WordPair& glued : GluedPrefixes()) {
      if (words[i].size() < glued.from.size() + kMinGluedSize ||
          words[i].compare(0, glued.from.size(), glued.from.data(), glued.from.size()) != 0) {
        continue;
      }
      std::string rest = words[i].substr(glued.from.size());
      words[i].resize(glued.from.size());
      words.insert(words.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(rest));
      break;
    }
  }
}

// "berg, van den" is "van den berg": what follows the last comma, when it is nothing but tussenvoegsels.
void MoveTrailingPrefix(Words& words) {
  const auto comma = std::find(words.rbegin(), words.rend(), kComma).base();
  const bool trailing = comma != words.begin() && comma != words.end() && comma - 1 != words.begin() &&
                        std::all_of(comma, words.end(), [](const std::string& word) {
                          return IsPrefixWord(word) || word == kHyphen;
                        });
  if (trailing) std::rotate(words.begin(), comma, words.end());
  words.erase(std::remove(words.begin(), words.end(), kComma), words.end());
}

// Keeps hyphens only between two words.
void TidyHyphens(Words& words) {
  if (std::find(words.begin(), words.end(), kHyphen) == words.end()) return;
  Words out;
  for (std::string& word : words) {
    if (word == kHyphen && (out.empty() || out.back() == kHyphen)) continue;
    out.push_back(std::move(word));
  }
  if (!out.empty() && out.back() == kHyphen) out.pop_back();
  words = std::move(out);
}

// What is left when only letters count.
void DropSigns(Words& words) {
  words.erase(std::remove_if(words.begin(), words.end(),
                             [](const std::string& word) { return word == kComma || word == kHyphen; }),
              words.end());
}

bool IsUnknown(const Words& words) { return words.size() == 1 && IsUnknownWord(words[0]); }

void AddPrefix(std::string& prefix, absl::string_view word) {
  const absl::string_view canonical = FindPrefixWord(word);
  absl::StrAppend(&prefix, prefix.empty() ? "" : " ", canonical.empty() ? word : canonical);
}

// Single letters beside a longer name are initials or what is left of an abbreviation.
void DropSingleLetters(Words& parts) {
  const auto is_single = [](const std::string& part) { return CodePoints(part) == 1; };
  if (std::all_of(parts.begin(), parts.end(), is_single)) return;
  parts.erase(std::remove_if(parts.begin(), parts.end(), is_single), parts.end());
}

// So that what is derived of names fits into an identifier.
void Limit(Words& names) {
  if (names.size() > kMaxNameParts) names.resize(kMaxNameParts);
  for (std::string& name : names) {
    size_t left = kMaxNameLetters;
    size_t end = 0;
    for (; end < name.size(); ++end) {
      const bool begins = (static_cast<unsigned char>(name[end]) & 0xC0u) != 0x80u;
      if (begins && left-- == 0) break;
    }
    name.resize(end);
  }
}

bool HasVowel(absl::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) {
    return !absl::ascii_isascii(static_cast<unsigned char>(c)) ||
           absl::string_view("aeiouy").find(c) != absl::string_view::npos;
  });
}

}  // namespace

std::vector<std::string> FoldToWords(absl::string_view text) {
  static const AsciiForms* const forms = new AsciiForms(WordByIcu);
  Words words;
  words.reserve(4);
  std::string word;
  const auto end_word = [&words, &word] {
    if (!word.empty()) words.push_back(word);
    word.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (absl::ascii_isalpha(c)) {
      word += absl::ascii_tolower(c);
    } else if (c >= 0x80) {
      if (forms->Take(text, at, word)) continue;
      base::WipeString(word);
      WipeWords(words);
      return WordsByIcu(text);
    } else if (!IsApostrophe(c)) {
      end_word();
      if (c == ',') words.emplace_back(kComma);
      if (c == '-') words.emplace_back(kHyphen);
    }
    ++at;
  }
  end_word();
  base::WipeString(word);
  return words;
}

Surname ParseSurname(absl::string_view surname, absl::string_view prefix) {
  Words words = FoldToWords(surname);
  MoveTrailingPrefix(words);
  TidyHyphens(words);
  SplitGlued(words);
  Surname out;
  if (IsUnknown(words)) return out;
  std::string written_prefix;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == kHyphen) continue;
    const bool last = i + 1 == words.size();
    if (!last && IsPrefixWord(words[i])) {
      if (out.parts.empty()) AddPrefix(written_prefix, words[i]);
      continue;
    }
    if (!last && !out.parts.empty() && IsJoiningWord(words[i])) continue;
    std::string part = words[i];
    while (i + 1 < words.size() && IsGluedWord(words[i]) && words[i + 1].size() >= kMinGluedSize &&
           !IsPrefixWord(words[i + 1])) {
      part += words[++i];
    }
    out.parts.push_back(std::move(part));
  }
  DropSingleLetters(out.parts);
  Limit(out.parts);
  WipeWords(words);
  if (out.parts.empty()) return out;

  Words given_prefix = FoldToWords(prefix);
  DropSigns(given_prefix);
  for (const std::string& word : given_prefix) AddPrefix(out.prefix, word);
  if (out.prefix.empty()) out.prefix = std::move(written_prefix);
  WipeWords(given_prefix);
  return out;
}

std::vector<std::string> ParseGivenNames(absl::string_view given_names) {
  Words words = FoldToWords(given_names);
  DropSigns(words);
  Words out;
  if (IsUnknown(words)) return out;
  const auto is_name = [&words](size_t at) { return at < words.size() && words[at].size() >= kMinGluedSize; };
  for (size_t i = 0; i < words.size(); ++i) {
    if (out.empty() && IsArticle(words[i]) && is_name(i + 1)) continue;
    std::string name = words[i];
    while (IsGivenGluedWord(name) && (is_name(i + 1) || (i + 1 < words.size() && IsArticle(words[i + 1])))) {
      name += words[++i];
    }
    if (HasVowel(name) || name.size() > kMaxInitials) {
      out.push_back(std::move(name));
    } else {
      for (const char initial : name) out.emplace_back(1, initial);
    }
  }
  Limit(out);
  WipeWords(words);
  return out;
}

}  // namespace raakvlak::linkage
