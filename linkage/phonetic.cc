#include "linkage/phonetic.h"

#include <array>

#include "absl/strings/match.h"

namespace raakvlak::linkage {
namespace {

// In the order in which they are tried: longer spellings before shorter ones.
constexpr SoundRule kRules[] = {
    // Vowels.
    {"eeuw", Place::kAnywhere, "eu"},
    {"ieuw", Place::kAnywhere, "iu"},
    {"auw", Place::kAnywhere, "au"},
    {"ouw", Place::kAnywhere, "au"},
    {"eij", Place::kAnywhere, "y"},
    {"uij", Place::kAnywhere, "ui"},
    {"aij", Place::kAnywhere, "ai"},
    {"oij", Place::kAnywhere, "oi"},
    {"aa", Place::kAnywhere, "a"},
    {"ae", Place::kAnywhere, "a"},
    {"au", Place::kAnywhere, "au"},
    {"ou", Place::kAnywhere, "au"},
    {"oe", Place::kAnywhere, "u"},
    {"oo", Place::kAnywhere, "o"},
    {"uu", Place::kAnywhere, "u"},
    {"uy", Place::kAnywhere, "ui"},
    {"ay", Place::kAnywhere, "ai"},
    {"oy", Place::kAnywhere, "oi"},
    {"ee", Place::kAnywhere, "e"},
    {"ei", Place::kAnywhere, "y"},
    {"ey", Place::kAnywhere, "y"},
    {"ie", Place::kAnywhere, "i"},
    {"ij", Place::kAnywhere, "y"},
    {"y", Place::kBeforeVowel, "j"},
    {"y", Place::kAfterConsonantAtEnd, "i"},
    // Consonants.
    {"tsch", Place::kAnywhere, "ts"},
    {"sch", Place::kAnywhere, "s"},
    {"tch", Place::kAnywhere, "ts"},
    {"wsk", Place::kAnywhere, "fsk"},
    {"ck", Place::kAnywhere, "k"},
    {"ch", Place::kAnywhere, "g"},
    {"gh", Place::kAnywhere, "g"},
    {"kh", Place::kAnywhere, "g"},
    {"ph", Place::kAnywhere, "f"},
    {"th", Place::kAnywhere, "t"},
    {"sh", Place::kAnywhere, "s"},
    {"sj", Place::kAnywhere, "s"},
    {"sz", Place::kAnywhere, "s"},
    {"cz", Place::kAnywhere, "ts"},
    {"dj", Place::kStart, "j"},
    {"dt", Place::kAnywhere, "t"},
    {"ds", Place::kEnd, "ts"},
    {"qu", Place::kAnywhere, "kw"},
    {"wr", Place::kStart, "fr"},
    {"cc", Place::kBeforeFrontVowel, "ks"},
    {"c", Place::kBeforeFrontVowel, "s"},
    {"c", Place::kAnywhere, "k"},
    {"d", Place::kEnd, "t"},
    {"b", Place::kEnd, "p"},
    {"q", Place::kAnywhere, "k"},
    {"v", Place::kAnywhere, "f"},
    {"x", Place::kAnywhere, "ks"},
    {"z", Place::kAnywhere, "s"},
};

bool IsVowel(char c) { return absl::string_view("aeiouy").find(c) != absl::string_view::npos; }

bool Fits(const SoundRule& rule, absl::string_view word, size_t at) {
  if (!absl::StartsWith(word.substr(at), rule.spelling)) return false;
  const size_t end = at + rule.spelling.size();
  const bool at_end = end == word.size();
  switch (rule.place) {
    case Place::kAnywhere:
      return true;
    case Place::kStart:
      return at == 0;
    case Place::kEnd:
      return at_end;
    case Place::kBeforeVowel:
      return !at_end && IsVowel(word[end]);
    case Place::kBeforeFrontVowel:
      return !at_end && absl::string_view("eiy").find(word[end]) != absl::string_view::npos;
    case Place::kAfterConsonantAtEnd:
      return at_end && at > 0 && !IsVowel(word[at - 1]);
  }
  return false;
}

// The rules whose spelling begins with a letter are neighbours in this index, in the table's order.
struct Index {
  std::array<std::array<uint8_t, std::size(kRules)>, 26> rules{};
  std::array<uint8_t, 26> count{};
};
constexpr Index MakeIndex() {
  Index index;
  for (size_t i = 0; i < std::size(kRules); ++i) {
    const auto letter = static_cast<size_t>(kRules[i].spelling.data()[0] - 'a');
    index.rules[letter][index.count[letter]++] = static_cast<uint8_t>(i);
  }
  return index;
}
constexpr Index kIndex = MakeIndex();

}  // namespace

absl::Span<const SoundRule> SoundRules() { return kRules; }

std::string SoundOf(absl::string_view word, size_t letters) {
  size_t begun = 0;
  std::string sound;
  sound.reserve(word.size() + 4);
  // A letter outside basic Latin is bytes that no rule fits; equal bytes of one such letter stay.
  const auto add = [&sound, &begun](char c) {
    const auto byte = static_cast<unsigned char>(c);
    if (!sound.empty() && sound.back() == c && byte < 0x80) return;
    sound += c;
    if ((byte & 0xC0u) != 0x80u) ++begun;
  };
  for (size_t at = 0; at < word.size() && begun <= letters;) {
    const char c = word[at];
    const SoundRule* found = nullptr;
    if (c >= 'a' && c <= 'z') {
      const auto letter = static_cast<size_t>(c - 'a');
      for (size_t i = 0; i < kIndex.count[letter] && found == nullptr; ++i) {
        const SoundRule& rule = kRules[kIndex.rules[letter][i]];
        if (Fits(rule, word, at)) found = &rule;
      }
    }
    if (found == nullptr) {
      add(c);
      ++at;
      continue;
    }
    for (const char s : found->sound) add(s);
    at += found->spelling.size();
  }
  return sound;
}

std::string SkeletonOf(absl::string_view word) {
  const std::string sound = SoundOf(word);
  std::string skeleton;
  for (size_t i = 0; i < sound.size(); ++i) {
    const char c = sound[i] == 'w' ? 'f' : sound[i];
    if (IsVowel(c)) {
      if (i == 0) skeleton += 'a';
      continue;
    }
    // Spoken weakly or not at all inside a word: "ahmed", "fatimah", "marja".
    if (i > 0 && (c == 'h' || c == 'j')) continue;
    skeleton += c;
  }
  return skeleton;
}

}  // namespace raakvlak::linkage
