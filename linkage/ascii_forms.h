// AsciiForms: what becomes of letters with diacritics that fold to basic Latin, looked up instead of asked of
// ICU each time. It only makes a fold faster: what it knows it has learnt from that fold.
//
// Thread safety: immutable once made.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace raakvlak::linkage {

class AsciiForms {
 public:
  // `fold` folds valid UTF-8 code point by code point; a form is learnt for those that fold to letters a-z
  // only, or to nothing, within a word.
  explicit AsciiForms(std::string (*fold)(absl::string_view));

  // Takes the code point at `at`, which is not ASCII, and moves behind it. False, and nothing done, when no
  // form of it is known. REQUIRES: valid UTF-8.
  bool Take(absl::string_view text, size_t& at, std::string& out) const {
    const auto lead = static_cast<unsigned char>(text[at]);
    if (lead < kFirstLead || lead > kLastLead) return false;
    const auto next = static_cast<unsigned char>(text[at + 1]);
    const Form& form = forms_[(static_cast<size_t>(lead - kFirstLead) << 6u) + (next & 0x3Fu)];
    if (form.size == kUnknown) return false;
    out.append(form.letters.data(), form.size);
    at += 2;
    return true;
  }

 private:
  // U+0080 to U+037F.
  static constexpr unsigned char kFirstLead = 0xC2;
  static constexpr unsigned char kLastLead = 0xCD;
  static constexpr size_t kCount = (kLastLead - kFirstLead + size_t{1}) * 64;
  static constexpr uint8_t kUnknown = 0xFF;
  struct Form {
    std::array<char, 3> letters{};
    uint8_t size = kUnknown;
  };
  std::array<Form, kCount> forms_;
};

}  // namespace raakvlak::linkage
