#include "linkage/fold.h"

#include <strings.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include "absl/strings/ascii.h"
#include "base/secret.h"
#include "base/status.h"
#include "linkage/ascii_forms.h"

namespace raakvlak::linkage {
namespace {

// ICU's macros narrow implicitly.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
// NextCodePoint moves `at` behind one code point and returns it; negative when it is not well formed.
UChar32 NextCodePoint(absl::string_view text, int32_t& at) {
  UChar32 c;
  U8_NEXT(text.data(), at, static_cast<int32_t>(text.size()), c);
  return c;
}
#pragma GCC diagnostic pop

// The block "Spacing Modifier Letters" holds apostrophes that count as letters (U+02BC in "O\u02BCNeill").
bool IsKeptLetter(UChar32 c) { return u_isalpha(c) && !(c >= 0x02B0 && c <= 0x02FF); }

void Wipe(icu::UnicodeString& text) {
  const int32_t capacity = text.getCapacity();
  if (char16_t* buffer = text.getBuffer(capacity); buffer != nullptr) {
    explicit_bzero(buffer, static_cast<size_t>(capacity) * sizeof(char16_t));
    text.releaseBuffer(0);
  }
}

bool IsAscii(absl::string_view text) {
  unsigned bits = 0;
  for (const char c : text) bits |= static_cast<unsigned char>(c);
  return bits < 0x80;
}

std::string LettersByIcu(absl::string_view text) {
  std::string out;
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkd = icu::Normalizer2::getNFKDInstance(error);
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
  RAAKVLAK_CHECK(U_SUCCESS(error), "ICU has its normalisation data");
  icu::UnicodeString given =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  icu::UnicodeString decomposed = nfkd->normalize(given, error);
  icu::UnicodeString letters;
  for (int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
    const UChar32 c = decomposed.char32At(i);
    if (IsKeptLetter(c)) letters.append(c);
  }
  letters.foldCase(U_FOLD_CASE_DEFAULT);
  icu::UnicodeString canonical = nfc->normalize(letters, error);
  RAAKVLAK_CHECK(U_SUCCESS(error), "ICU normalises valid text");
  canonical.toUTF8String(out);
  Wipe(given);
  Wipe(decomposed);
  Wipe(letters);
  Wipe(canonical);
  return out;
}

}  // namespace

std::string FoldToLetters(absl::string_view text) {
  static const AsciiForms* const forms = new AsciiForms(LettersByIcu);
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) {
      if (absl::ascii_isalpha(c)) out += absl::ascii_tolower(c);
      ++at;
    } else if (!forms->Take(text, at, out)) {
      base::WipeString(out);
      return LettersByIcu(text);
    }
  }
  return out;
}

std::string FirstLetter(absl::string_view folded) {
  if (folded.empty()) return "";
  int32_t end = 0;
  U8_FWD_1(folded.data(), end, static_cast<int32_t>(folded.size()));
  return std::string(folded.substr(0, static_cast<size_t>(end)));
}

absl::string_view TrimWhiteSpace(absl::string_view text) {
  const auto is_visible = [](char c) { return c > ' ' && c < 0x7F; };
  if (text.empty() || (is_visible(text.front()) && is_visible(text.back()))) return text;
  const auto size = static_cast<int32_t>(text.size());
  int32_t begin = 0;
  int32_t end = size;
  while (begin < size) {
    int32_t next = begin;
    if (!u_isUWhiteSpace(NextCodePoint(text, next))) break;
    begin = next;
  }
  while (end > begin) {
    int32_t before = end;
    UChar32 c;
    U8_PREV(text.data(), begin, before, c);
    if (!u_isUWhiteSpace(c)) break;
    end = before;
  }
  return text.substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

bool IsUtf8(absl::string_view text) {
  if (IsAscii(text)) return true;
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < size;) {
    if (NextCodePoint(text, i) < 0) return false;
  }
  return true;
}

}  // namespace raakvlak::linkage
