#include "base/line_reader.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/bytes.h"
#include "base/status.h"

namespace raakvlak::base {

LineReader::LineReader(absl::string_view text, MakeError error)
    : lines_(absl::StrSplit(text, '\n')), error_(error) {}

std::optional<std::vector<std::string>> LineReader::Next(absl::string_view word, size_t count) {
  if (at_ == lines_.size()) return std::nullopt;
  std::vector<std::string> words = absl::StrSplit(lines_[at_], ' ');
  if (words.size() != count + 1 || words.front() != word) return std::nullopt;
  ++at_;
  words.erase(words.begin());
  return words;
}

absl::StatusOr<std::string> LineReader::Value(absl::string_view word) {
  const auto words = Next(word, 1);
  if (!words.has_value()) return error_(absl::StrCat("line \"", word, "\" is missing or malformed"));
  return words->front();
}

absl::StatusOr<uint32_t> LineReader::Number(absl::string_view word) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string value, Value(word));
  uint32_t number = 0;
  if (!absl::SimpleAtoi(value, &number)) return error_(absl::StrCat("line \"", word, "\" has no number"));
  return number;
}

absl::StatusOr<std::string> LineReader::Digest(absl::string_view word) {
  RAAKVLAK_ASSIGN_OR_RETURN(const std::string value, Value(word));
  auto bytes = ParseHex(value);
  if (!bytes.ok() || bytes->size() != 32) {
    return error_(absl::StrCat("line \"", word, "\" is not 32 bytes in hexadecimal"));
  }
  return bytes;
}

}  // namespace raakvlak::base
