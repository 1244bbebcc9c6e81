#include "tests/quality/misspell.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "base/status.h"

namespace raakvlak::quality {
namespace {

using Pair = std::pair<const char*, const char*>;

// Beside each other on the keyboard.
constexpr const char* kRows[] = {"qwertyuiop", "asdfghjkl", "zxcvbnm"};

const std::vector<Pair>& Alike() {
  static const std::vector<Pair> pairs = {
      {"ij", "y"},  {"ei", "ij"}, {"au", "ou"}, {"ae", "aa"}, {"oe", "u"},  {"ck", "k"}, {"ph", "f"},
      {"th", "t"},  {"sch", "s"}, {"v", "f"},   {"z", "s"},   {"dt", "t"},  {"d", "t"},  {"x", "ks"},
      {"qu", "kw"}, {"c", "k"},   {"ou", "oe"}, {"ee", "e"},  {"oo", "o"},  {"mm", "m"}, {"nn", "n"},
      {"ss", "s"},  {"tt", "t"},  {"ll", "l"},  {"sh", "sj"}, {"ch", "g"},  {"dj", "j"}, {"i", "ie"},
      {"y", "i"},   {"aa", "a"},  {"uu", "u"},  {"kh", "g"},  {"ay", "ai"}, {"ou", "u"},
  };
  return pairs;
}

const std::vector<Pair>& Scans() {
  static const std::vector<Pair> pairs = {{"rn", "m"}, {"m", "rn"}, {"l", "i"}, {"i", "l"},  {"c", "e"},
                                          {"e", "c"},  {"cl", "d"}, {"h", "b"}, {"vv", "w"}, {"u", "v"},
                                          {"nn", "m"}, {"a", "o"},  {"g", "q"}, {"t", "f"}};
  return pairs;
}

// Replaces one place where one side of a pair stands by the other side.
std::string ReplaceOne(const std::string& text, const std::vector<Pair>& pairs, bool both_ways,
                       Random& random) {
  struct Place {
    size_t at;
    size_t size;
    const char* by;
  };
  std::vector<Place> places;
  const std::string lower = absl::AsciiStrToLower(text);
  const auto collect = [&](const std::string& from, const char* to) {
    for (size_t at = lower.find(from); at != std::string::npos; at = lower.find(from, at + 1)) {
      places.push_back({at, from.size(), to});
    }
  };
  for (const auto& [first, second] : pairs) {
    collect(first, second);
    if (both_ways) collect(second, first);
  }
  if (places.empty()) return text;
  const Place& place = random.Pick(places);
  std::string by = place.by;
  if (absl::ascii_isupper(static_cast<unsigned char>(text[place.at]))) {
    by[0] = absl::ascii_toupper(static_cast<unsigned char>(by[0]));
  }
  return text.substr(0, place.at) + by + text.substr(place.at + place.size);
}

char Neighbour(char letter, Random& random) {
  for (const std::string row : kRows) {
    const size_t at = row.find(letter);
    if (at == std::string::npos) continue;
    if (at == 0) return row[1];
    if (at + 1 == row.size()) return row[at - 1];
    return random.Chance(0.5) ? row[at - 1] : row[at + 1];
  }
  return 'e';
}

std::string ToUtf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

}  // namespace

std::string Typo(const std::string& text, Random& random) {
  icu::UnicodeString letters = icu::UnicodeString::fromUTF8(text);
  const int32_t size = letters.length();
  if (size < 2) return text;
  // The first letter is seldom wrong.
  const auto at =
      random.Chance(0.1) ? 0 : static_cast<int32_t>(1 + random.Below(static_cast<uint64_t>(size - 1)));
  const auto other = static_cast<char16_t>('a' + random.Below(26));
  switch (random.Below(4)) {
    case 0:
      letters.insert(at, other);
      break;
    case 1:
      letters.remove(at, 1);
      break;
    case 2: {
      const char16_t old = letters[at];
      const bool latin = old < 128 && absl::ascii_isalpha(static_cast<unsigned char>(old));
      const char near = latin ? Neighbour(absl::ascii_tolower(static_cast<unsigned char>(old)), random) : 'e';
      letters.replace(at, 1, static_cast<char16_t>(near));
      break;
    }
    default: {
      const int32_t first = std::min(at, size - 2);
      const char16_t moved = letters[first];
      letters.replace(first, 1, letters[first + 1]);
      letters.replace(first + 1, 1, moved);
    }
  }
  return ToUtf8(letters);
}

std::string SoundsAlike(const std::string& text, Random& random) {
  return ReplaceOne(text, Alike(), true, random);
}

std::string Scanned(const std::string& text, Random& random) {
  return ReplaceOne(text, Scans(), false, random);
}

std::string WrongDigit(const std::string& digits, Random& random) {
  std::string out = digits;
  const size_t at = random.Below(out.size());
  if (out.size() > 1 && random.Chance(0.5)) {
    const size_t first = std::min(at, out.size() - 2);
    std::swap(out[first], out[first + 1]);
  } else {
    out[at] = static_cast<char>('0' + random.Below(10));
  }
  return out[0] == '0' ? digits : out;
}

std::string WithoutMarks(const std::string& text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(error);
  RAAKVLAK_CHECK(U_SUCCESS(error), "ICU has its normalisation data");
  const icu::UnicodeString decomposed = nfd->normalize(icu::UnicodeString::fromUTF8(text), error);
  icu::UnicodeString out;
  for (int32_t i = 0; i < decomposed.length(); ++i) {
    char16_t c = decomposed[i];
    if (u_getCombiningClass(c) != 0) continue;
    if (c == u'ı') c = u'i';
    if (c == u'ł') c = u'l';
    if (c == u'Ł') c = u'L';
    if (c == u'ß') c = u's';
    out.append(c);
  }
  return ToUtf8(out);
}

}  // namespace raakvlak::quality
