#include "linkage/ascii_forms.h"

#include <algorithm>

namespace raakvlak::linkage {

AsciiForms::AsciiForms(std::string (*fold)(absl::string_view)) {
  for (size_t i = 0; i < kCount; ++i) {
    std::string text = "a";
    text += static_cast<char>(kFirstLead + (i >> 6u));
    text += static_cast<char>(0x80u + (i & 0x3Fu));
    text += 'a';
    const std::string folded = fold(text);
    const bool known = folded.size() >= 2 && folded.size() <= 2 + forms_[i].letters.size() &&
                       folded.front() == 'a' && folded.back() == 'a' &&
                       std::all_of(folded.begin(), folded.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    if (!known) continue;
    forms_[i].size = static_cast<uint8_t>(folded.size() - 2);
    std::copy(folded.begin() + 1, folded.end() - 1, forms_[i].letters.begin());
  }
}

}  // namespace raakvlak::linkage
