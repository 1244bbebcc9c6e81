#include "crypto/tlog/text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::crypto::tlog {

absl::Status MalformedError(absl::string_view message) {
  return base::Error(absl::StatusCode::kInvalidArgument, base::reason::kMalformed, message);
}

absl::StatusOr<uint64_t> ParseDecimal(absl::string_view text) {
  // 2^63 - 1 has 19 digits, and every number of 19 digits fits 64 bits.
  constexpr size_t kMaxDigits = 19;
  uint64_t value = 0;
  bool valid = !text.empty() && text.size() <= kMaxDigits && (text[0] != '0' || text == "0");
  for (const char digit : text) {
    valid = valid && absl::ascii_isdigit(static_cast<unsigned char>(digit));
    if (!valid) break;
    value = value * 10 + static_cast<uint64_t>(digit - '0');
  }
  if (!valid || value > kMaxTreeSize) return MalformedError("not a decimal number without leading zeros");
  return value;
}

uint64_t ReadBigEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

absl::StatusOr<absl::string_view> TakeLine(absl::string_view& text) {
  const size_t end = text.find('\n');
  if (end == absl::string_view::npos) return MalformedError("a line without its end");
  const absl::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

absl::StatusOr<Proof> TakeHashLines(absl::string_view& text) {
  Proof proof;
  while (true) {
    RAAKVLAK_ASSIGN_OR_RETURN(const absl::string_view line, TakeLine(text));
    if (line.empty()) return proof;
    if (proof.size() == kMaxProofSize) return MalformedError("a proof with too many hashes");
    RAAKVLAK_ASSIGN_OR_RETURN(const Hash hash, Hash::FromBase64(line));
    proof.push_back(hash);
  }
}

std::string HashLines(const Proof& proof) {
  std::string out;
  for (const Hash& hash : proof) absl::StrAppend(&out, hash.ToBase64(), "\n");
  return absl::StrCat(out, "\n");
}

}  // namespace raakvlak::crypto::tlog
