// LineReader: reads the lines "<word> <value>.." of a signed text one after the other.
//
// It reads loosely (leading zeros, either case of hexadecimal): who reads a text that has one spelling only
// writes what was read anew, and compares. Thread safety: for one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace raakvlak::base {

class LineReader {
 public:
  // Makes the error of a text that is not as it should be.
  using MakeError = absl::Status (*)(absl::string_view message);

  LineReader(absl::string_view text, MakeError error);

  // The words after `word` on the next line; nothing, and it stays the next, when that line is another or has
  // another number of words.
  std::optional<std::vector<std::string>> Next(absl::string_view word, size_t count);
  // The single word after `word` on the next line: as it is, as a number, and as 32 bytes in hexadecimal.
  // MakeError's when it is missing or none.
  absl::StatusOr<std::string> Value(absl::string_view word);
  absl::StatusOr<uint32_t> Number(absl::string_view word);
  absl::StatusOr<std::string> Digest(absl::string_view word);

 private:
  const std::vector<std::string> lines_;
  const MakeError error_;
  size_t at_ = 0;
};

}  // namespace raakvlak::base
