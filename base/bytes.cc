#include "base/bytes.h"

#include <sodium.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/reason.h"
#include "base/status.h"

namespace raakvlak::base {

std::string BigEndian(uint64_t value, size_t length) {
  RAAKVLAK_CHECK(length <= 8 && (length == 8 || value < (uint64_t{1} << (8 * length))),
                 "the number fits its length");
  std::string out(length, '\0');
  for (size_t i = 0; i < length; ++i) out[length - 1 - i] = static_cast<char>((value >> (8 * i)) & 0xff);
  return out;
}

std::string LengthPrefixed(absl::string_view bytes) {
  std::string out = BigEndian(bytes.size(), 2);
  out.append(bytes.data(), bytes.size());
  return out;
}

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

absl::StatusOr<std::string> ParseHex(absl::string_view text) {
  bool valid = text.size() % 2 == 0;
  for (const char c : text) valid = valid && absl::ascii_isxdigit(static_cast<unsigned char>(c));
  if (!valid) return Error(absl::StatusCode::kInvalidArgument, reason::kMalformed, "not hexadecimal");
  return absl::HexStringToBytes(text);
}

std::string Base64(absl::string_view bytes) { return absl::Base64Escape(bytes); }

absl::StatusOr<std::string> ParseBase64(absl::string_view text) {
  std::string out;
  // absl's decoder is lenient; writing the result again and comparing makes it canonical.
  if (!absl::Base64Unescape(text, &out) || Base64(out) != text) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kMalformed, "not base64");
  }
  return out;
}

std::string Sha256(absl::string_view bytes) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(AsMutableBytes(out), AsBytes(bytes), bytes.size());
  return out;
}

bool ConstantTimeEquals(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace raakvlak::base
